"""Whom each POC waited for and when, its ship dates, its rests, and what blocked it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Engine, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from service.rules.stall.waiting_on import Blocker, Party, PausePeriod, WaitingOn, Wants
from service.rules.values.groups import Group
from service.store.database import reading, transaction
from service.store.tables_waiting import BlockerRow, RestRow, ShipDateRow, TurnRow

PAUSE = "charter:"
"""How the source begins of a pause that a charter asks for; the blob follows."""


SNOOZE = "comment:"
"""How the source begins of a snooze; the comment follows, and its place among the comment's commands."""


@dataclass(frozen=True, slots=True)
class Snoozed:
    """A snooze, the command that asked for it, and when that was given."""

    source: str
    at: datetime
    rest: PausePeriod


@dataclass(frozen=True, slots=True)
class ShipDate:
    """A ship date, and when the default branch's charter first named it."""

    ship_by: date
    at: datetime


@dataclass(frozen=True, slots=True)
class KnownBlocker:
    """A blocker, whether a command named it, and when GitHub was last asked about it."""

    blocker: Blocker
    commanded: bool
    read_at: datetime | None


class Waiting:
    """Four small tables that only grow; each method is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def turns(self, repository_id: int) -> tuple[WaitingOn, ...]:
        """Who had the ball, oldest first; the last one has it now."""
        with reading(self._engine) as session:
            rows = session.exec(
                select(TurnRow).where(TurnRow.repository_id == repository_id).order_by(col(TurnRow.id))
            )
            return tuple(map(ball_of, rows))

    def passed(self, repository_id: int, waiting_on: WaitingOn) -> None:
        """Note that the ball has moved."""
        row = TurnRow(
            repository_id=repository_id,
            party=str(waiting_on.party),
            wants=str(waiting_on.wants),
            for_group=str(waiting_on.group) if waiting_on.group else None,
            people=list(waiting_on.people),
            number=waiting_on.number,
            about=waiting_on.about,
            since=waiting_on.since,
        )
        with transaction(self._engine) as session:
            session.add(row)

    def ship_dates(self, repository_id: int) -> tuple[ShipDate, ...]:
        """The ship dates that a POC ever had, in their order; each but the first is a slip, or an advance."""
        with reading(self._engine) as session:
            rows = session.exec(
                select(ShipDateRow)
                .where(ShipDateRow.repository_id == repository_id)
                .order_by(col(ShipDateRow.id))
            )
            return tuple(ShipDate(row.ship_by, row.at) for row in rows)

    def promised(self, repository_id: int, ship_by: date, at: datetime) -> None:
        """Note the ship date of the charter, where it is another than the last."""
        known = self.ship_dates(repository_id)
        if not known or known[-1].ship_by != ship_by:
            with transaction(self._engine) as session:
                session.add(ShipDateRow(repository_id=repository_id, ship_by=ship_by, at=at))

    def rests(self, repository_id: int) -> tuple[PausePeriod, ...]:
        """The pauses and snoozes, in the order of their last days."""
        with reading(self._engine) as session:
            rows = session.exec(
                select(RestRow)
                .where(RestRow.repository_id == repository_id)
                .order_by(col(RestRow.until), col(RestRow.source))
            )
            return tuple(map(rest_of, rows))

    def snoozes(self, repository_id: int) -> tuple[Snoozed, ...]:
        """What commands put off, in the order of their last days."""
        with reading(self._engine) as session:
            rows = session.exec(
                select(RestRow)
                .where(
                    RestRow.repository_id == repository_id,
                    col(RestRow.source).startswith(SNOOZE, autoescape=True),
                )
                .order_by(col(RestRow.until), col(RestRow.source))
            )
            return tuple(Snoozed(row.source, row.at, rest_of(row)) for row in rows)

    def rested(self, repository_id: int, source: str, rest: PausePeriod, *, actor: str, at: datetime) -> None:
        """Note a pause, by the blob that says it, or a snooze, by its comment; once each."""
        row = insert(RestRow).values(
            repository_id=repository_id,
            source=source,
            first=rest.first,
            until=rest.until,
            reason=rest.reason,
            actor=actor,
            at=at,
        )
        with transaction(self._engine) as session:
            session.execute(row.on_conflict_do_nothing())

    def end_pauses(self, repository_id: int, on: date, *, but: str) -> None:
        """Let the pauses of charters that were replaced end on a day; `but` is the present one's source."""
        replaced = col(RestRow.source).startswith(PAUSE, autoescape=True) & (col(RestRow.source) != but)
        self._end(repository_id, on, replaced)

    def end_snoozes(self, repository_id: int, on: date, *, naming: str) -> None:
        """Let the snoozes that named an issue end on a day: what they waited for has come."""
        named = col(RestRow.reason).regexp_match(rf"(^|[^\w./-]){re.escape(naming)}($|[^0-9])")
        self._end(repository_id, on, named & ~col(RestRow.source).startswith(PAUSE, autoescape=True))

    def _end(self, repository_id: int, on: date, which: ColumnElement[bool]) -> None:
        with transaction(self._engine) as session:
            session.execute(
                update(RestRow)
                .where(col(RestRow.repository_id) == repository_id, col(RestRow.until) > on, which)
                .values(until=on)
            )

    def blockers(self, repository_id: int) -> Sequence[KnownBlocker]:
        """What was named as blocking a POC, the oldest first."""
        with reading(self._engine) as session:
            rows = session.exec(
                select(BlockerRow)
                .where(BlockerRow.repository_id == repository_id)
                .order_by(col(BlockerRow.named_at), col(BlockerRow.reference))
            )
            return [
                KnownBlocker(
                    Blocker(row.reference, row.named_at, row.open, tuple(row.assignees)),
                    row.commanded,
                    row.read_at,
                )
                for row in rows
            ]

    def blocked(self, repository_id: int, reference: str, at: datetime, *, commanded: bool = True) -> None:
        """Note an issue that was named as what a POC waits for; named again, it is asked about again.

        One that the charter names, and no command, is `commanded=False`.
        """
        row = insert(BlockerRow).values(
            repository_id=repository_id,
            reference=reference,
            named_at=at,
            commanded=commanded,
            assignees=[],
        )
        again = row.on_conflict_do_update(
            index_elements=["repository_id", "reference"],
            set_={
                "named_at": at,
                "read_at": None,
                "open": True,
                "commanded": col(BlockerRow.commanded) | commanded,
            },
            where=col(BlockerRow.named_at) < at,
        )
        with transaction(self._engine) as session:
            session.execute(again)

    def saw_blocker(self, repository_id: int, blocker: Blocker, at: datetime) -> None:
        """Note how GitHub shows a blocker."""
        with transaction(self._engine) as session:
            session.execute(
                update(BlockerRow)
                .where(
                    col(BlockerRow.repository_id) == repository_id,
                    col(BlockerRow.reference) == blocker.reference,
                )
                .values(open=blocker.open, assignees=list(blocker.assignees), read_at=at)
            )


def ball_of(row: TurnRow) -> WaitingOn:
    """A row as who has the ball."""
    return WaitingOn(
        Party(row.party),
        Wants(row.wants),
        row.since,
        tuple(row.people),
        Group(row.for_group) if row.for_group else None,
        row.number,
        row.about,
    )


def rest_of(row: RestRow) -> PausePeriod:
    """A row as a rest."""
    return PausePeriod(row.first, row.until, row.reason)
