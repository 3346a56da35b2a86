"""Recorded events as they are read again, and the timeline of each POC, which is only appended to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import ColumnElement, and_, bindparam, func, or_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from service.rules.values.activity import Activity, ActivityKind, facts_of, happening_of
from service.rules.values.github import EventKind, EventRecord, PullRequest
from service.rules.values.recorded import RecordedReview, pushed_files, recorded_reviews
from service.rules.values.subjects import pull_request_key, repository_key
from service.store.query import Query, any_of
from service.store.subjects import event_of
from service.store.table import Table
from service.store.tables import FactRow

AWAITED = (ActivityKind.REVIEW_REQUESTED, ActivityKind.REVIEW, ActivityKind.PULL_REQUEST)
"""What tells whether a review is waited for."""


MOST_DEPLOYMENTS = 5
"""Of those that were told of last, which are looked at again for whether they shipped the POC."""


@dataclass(frozen=True, slots=True)
class ToldOfPull:
    """What events told of a pull request that bears on signatures."""

    reviews: tuple[RecordedReview, ...]
    """In the order in which they happened, dismissals among them."""
    moved_by_author: bool
    """Whether its author moved it to its head, or opened it with that."""

    @property
    def any_objection(self) -> bool:
        """Whether a reviewer ever asked for changes."""
        return any(each.review.state == "changes_requested" for each in self.reviews)


class Timeline(Table):
    """What was recorded of people's doings."""

    def of(self, repository_id: int, *, since: datetime | None = None) -> tuple[Activity, ...]:
        """What people did on a POC, oldest first."""
        wanted = [_by_a_person()] if since is None else [_by_a_person(), col(FactRow.at) >= since]
        with self._database.reading() as session:
            return _activities(session, *_of(repository_id, EventKind.ACTIVITY), *wanted)

    def deployed(self, repository_id: int) -> tuple[EventRecord, ...]:
        """The deployments that were told of last, newest first."""
        with self._database.reading() as session:
            rows = session.exec(
                select(FactRow)
                .where(*_of(repository_id, EventKind.DEPLOYED))
                .order_by(col(FactRow.at).desc())
                .limit(MOST_DEPLOYMENTS)
            )
            return tuple(map(event_of, rows))

    def reviews(self, subject: str) -> tuple[EventRecord, ...]:
        """All that was ever told of a pull request's reviews, in the order in which it happened."""
        return self._told(subject, EventKind.REVIEWED, EventKind.REVIEW_DISMISSED)

    def files_pushed(self, repository_id: int, sha: str) -> frozenset[str]:
        """The files that the push of a commit to a branch is known to have changed."""
        subject = repository_key(repository_id)
        with self._database.reading() as session:
            row = session.get(FactRow, f"{subject}:files:{sha}")
            events = [event_of(row)] if row else []
        return frozenset(path for each in pushed_files(events) for path in each.paths)

    def told_of(self, pull: PullRequest) -> ToldOfPull:
        """What events told of a pull request's reviews, and of who moved it to its head."""
        subject = pull_request_key(pull.repository_id, pull.number)
        events = self._told(subject, EventKind.REVIEWED, EventKind.REVIEW_DISMISSED, EventKind.HEAD_MOVED)
        moved_by = {
            e.actor.lower() for e in events if e.kind is EventKind.HEAD_MOVED and e.detail == pull.head_sha
        }
        return ToldOfPull(recorded_reviews(events), pull.author.lower() in moved_by)

    def _told(self, subject: str, *kinds: EventKind) -> tuple[EventRecord, ...]:
        with self._database.reading() as session:
            return tuple(map(event_of, TOLD.all(session, subject=subject, kinds=[*map(str, kinds)])))

    def remember(self, repository_id: int, happenings: Iterable[Activity]) -> None:
        """Append what no event told of, or not yet; it leads to no reconciliation."""
        with self._database.transaction() as session:
            append(session, repository_id, happenings)


def append(session: Session, repository_id: int, happenings: Iterable[Activity]) -> None:
    """Append to a timeline within a transaction."""
    rows = [
        {
            "id": fact.id,
            "subject": fact.subject,
            "kind": str(fact.kind),
            "at": fact.at,
            "actor": fact.actor,
            "detail": fact.detail,
            "answered_at": func.now(),
        }
        for fact in sorted(facts_of(repository_id, *happenings), key=lambda fact: fact.id)
    ]
    if rows:
        session.execute(insert(FactRow).values(rows).on_conflict_do_nothing())


def _of(repository_id: int, kind: EventKind) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(FactRow.subject) == repository_key(repository_id), col(FactRow.kind) == str(kind)


def _by_a_person() -> ColumnElement[bool]:
    return col(FactRow.actor) != ""


def _kind() -> ColumnElement[str]:
    """The kind of an activity, out of its JSON; what was recorded without one was a commit."""
    named = func.substring(col(FactRow.detail), '^\\{"deed": "([a-z-]+)"')
    return func.coalesce(named, str(ActivityKind.COMMIT))


SUBJECT = col(FactRow.subject) == bindparam("subject")
LOGIN, KIND = func.lower(col(FactRow.actor)), _kind()
ACTED = Query(
    sa.select(LOGIN, KIND, func.max(FactRow.at))
    .where(SUBJECT, col(FactRow.kind) == str(EventKind.ACTIVITY), _by_a_person())
    .group_by(LOGIN, KIND)
)
ASKED = Query(
    sa.select(FactRow)
    .where(
        SUBJECT,
        or_(
            and_(col(FactRow.kind) == str(EventKind.ACTIVITY), _kind() == any_of("deeds")),
            col(FactRow.kind) == str(EventKind.REVIEW_REQUEST_REMOVED),
        ),
    )
    .order_by(col(FactRow.at), col(FactRow.id))
)
TOLD = Query(
    sa.select(FactRow)
    .where(SUBJECT, col(FactRow.kind) == any_of("kinds"))
    .order_by(col(FactRow.at), col(FactRow.id))
)


def acted_by_kind(session: Session, repository_id: int) -> Mapping[tuple[str, ActivityKind], datetime]:
    """When each person, in small letters, last did something of each kind."""
    rows = ACTED.all(session, subject=repository_key(repository_id))
    return {(actor, ActivityKind(each)): at for actor, each, at in rows}


def asked_reviews(session: Session, repository_id: int) -> tuple[Activity, ...]:
    """What `rules.stall.review_requests` goes by, oldest first: what was asked, done, and taken back."""
    rows = ASKED.all(session, subject=repository_key(repository_id), deeds=[*map(str, AWAITED)])
    return tuple(happening_of(event_of(row)) for row in rows)


def _activities(session: Session, *wanted: ColumnElement[bool]) -> tuple[Activity, ...]:
    return tuple(map(happening_of, _events(session, *wanted)))


def _events(session: Session, *wanted: ColumnElement[bool]) -> tuple[EventRecord, ...]:
    rows = session.exec(select(FactRow).where(*wanted).order_by(col(FactRow.at), col(FactRow.id)))
    return tuple(map(event_of, rows))
