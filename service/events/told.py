"""What recorded facts tell, as typed values: the other end of what the routes recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from service.rules.facts import CommandLine, Deployed, DeploymentRequest, Fact, FactKind, Review

_review = msgspec.json.Decoder(Review)
_command = msgspec.json.Decoder(CommandLine)
_request = msgspec.json.Decoder(DeploymentRequest)
_deployed = msgspec.json.Decoder(Deployed)


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
        ToldReview(_review.decode(fact.detail), fact.actor, fact.at, fact.kind is FactKind.REVIEW_DISMISSED)
        for fact in facts
        if fact.kind in kinds
    ]
    # GitHub's clock has seconds: a dismissal follows the review that it takes back.
    return tuple(sorted(told, key=lambda each: (each.at, each.review.id, each.dismissed)))


def commands(facts: Iterable[Fact]) -> tuple[ToldCommand, ...]:
    """The commands among facts, in the order in which they were given."""
    told = [
        ToldCommand(_command.decode(fact.detail), fact.actor, fact.at)
        for fact in facts
        if fact.kind is FactKind.COMMANDED
    ]
    return tuple(sorted(told, key=lambda each: (each.at, each.line.comment_id, each.line.index)))


def deployment_requests(facts: Iterable[Fact]) -> tuple[DeploymentRequest, ...]:
    """The deployments among facts that wait for an answer."""
    return tuple(_request.decode(fact.detail) for fact in facts if fact.kind is FactKind.DEPLOYMENT_REQUESTED)


def deployments(facts: Iterable[Fact]) -> tuple[ToldDeployment, ...]:
    """The deployments among facts that succeeded, oldest first."""
    told = [
        ToldDeployment(_deployed.decode(fact.detail), fact.actor, fact.at)
        for fact in facts
        if fact.kind is FactKind.DEPLOYED
    ]
    return tuple(sorted(told, key=lambda each: each.at))
