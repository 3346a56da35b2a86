"""Whom each POC waited for and when, its ship dates, its rests, and what blocked it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from service.rules.stall.forecast import PastTurn
from service.rules.stall.waiting_on import Blocker, Party, PausePeriod, WaitingOn, Wants
from service.rules.values.groups import Group
from service.rules.values.subjects import PocId
from service.store.table import Table
from service.store.tables import PocRow
from service.store.tables_waiting import BlockerRow, RestRow, ShipDateRow, TurnRow

PAUSE = "charter:"
"""How the source begins of a pause that a charter asks for; the blob follows."""


SNOOZE = "comment:"
"""How the source begins of a snooze; the comment follows, and its place among the comment's commands."""


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


class Waiting(Table):
    """Four small tables that only grow."""

    def passed(self, poc_id: PocId, waiting_on: WaitingOn) -> None:
        """Note that the ball has moved."""
        row = TurnRow(
            poc_id=poc_id,
            party=str(waiting_on.party),
            wants=str(waiting_on.wants),
            for_group=str(waiting_on.group) if waiting_on.group else None,
            people=list(waiting_on.people),
            number=waiting_on.number,
            about=waiting_on.about,
            since=waiting_on.since,
        )
        with self._database.transaction() as session:
            session.add(row)
            session.flush()
            present = {"turn_id": row.id, "waits_for": waiting_on.waits_for, "waits_since": row.since}
            session.execute(update(PocRow).where(col(PocRow.id) == poc_id).values(**present))

    def promised(self, poc_id: PocId, ship_by: date, at: datetime) -> None:
        """Note another ship date of the charter."""
        with self._database.transaction() as session:
            session.add(ShipDateRow(poc_id=poc_id, ship_by=ship_by, at=at))
            session.execute(
                update(PocRow)
                .where(col(PocRow.id) == poc_id)
                .values(
                    ship_by=ship_by,
                    first_ship_by=func.coalesce(PocRow.first_ship_by, ship_by),
                    ship_dates=col(PocRow.ship_dates) + 1,
                )
            )

    def rested(self, poc_id: PocId, source: str, rest: PausePeriod, *, actor: str, at: datetime) -> None:
        """Note a pause, by the blob that says it, or a snooze, by its comment; once each."""
        row = {"poc_id": poc_id, "source": source, **asdict(rest), "actor": actor, "at": at}
        self._keep(RestRow, [row])

    def end_pauses(self, poc_id: PocId, on: date, *, but: str) -> None:
        """Let the pauses of charters that were replaced end on a day; `but` is the present one's source."""
        replaced = col(RestRow.source).startswith(PAUSE, autoescape=True) & (col(RestRow.source) != but)
        self._end(poc_id, on, replaced)

    def end_snoozes(self, poc_id: PocId, on: date, *, naming: str) -> None:
        """Let the snoozes that named an issue end on a day: what they waited for has come."""
        named = col(RestRow.reason).regexp_match(_naming(naming))
        self._end(poc_id, on, named & ~col(RestRow.source).startswith(PAUSE, autoescape=True))

    def _end(self, poc_id: PocId, on: date, which: ColumnElement[bool]) -> None:
        self._execute(
            update(RestRow)
            .where(col(RestRow.poc_id) == poc_id, col(RestRow.until) > on, which)
            .values(until=on)
        )

    def blocked(self, poc_id: PocId, reference: str, at: datetime, *, commanded: bool = True) -> None:
        """Note an issue that was named as what a POC waits for; named again, it is asked about again.

        One that the charter names, and no command, is `commanded=False`.
        """
        row = insert(BlockerRow).values(
            poc_id=poc_id,
            reference=reference,
            named_at=at,
            commanded=commanded,
            assignees=[],
        )
        again = row.on_conflict_do_update(
            index_elements=["poc_id", "reference"],
            set_={
                "named_at": at,
                "read_at": None,
                "open": True,
                "commanded": col(BlockerRow.commanded) | commanded,
            },
            where=col(BlockerRow.named_at) < at,
        )
        self._execute(again)

    def saw_blocker(self, poc_id: PocId, blocker: Blocker, at: datetime) -> None:
        """Note how GitHub shows a blocker."""
        self._execute(
            update(BlockerRow)
            .where(
                col(BlockerRow.poc_id) == poc_id,
                col(BlockerRow.reference) == blocker.reference,
            )
            .values(open=blocker.open, assignees=list(blocker.assignees), read_at=at)
        )


def names(reason: str, reference: str) -> bool:
    """Whether a snooze's reason names an issue, and not one whose number only begins so."""
    return re.search(_naming(reference), reason) is not None


def _naming(reference: str) -> str:
    return rf"(^|[^\w./-]){re.escape(reference)}($|[^0-9])"


def waiting_on_of(row: TurnRow | Row[Any]) -> WaitingOn:
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


def pause_of(row: RestRow) -> PausePeriod:
    """A row as a pause."""
    return PausePeriod(row.first, row.until, row.reason)


def blocker_of(row: BlockerRow) -> KnownBlocker:
    """A row as a blocker."""
    blocker = Blocker(row.reference, row.named_at, row.open, tuple(row.assignees))
    return KnownBlocker(blocker, row.commanded, row.read_at)


MOST_TURNS = 200
"""The newest: what people did years ago says little of today."""

ENDED = text("""
SELECT t.poc_id, t.wants, t.for_group, t.since, n.since AS until
FROM turn t
JOIN poc p ON p.id = t.poc_id
JOIN repository r ON r.id = p.repository_id
CROSS JOIN LATERAL (
    SELECT since FROM turn WHERE poc_id = t.poc_id AND id > t.id ORDER BY id LIMIT 1
) n
WHERE r.installation_id = :installation AND t.party = 'signer' AND t.for_group IS NOT NULL
    AND t.wants IN ('start-signature', 'ship-signature') AND n.since >= t.since
ORDER BY t.id DESC LIMIT :most
""")


class Forecasts(Table):
    """Reads over the turns of many POCs."""

    def past_turns(self, installation_id: int) -> tuple[PastTurn, ...]:
        """The newest turns that have ended, in one statement."""
        rows = self._rows(ENDED, installation=installation_id, most=MOST_TURNS)
        return tuple(
            PastTurn(PocId(row.poc_id), Wants(row.wants), Group(row.for_group), row.since, row.until)
            for row in rows
        )
