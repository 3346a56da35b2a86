"""The timeline of each POC: what people did, appended to and never changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, func, or_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from service.rules.values.activity import Activity, ActivityKind, facts_of, happening_of
from service.rules.values.github import EventKind, EventRecord
from service.rules.values.subjects import repository_key
from service.store.database import reading, transaction
from service.store.tables import FactRow

AWAITED = (ActivityKind.REVIEW_REQUESTED, ActivityKind.REVIEW, ActivityKind.PULL_REQUEST)
"""What tells whether a review is waited for."""


class Timeline:
    """The facts that are activity; each method is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, repository_id: int, *, since: datetime | None = None) -> tuple[Activity, ...]:
        """What people did on a POC, oldest first."""
        wanted = [_by_a_person()] if since is None else [_by_a_person(), col(FactRow.at) >= since]
        return self._read(repository_id, EventKind.ACTIVITY, *wanted)

    def last(
        self,
        repository_id: int,
        *,
        deeds: Collection[ActivityKind] | None = None,
        but: Collection[str] = (),
    ) -> datetime | None:
        """When anybody last did anything: of some deeds, by anybody `but` some people."""
        wanted = [_by_a_person()]
        if deeds is not None:
            wanted.append(_is_one_of(deeds))
        if but:
            wanted.append(func.lower(FactRow.actor).not_in([login.lower() for login in but]))
        with reading(self._engine) as session:
            return session.exec(
                select(func.max(FactRow.at)).where(*_of(repository_id, EventKind.ACTIVITY), *wanted)
            ).one()

    def requests(self, repository_id: int) -> tuple[tuple[Activity, ...], tuple[Activity, ...]]:
        """What `rules.reviews.open_requests` goes by: what was asked and done, and what was taken back."""
        return (
            self._read(repository_id, EventKind.ACTIVITY, _is_one_of(AWAITED)),
            self._read(repository_id, EventKind.REVIEW_REQUEST_REMOVED),
        )

    def remember(self, repository_id: int, happenings: Iterable[Activity]) -> None:
        """Append what no event told of, or not yet; it leads to no look."""
        with transaction(self._engine) as session:
            append(session, repository_id, happenings)

    def saw_commit(self, repository_id: int, login: str, at: datetime) -> None:
        """Note a commit that no event told of, and that was found by its author and time."""
        name = f"{repository_key(repository_id)}:commit:{login}:{at.isoformat()}"
        self.remember(repository_id, [Activity(name, at, login, ActivityKind.COMMIT)])

    def _read(
        self, repository_id: int, kind: EventKind, *wanted: ColumnElement[bool]
    ) -> tuple[Activity, ...]:
        with reading(self._engine) as session:
            rows = session.exec(
                select(FactRow)
                .where(*_of(repository_id, kind), *wanted)
                .order_by(col(FactRow.at), col(FactRow.id))
            )
            return tuple(
                happening_of(EventRecord(r.id, r.subject, EventKind(r.kind), r.at, r.actor, r.detail))
                for r in rows
            )


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


def _is_one_of(deeds: Collection[ActivityKind]) -> ColumnElement[bool]:
    """By how `Doing` begins as JSON; what was recorded without one was a commit."""
    said = [col(FactRow.detail).startswith(f'{{"deed": "{deed}"', autoescape=True) for deed in deeds]
    if ActivityKind.COMMIT in deeds:
        said.append(~col(FactRow.detail).startswith("{"))
    return or_(False, *said)
