"""What a recorded event says: the JSON in its `detail`, written with the delivery, read when reconciling."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from service.rules.values.github import CommandLine, Deployed, DeploymentRequest, Fact, FactKind, Review


def detail(value: Review | CommandLine | DeploymentRequest | Deployed) -> str:
    """The `detail` of a recorded event."""
    return json.dumps(asdict(value))


@dataclass(frozen=True, slots=True)
class ToldReview:
    """A review, or the dismissal of one; `actor` is who did that."""

    review: Review
    actor: str
    at: datetime
    dismissed: bool


@dataclass(frozen=True, slots=True)
class ToldCommand:
    """A command, and who gave it."""

    line: CommandLine
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ToldDeployment:
    """A deployment that succeeded."""

    deployed: Deployed
    actor: str
    at: datetime


def reviews(facts: Iterable[Fact]) -> tuple[ToldReview, ...]:
    """The reviews and dismissals among facts, oldest first."""
    kinds = (FactKind.REVIEWED, FactKind.REVIEW_DISMISSED)
    told = [
        ToldReview(
            Review(**json.loads(fact.detail)), fact.actor, fact.at, fact.kind is FactKind.REVIEW_DISMISSED
        )
        for fact in facts
        if fact.kind in kinds
    ]
    # GitHub's clock has seconds: a dismissal follows the review that it takes back.
    return tuple(sorted(told, key=lambda each: (each.at, each.review.id, each.dismissed)))


def commands(facts: Iterable[Fact]) -> tuple[ToldCommand, ...]:
    """The commands among facts, in the order in which they were given."""
    told = [
        ToldCommand(CommandLine(**json.loads(fact.detail)), fact.actor, fact.at)
        for fact in facts
        if fact.kind is FactKind.COMMANDED
    ]
    return tuple(sorted(told, key=lambda each: (each.at, each.line.comment_id, each.line.index)))


def deployment_requests(facts: Iterable[Fact]) -> tuple[DeploymentRequest, ...]:
    """The deployments among facts that wait for an answer."""
    return tuple(
        DeploymentRequest(**json.loads(fact.detail))
        for fact in facts
        if fact.kind is FactKind.DEPLOYMENT_REQUESTED
    )


def deployments(facts: Iterable[Fact]) -> tuple[ToldDeployment, ...]:
    """The deployments among facts that succeeded, oldest first."""
    told = [
        ToldDeployment(Deployed(**json.loads(fact.detail)), fact.actor, fact.at)
        for fact in facts
        if fact.kind is FactKind.DEPLOYED
    ]
    return tuple(sorted(told, key=lambda each: each.at))
