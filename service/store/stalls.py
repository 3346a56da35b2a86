"""What a stall is decided by, read for many POCs at once: a handful of questions, however many they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import Session, col, select

from service.rules.source.text import CHARTER_PATH
from service.rules.stall.waiting_on import PausePeriod, WaitingOn
from service.rules.values.github import EventKind, StallIssue
from service.rules.values.subjects import PocId, repository_key
from service.store.database import Database
from service.store.pocs import StoredPoc, stored_poc_of
from service.store.stall_issues import issues_of
from service.store.tables import FactRow, PocRow
from service.store.tables_waiting import RestRow, TurnRow
from service.store.waiting import pause_of, waiting_on_of

NOTHING_DONE: Mapping[str, datetime] = {}
NOT_BEGUN = PocId(0), StoredPoc()
"""Of a POC without a record; no record has this id."""


@dataclass(frozen=True, slots=True)
class StoredStall:
    """What is stored of one POC, as far as a stall is decided by it."""

    standing: StoredPoc
    turn: WaitingOn | None = None
    """Who has the ball by the last look."""
    rest: PausePeriod | None = None
    """The pause or snooze that lasts longest."""
    issue: StallIssue | None = None
    acted: Mapping[str, datetime] = field(default_factory=dict)
    """When each person last did anything, by the login in small letters."""

    @property
    def activity_at(self) -> datetime | None:
        """When anybody last did anything."""
        return max(self.acted.values(), default=None)

    def acted_at(self, people: Iterable[str]) -> datetime | None:
        """When one of these people last did anything."""
        moments = (self.acted.get(login.lower()) for login in people)
        return max((at for at in moments if at is not None), default=None)


class Stalls:
    """Reads; each method is a statement or a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, repository_ids: Collection[int]) -> Mapping[int, StoredStall]:
        """What is stored of these repositories' POCs; of one that nothing is known of, how it begins."""
        with self._database.reading() as session:
            pocs = _pocs(session, repository_ids)
            poc_ids = [poc_id for poc_id, _ in pocs.values()]
            turns, rests = _turns(session, poc_ids), _rests(session, poc_ids)
            issues, acted = issues_of(session, poc_ids), _acted(session, repository_ids)
        return {
            each: StoredStall(
                standing=standing,
                turn=turns.get(poc_id),
                rest=rests.get(poc_id),
                issue=issues.get(poc_id),
                acted=acted.get(repository_key(each), NOTHING_DONE),
            )
            for each in repository_ids
            for poc_id, standing in [pocs.get(each, NOT_BEGUN)]
        }


def _pocs(session: Session, repository_ids: Collection[int]) -> Mapping[int, tuple[PocId, StoredPoc]]:
    rows = session.exec(
        select(PocRow).where(
            col(PocRow.repository_id).in_(repository_ids), PocRow.charter_path == CHARTER_PATH
        )
    )
    return {row.repository_id: (row.id, stored_poc_of(row)) for row in rows}


def _turns(session: Session, poc_ids: Collection[PocId]) -> Mapping[PocId, WaitingOn]:
    rows = session.exec(
        select(TurnRow)
        .ext(distinct_on(col(TurnRow.poc_id)))
        .where(col(TurnRow.poc_id).in_(poc_ids))
        .order_by(col(TurnRow.poc_id), col(TurnRow.id).desc())
    )
    return {row.poc_id: waiting_on_of(row) for row in rows}


def _rests(session: Session, poc_ids: Collection[PocId]) -> Mapping[PocId, PausePeriod]:
    rows = session.exec(
        select(RestRow)
        .ext(distinct_on(col(RestRow.poc_id)))
        .where(col(RestRow.poc_id).in_(poc_ids))
        .order_by(col(RestRow.poc_id), col(RestRow.until).desc(), col(RestRow.source).desc())
    )
    return {row.poc_id: pause_of(row) for row in rows}


def _acted(session: Session, repository_ids: Collection[int]) -> Mapping[str, Mapping[str, datetime]]:
    login = func.lower(col(FactRow.actor))
    rows = session.exec(
        select(FactRow.subject, login, func.max(FactRow.at))
        .where(
            col(FactRow.subject).in_(map(repository_key, repository_ids)),
            col(FactRow.kind) == str(EventKind.ACTIVITY),
            col(FactRow.actor) != "",
        )
        .group_by(col(FactRow.subject), login)
    )
    acted: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
    for subject, actor, at in rows:
        acted[subject][actor] = at
    return acted
