"""Where each POC stands in its life, and who asked to ship it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, or_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from service.rules.lifecycle import State
from service.store.database import transaction
from service.store.tables import FactRow, PocRow


@dataclass(frozen=True, slots=True)
class ShipRequest:
    """The pull request on which the owner asked to ship, and when."""

    number: int
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What is stored of a POC's life."""

    state: State = State.NONE
    request: ShipRequest | None = None
    shipped_at: datetime | None = None
    shipped_sha: str | None = None


class Pocs:
    """The table of POCs; each method is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, repository_id: int) -> Standing:
        """Where a POC stands; one that nothing is known of has just begun."""
        with transaction(self._engine) as session:
            row = session.get(PocRow, repository_id)
            if row is None:
                return Standing()
            request = (
                ShipRequest(row.ship_request, row.ship_requested_at)
                if row.ship_request is not None and row.ship_requested_at is not None
                else None
            )
            return Standing(State(row.state), request, row.shipped_at, row.shipped_sha)

    def ask_to_ship(self, repository_id: int, number: int, at: datetime) -> None:
        """Note the ship request; the newest command counts, in whatever order they arrive."""
        asked = {"ship_request": number, "ship_requested_at": at}
        statement = insert(PocRow).values(repository_id=repository_id, **asked)
        statement = statement.on_conflict_do_update(
            index_elements=["repository_id"],
            set_=asked,
            where=or_(
                col(PocRow.ship_requested_at).is_(None),
                col(PocRow.ship_requested_at) < at,
            ),
        )
        with transaction(self._engine) as session:
            session.execute(statement)

    def take_back(self, repository_id: int, number: int) -> None:
        """Forget a ship request whose pull request was closed without being merged."""
        with transaction(self._engine) as session:
            row = session.get(PocRow, repository_id)
            if row is not None and row.ship_request == number:
                row.ship_request = row.ship_requested_at = None
                session.add(row)

    def ship(self, repository_id: int, sha: str, at: datetime) -> None:
        """Note that a POC has shipped; the first time counts."""
        statement = insert(PocRow).values(
            repository_id=repository_id, state=str(State.SHIPPED), shipped_at=at, shipped_sha=sha
        )
        statement = statement.on_conflict_do_update(
            index_elements=["repository_id"],
            set_={"shipped_at": at, "shipped_sha": sha},
            where=col(PocRow.shipped_at).is_(None),
        )
        with transaction(self._engine) as session:
            session.execute(statement)

    def set_state(self, repository_id: int, state: State, at: datetime) -> None:
        """Note the derived state, and since when it is so."""
        statement = insert(PocRow).values(repository_id=repository_id, state=str(state), state_since=at)
        statement = statement.on_conflict_do_update(
            index_elements=["repository_id"],
            set_={"state": str(state), "state_since": at},
            where=col(PocRow.state) != str(state),
        )
        with transaction(self._engine) as session:
            session.execute(statement)

    def was_told(self, fact_id: str) -> bool:
        """Whether a fact was ever recorded."""
        with transaction(self._engine) as session:
            return session.get(FactRow, fact_id) is not None
