"""Whom each POC waited for and when, its ship dates, its rests, and what blocked it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Engine, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from service.rules.ball import Ball, Blocker, Party, Rest, Wants
from service.rules.charter.goalposts import Group
from service.store.database import transaction
from service.store.tables_stalls import BlockerRow, RestRow, ShipDateRow, TurnRow


@dataclass(frozen=True, slots=True)
class ShipDate:
    """A ship date, and when the default branch's charter first named it."""

    ship_by: date
    at: datetime


class Waiting:
    """Four small tables that only grow; each method is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def turns(self, repository_id: int) -> tuple[Ball, ...]:
        """Who had the ball, oldest first; the last one has it now."""
        with transaction(self._engine) as session:
            rows = session.exec(
                select(TurnRow).where(TurnRow.repository_id == repository_id).order_by(col(TurnRow.id))
            )
            return tuple(map(_ball, rows))

    def passed(self, repository_id: int, ball: Ball) -> None:
        """Note that the ball has moved."""
        row = TurnRow(
            repository_id=repository_id,
            party=str(ball.party),
            wants=str(ball.wants),
            for_group=str(ball.group) if ball.group else None,
            people=list(ball.people),
            number=ball.number,
            about=ball.about,
            since=ball.since,
        )
        with transaction(self._engine) as session:
            session.add(row)

    def ship_dates(self, repository_id: int) -> tuple[ShipDate, ...]:
        """The ship dates that a POC ever had, in their order; each but the first is a slip, or an advance."""
        with transaction(self._engine) as session:
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

    def rests(self, repository_id: int) -> tuple[Rest, ...]:
        """The pauses and snoozes, in the order of their last days."""
        with transaction(self._engine) as session:
            rows = session.exec(
                select(RestRow)
                .where(RestRow.repository_id == repository_id)
                .order_by(col(RestRow.until), col(RestRow.source))
            )
            return tuple(Rest(row.first, row.until, row.reason) for row in rows)

    def rested(self, repository_id: int, source: str, rest: Rest, *, actor: str, at: datetime) -> None:
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

    def end_rests(self, repository_id: int, on: date) -> None:
        """Let rests that would last longer end on a day: what they waited for has come."""
        with transaction(self._engine) as session:
            session.execute(
                update(RestRow)
                .where(col(RestRow.repository_id) == repository_id, col(RestRow.until) > on)
                .values(until=on)
            )

    def blockers(self, repository_id: int) -> Sequence[tuple[Blocker, datetime | None]]:
        """What was named as blocking a POC, and when GitHub was last asked about it."""
        with transaction(self._engine) as session:
            rows = session.exec(
                select(BlockerRow)
                .where(BlockerRow.repository_id == repository_id)
                .order_by(col(BlockerRow.named_at), col(BlockerRow.reference))
            )
            return [
                (Blocker(row.reference, row.named_at, row.open, tuple(row.assignees)), row.read_at)
                for row in rows
            ]

    def blocked(self, repository_id: int, reference: str, at: datetime) -> None:
        """Note an issue that was named as what a POC waits for; named again, it is asked about again."""
        row = insert(BlockerRow).values(
            repository_id=repository_id, reference=reference, named_at=at, assignees=[]
        )
        again = row.on_conflict_do_update(
            index_elements=["repository_id", "reference"],
            set_={"named_at": at, "read_at": None, "open": True},
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


def _ball(row: TurnRow) -> Ball:
    return Ball(
        Party(row.party),
        Wants(row.wants),
        row.since,
        tuple(row.people),
        Group(row.for_group) if row.for_group else None,
        row.number,
        row.about,
    )
