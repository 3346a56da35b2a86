"""What a recorded event says: the JSON in its `detail`, written with the delivery, read when reconciling."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from service.rules.values.github import (
    CommandLine,
    Deployed,
    DeploymentRequest,
    EventKind,
    EventRecord,
    Review,
)


def detail(value: Review | CommandLine | DeploymentRequest | Deployed) -> str:
    """The `detail` of a recorded event."""
    return json.dumps(asdict(value))


@dataclass(frozen=True, slots=True)
class RecordedReview:
    """A review, or the dismissal of one; `actor` is who did that."""

    review: Review
    actor: str
    at: datetime
    dismissed: bool


@dataclass(frozen=True, slots=True)
class RecordedCommand:
    """A command, and who gave it."""

    line: CommandLine
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RecordedDeployment:
    """A deployment that succeeded."""

    deployed: Deployed
    actor: str
    at: datetime


def recorded_reviews(facts: Iterable[EventRecord]) -> tuple[RecordedReview, ...]:
    """The reviews and dismissals among facts, oldest first."""
    kinds = (EventKind.REVIEWED, EventKind.REVIEW_DISMISSED)
    told = [
        RecordedReview(
            Review(**json.loads(fact.detail)), fact.actor, fact.at, fact.kind is EventKind.REVIEW_DISMISSED
        )
        for fact in facts
        if fact.kind in kinds
    ]
    # GitHub's clock has seconds: a dismissal follows the review that it takes back.
    return tuple(sorted(told, key=lambda each: (each.at, each.review.id, each.dismissed)))


def recorded_commands(facts: Iterable[EventRecord]) -> tuple[RecordedCommand, ...]:
    """The commands among facts, in the order in which they were given."""
    told = [
        RecordedCommand(CommandLine(**json.loads(fact.detail)), fact.actor, fact.at)
        for fact in facts
        if fact.kind is EventKind.COMMANDED
    ]
    return tuple(sorted(told, key=lambda each: (each.at, each.line.comment_id, each.line.index)))


def deployment_requests(facts: Iterable[EventRecord]) -> tuple[DeploymentRequest, ...]:
    """The deployments among facts that wait for an answer."""
    return tuple(
        DeploymentRequest(**json.loads(fact.detail))
        for fact in facts
        if fact.kind is EventKind.DEPLOYMENT_REQUESTED
    )


def recorded_deployments(facts: Iterable[EventRecord]) -> tuple[RecordedDeployment, ...]:
    """The deployments among facts that succeeded, oldest first."""
    told = [
        RecordedDeployment(Deployed(**json.loads(fact.detail)), fact.actor, fact.at)
        for fact in facts
        if fact.kind is EventKind.DEPLOYED
    ]
    return tuple(sorted(told, key=lambda each: each.at))
