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
    PushedFiles,
    Review,
    SaidIn,
)


def detail(value: Review | CommandLine | DeploymentRequest | Deployed | PushedFiles) -> str:
    """The `detail` of a recorded event."""
    return json.dumps(asdict(value))


APPROVED, CHANGES_REQUESTED = "approved", "changes_requested"
"""States of a review, as GitHub writes them in deliveries."""


@dataclass(frozen=True, slots=True)
class RecordedReview:
    """A review, or the dismissal of one; `actor` is who did that."""

    review: Review
    actor: str
    at: datetime
    dismissed: bool

    @property
    def source(self) -> str:
        """By which a signature names it."""
        return f"review:{self.review.id}"


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


def recorded_reviews(events: Iterable[EventRecord]) -> tuple[RecordedReview, ...]:
    """The reviews and dismissals among events, oldest first."""
    kinds = (EventKind.REVIEWED, EventKind.REVIEW_DISMISSED)
    found = [
        RecordedReview(
            Review(**json.loads(event.detail)),
            event.actor,
            event.at,
            event.kind is EventKind.REVIEW_DISMISSED,
        )
        for event in events
        if event.kind in kinds
    ]
    # GitHub's clock has seconds: a dismissal follows the review that it takes back.
    return tuple(sorted(found, key=lambda each: (each.at, each.review.id, each.dismissed)))


def recorded_commands(events: Iterable[EventRecord]) -> tuple[RecordedCommand, ...]:
    """The commands among events, in the order in which they were given."""
    found = [
        RecordedCommand(_command_line(event.detail), event.actor, event.at)
        for event in events
        if event.kind is EventKind.COMMANDED
    ]
    return tuple(
        sorted(found, key=lambda each: (each.at, each.line.comment_id, each.line.source, each.line.index))
    )


def _command_line(said: str) -> CommandLine:
    fields = json.loads(said)
    return CommandLine(**fields | {"said_in": SaidIn(fields.get("said_in", SaidIn.COMMENT))})


def answer_key(line: CommandLine) -> str:
    """The key of the comment that answers the commands of a text."""
    return f"answer:{line.source}"


def deployment_requests(events: Iterable[EventRecord]) -> tuple[DeploymentRequest, ...]:
    """The deployments among events that wait for an answer."""
    return tuple(
        DeploymentRequest(**json.loads(event.detail))
        for event in events
        if event.kind is EventKind.DEPLOYMENT_REQUESTED
    )


def pushed_files(events: Iterable[EventRecord]) -> tuple[PushedFiles, ...]:
    """What the pushes to branches among events changed."""
    found = [json.loads(event.detail) for event in events if event.kind is EventKind.FILES_PUSHED]
    return tuple(PushedFiles(each["sha"], tuple(each["paths"])) for each in found)


def recorded_deployments(events: Iterable[EventRecord]) -> tuple[RecordedDeployment, ...]:
    """The deployments among events that succeeded, oldest first."""
    found = [
        RecordedDeployment(Deployed(**json.loads(event.detail)), event.actor, event.at)
        for event in events
        if event.kind is EventKind.DEPLOYED
    ]
    return tuple(sorted(found, key=lambda each: each.at))
