"""Where each POC stands in its life, and who asked to ship it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, or_, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from service.rules.charter.values import StopCause
from service.rules.checks.surroundings import Access
from service.rules.gate.lifecycle import State
from service.rules.gate.overview import JudgedThreshold, Overview
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.groups import Group
from service.rules.values.subjects import PocId, pull_request_key, repository_key
from service.store import subjects
from service.store.table import Table
from service.store.tables import PocRow, ShipmentRow


@dataclass(frozen=True, slots=True)
class ShipRequest:
    """The pull request on which the owner asked to ship, and when."""

    number: int
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class KnownAccess:
    """What an owner was last found to be allowed."""

    login: str
    access: Access
    asked_at: datetime
    since: datetime
    """Since when it is so, as far as we know."""


@dataclass(frozen=True, slots=True)
class StoredPoc:
    """What is stored of a POC's life."""

    state: State = State.NONE
    request: ShipRequest | None = None
    shipped_at: datetime | None = None
    shipped_sha: str | None = None
    bound: bool = False
    environment: str | None = None
    state_since: datetime | None = None
    proven_at: datetime | None = None
    """Since when nothing but signatures is missing on the ship request."""
    unsigned: tuple[Group, ...] = ()
    """Those that are."""
    history_read: bool = False
    pulls_listed_at: datetime | None = None
    """When its open pull requests were last listed."""
    owner: KnownAccess | None = None
    agreed: CharterFile | None = None
    """The charter that was agreed on last, whatever the default branch holds now."""
    overview: Overview | None = None
    counted_on: date | None = None
    """On which day its days were last counted."""


ENDED = "({})".format(", ".join(f"'{state}'" for state in State if state.has_ended))
"""For SQL: the states after which nothing more is to come."""
IS_LISTED = f"(r.poc_reason IS NOT NULL OR p.state IN {ENDED})"
"""For SQL: whether the repository `r` is a POC, or was one that has ended, by its record `p`."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """A commit that shipped, and when; `tree_sha` names its files, None where nobody asked for it yet."""

    sha: str
    tree_sha: str | None
    at: datetime


class Pocs(Table):
    """The tables of POCs and of what they shipped."""

    def begin(self, repository_id: int, charter_path: str, at: datetime) -> PocId | None:
        """Make the record that all that is noted of a POC names, which says nothing yet by itself.

        Two subjects may find a POC at the same time. None in a dry run: its database takes no record.
        """
        key = {"repository_id": repository_id, "charter_path": charter_path}
        with self._database.transaction() as session:
            if session.execute(text("SHOW transaction_read_only")).scalar_one() == "on":
                return None
            session.execute(insert(PocRow).values(**key, state_since=at).on_conflict_do_nothing())
            return PocId(session.exec(select(PocRow.id).filter_by(**key)).one())

    def ask_to_ship(self, poc_id: PocId, number: int, at: datetime) -> None:
        """Note the ship request: the newest command counts, and of several on one pull request the first.

        Where it was asked before there is no verdict any more, and the repository's look rests on it as well.
        """
        with self._database.transaction() as session:
            row = session.get_one(PocRow, poc_id, with_for_update=True)
            before = row.ship_request
            if row.ship_request == number and row.ship_requested_at is not None:
                row.ship_requested_at = min(at, row.ship_requested_at)
            elif row.ship_requested_at is None or row.ship_requested_at < at:
                row.ship_request, row.ship_requested_at = number, at
            session.add(row)
            if row.ship_request != before:
                row.request_proven_at = row.request_unsigned = None
                others = [pull_request_key(row.repository_id, before)] if before is not None else []
                subjects.mark(session, [repository_key(row.repository_id), *others])

    def request_judged(
        self, poc_id: PocId, number: int, unsigned: tuple[Group, ...] | None, at: datetime
    ) -> None:
        """Note whose signatures alone are missing on the ship request; None where more is.

        Who has the ball depends on it, so the repository is looked at where it has changed.
        """
        groups = None if unsigned is None else [str(group) for group in unsigned]
        with self._database.transaction() as session:
            row = session.get_one(PocRow, poc_id, with_for_update=True)
            if row.ship_request != number or row.request_unsigned == groups:
                return
            row.request_proven_at = None if groups is None else row.request_proven_at or at
            row.request_unsigned = groups
            session.add(row)
            subjects.mark(session, [repository_key(row.repository_id)])

    def change(self, poc_id: PocId, **columns: object) -> None:
        """Note what is so now; nothing is written where it was so before."""
        new = (getattr(PocRow, name).is_distinct_from(value) for name, value in columns.items())
        self._note(poc_id, columns, or_(*new))

    def first(self, poc_id: PocId, **columns: object) -> None:
        """Note what counts only the first time."""
        self._note(poc_id, columns, and_(*(getattr(PocRow, name).is_(None) for name in columns)))

    def list_again(self, repository_id: int) -> None:
        """Let the repository be reconciled, and list its open pull requests again."""
        listed = update(PocRow).where(col(PocRow.repository_id) == repository_id).values(pulls_listed_at=None)
        with self._database.transaction() as session:
            session.execute(listed)
            subjects.mark(session, [repository_key(repository_id)])

    def ship(self, poc_id: PocId, environment: str, shipment: Shipment) -> None:
        """Note that a commit shipped to an environment; the first time counts."""
        self._keep(ShipmentRow, [{"poc_id": poc_id, "environment": environment.lower(), **asdict(shipment)}])

    def shipments(self, poc_id: PocId | None, environment: str) -> tuple[Shipment, ...]:
        """What shipped to an environment, the newest first."""
        with self._database.reading() as session:
            rows = session.exec(
                select(ShipmentRow)
                .where(ShipmentRow.poc_id == poc_id, ShipmentRow.environment == environment.lower())
                .order_by(col(ShipmentRow.at).desc())
            )
            return tuple(Shipment(row.sha, row.tree_sha, row.at) for row in rows)

    def show(self, poc_id: PocId, overview: Overview) -> None:
        """Note what the pages show of its charter."""
        judged = [asdict(each) for each in overview.thresholds]
        columns = {"owner": overview.owner, "met": overview.met, "thresholds": len(judged), "judged": judged}
        columns["stop_cause"] = overview.stop_cause
        self._execute(update(PocRow).where(col(PocRow.id) == poc_id).values(**columns))

    def recall(self, poc_id: PocId) -> None:
        """Nothing that shipped may be gone back to: the POC was stopped."""
        self._execute(delete(ShipmentRow).where(col(ShipmentRow.poc_id) == poc_id))

    def take_back(self, poc_id: PocId, number: int) -> None:
        """Forget a ship request whose pull request was closed without being merged."""
        with self._database.transaction() as session:
            row = session.get_one(PocRow, poc_id)
            if row.ship_request == number:
                row.ship_request = row.ship_requested_at = None
                row.request_proven_at = row.request_unsigned = None
                session.add(row)
                subjects.mark(session, [repository_key(row.repository_id)])

    def _note(self, poc_id: PocId, columns: Mapping[str, object], when: ColumnElement[bool]) -> None:
        self._execute(update(PocRow).where(col(PocRow.id) == poc_id, when).values(**columns))


def stored_poc_of(row: PocRow) -> StoredPoc:
    """A row as where a POC stands."""
    request = owner = None
    if row.ship_request is not None and row.ship_requested_at is not None:
        request = ShipRequest(row.ship_request, row.ship_requested_at)
    if row.owner_login and row.owner_access and row.owner_asked_at:
        access, asked_at = Access(row.owner_access), row.owner_asked_at
        owner = KnownAccess(row.owner_login, access, asked_at, row.owner_since or asked_at)
    agreed = None
    if row.agreed_data is not None:
        agreed = CharterFile(FileKind.FILE, row.agreed_data, row.agreed_blob_sha, len(row.agreed_data))
    return StoredPoc(
        state=State(row.state),
        request=request,
        shipped_at=row.shipped_at,
        shipped_sha=row.shipped_sha,
        bound=row.bound_at is not None,
        environment=row.environment,
        state_since=row.state_since,
        proven_at=row.request_proven_at,
        unsigned=tuple(map(Group, row.request_unsigned or ())),
        history_read=row.history_read_at is not None,
        pulls_listed_at=row.pulls_listed_at,
        owner=owner,
        agreed=agreed,
        overview=overview_of(row.owner, row.judged, row.stop_cause),
        counted_on=row.counted_on,
    )


def overview_of(
    owner: str | None, judged: list[dict[str, Any]] | None, stop_cause: str | None
) -> Overview | None:
    """What was noted for the pages; None where nothing was."""
    if judged is None:
        return None
    thresholds = tuple(JudgedThreshold(**each) for each in judged)
    return Overview(owner, thresholds, StopCause(stop_cause) if stop_cause else None)
