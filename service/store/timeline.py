"""The timeline of each POC: what people did, appended to and never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from service.rules.values.activity import Activity, ActivityKind, facts_of, happening_of
from service.rules.values.github import EventKind, EventRecord
from service.rules.values.subjects import repository_key
from service.store.database import Database
from service.store.tables import FactRow

AWAITED = (ActivityKind.REVIEW_REQUESTED, ActivityKind.REVIEW, ActivityKind.PULL_REQUEST)
"""What tells whether a review is waited for."""


class Timeline:
    """The facts that are activity; each method is a statement or a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, repository_id: int, *, since: datetime | None = None) -> tuple[Activity, ...]:
        """What people did on a POC, oldest first."""
        wanted = [_by_a_person()] if since is None else [_by_a_person(), col(FactRow.at) >= since]
        with self._database.reading() as session:
            return _activities(session, *_of(repository_id, EventKind.ACTIVITY), *wanted)

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


def acted_by_kind(session: Session, repository_id: int) -> Mapping[tuple[str, ActivityKind], datetime]:
    """When each person, in small letters, last did something of each kind."""
    login, kind = func.lower(col(FactRow.actor)), _kind()
    rows = session.exec(
        select(login, kind, func.max(FactRow.at))
        .where(*_of(repository_id, EventKind.ACTIVITY), _by_a_person())
        .group_by(login, kind)
    )
    return {(actor, ActivityKind(each)): at for actor, each, at in rows}


def asked_reviews(session: Session, repository_id: int) -> tuple[Activity, ...]:
    """What `rules.stall.review_requests` goes by, oldest first: what was asked, done, and taken back."""
    asked = and_(col(FactRow.kind) == str(EventKind.ACTIVITY), _kind().in_(map(str, AWAITED)))
    return _activities(
        session,
        col(FactRow.subject) == repository_key(repository_id),
        or_(asked, col(FactRow.kind) == str(EventKind.REVIEW_REQUEST_REMOVED)),
    )


def _activities(session: Session, *wanted: ColumnElement[bool]) -> tuple[Activity, ...]:
    rows = session.exec(select(FactRow).where(*wanted).order_by(col(FactRow.at), col(FactRow.id)))
    return tuple(
        happening_of(EventRecord(r.id, r.subject, EventKind(r.kind), r.at, r.actor, r.detail)) for r in rows
    )
