"""What was said once: noted before it is said, so that a kill in between is found out; and whose turn it is.

Each subject that cannot write at once is given a moment, and wakes once. Without the moments, all that wait
would wake together, and all but one of them for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from service.ports import GitHubError
from service.rules.queue import LIMITS, USUAL_PACE, Pace, next_slot
from service.store.database import Database, LockBusyError, LockClass
from service.store.table import Table
from service.store.tables import MessageRow
from service.store.tables_waiting import WriteSlot


class MessageState(StrEnum):
    """How far the saying of something is."""

    NEW = "new"
    PENDING = "unfinished"
    """Somebody began, and nobody knows whether GitHub heard it."""
    SAID = "said"


class Messages(Table):
    """The table of messages."""

    def begin(self, repository_id: int, key: str) -> MessageState:
        """Note that something is about to be said, and tell whether it was before."""
        row = insert(MessageRow).values(repository_id=repository_id, key=key)
        with self._database.transaction() as session:
            inserted = session.execute(row.on_conflict_do_nothing().returning(col(MessageRow.key)))
            if inserted.first() is not None:
                return MessageState.NEW
            known = session.get(MessageRow, (repository_id, key), with_for_update=True)
            if known is None or known.refused is None:
                said = known is not None and known.github_id is not None
                return MessageState.SAID if said else MessageState.PENDING
            known.refused = None
            session.add(known)
            return MessageState.NEW

    def was_said(self, repository_id: int, key: str) -> bool:
        """Whether it was said, as far as we know."""
        known = self._get(MessageRow, repository_id, key)
        return known is not None and known.github_id is not None

    def was_begun(self, repository_id: int, key: str) -> bool:
        """Whether it was said, or may have been."""
        known = self._get(MessageRow, repository_id, key)
        return known is not None and known.refused is None

    def number(self, repository_id: int, key: str) -> int | None:
        """The issue under which it was said."""
        known = self._get(MessageRow, repository_id, key)
        return known.number if known is not None and known.github_id is not None else None

    def said(self, repository_id: int, key: str, number: int, github_id: int) -> None:
        """Note where it stands: the issue's number, and of a comment its id, of an issue the number again."""
        self._execute(
            update(MessageRow)
            .where(col(MessageRow.repository_id) == repository_id, col(MessageRow.key) == key)
            .values(number=number, github_id=github_id)
        )

    def refused(self, repository_id: int, key: str, reason: str) -> None:
        """Note why it could not be said; it may be tried again."""
        self._execute(
            update(MessageRow)
            .where(col(MessageRow.repository_id) == repository_id, col(MessageRow.key) == key)
            .values(refused=reason)
        )

    def forget(self, repository_id: int, key: str) -> None:
        """Forget what turned out never to have been said."""
        self._execute(
            delete(MessageRow).where(
                col(MessageRow.repository_id) == repository_id, col(MessageRow.key) == key
            )
        )


LAPSES = timedelta(minutes=10)
"""A moment that nobody came for is free again after that time."""
REMEMBERED = max(within for _, within in LIMITS)


class NotYetError(Exception):
    """It is somebody else's turn; `until` is the moment that was kept for the one who asked."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"not before {until.isoformat()}")
        self.until = until


class Pacing(Table):
    """The table of the moments at which installations write."""

    def __init__(self, database: Database, pace: Pace = USUAL_PACE) -> None:
        super().__init__(database)
        self._pace = pace

    @contextmanager
    def writing(self, installation_id: int, subject: str, clock: Callable[[], datetime]) -> Iterator[None]:
        """Be the only one who writes for an installation, or raise `NotYetError`.

        A write counts from its end, so that however long it takes the next one reaches GitHub later. What
        GitHub refuses counts for nothing: it is still the subject's turn. Otherwise a reconciliation that is
        refused at the start each time would never come to its second write.
        """
        with ExitStack() as turn:
            with self._planning(installation_id) as session:
                slot = self._slot(session, turn, installation_id, subject, clock())
            if not slot.used:
                raise NotYetError(slot.at)
            written = True
            try:
                yield
            except GitHubError as error:
                written = not error.final
                raise
            finally:
                self._ended(slot, clock(), used=written)

    def _slot(
        self, session: Session, turn: ExitStack, installation_id: int, subject: str, now: datetime
    ) -> WriteSlot:
        """The subject's slot: used at once, or kept for later."""
        made, planned = _known(session, installation_id, now)
        mine = planned.pop(subject, None)
        if mine is not None and mine > now:
            return WriteSlot(installation_id=installation_id, subject=subject, at=mine, used=False)
        others = list(planned.values())
        # Who comes for a moment that was kept takes precedence over those who are still to come.
        at = next_slot(made, now, others if mine is None else (), self._pace)
        if at == now and self._enter(turn, installation_id):
            return _kept(session, installation_id, subject, now, used=True)
        if at == now:
            made.append(now)  # somebody writes at this moment
        later = next_slot(made, now, others, self._pace)
        return _kept(session, installation_id, subject, later, used=False)

    def _enter(self, turn: ExitStack, installation_id: int) -> bool:
        """Whether nobody writes now; from then on the caller does, until it or its process ends."""
        try:
            turn.enter_context(self._database.lock(LockClass.WRITING, str(installation_id), wait=None))
        except LockBusyError:
            return False
        return True

    @contextmanager
    def _planning(self, installation_id: int) -> Iterator[Session]:
        """A transaction in which nobody else gives the installation's moments away."""
        with self._database.transaction() as session:
            values = {"class": LockClass.PLANNING, "key": str(installation_id)}
            alone = text("SELECT pg_advisory_xact_lock(:class, hashtext(:key))")
            session.connection().execute(alone, values)
            yield session

    def _ended(self, slot: WriteSlot, now: datetime, *, used: bool) -> None:
        self._execute(update(WriteSlot).where(col(WriteSlot.id) == slot.id).values(at=now, used=used))


def _known(
    session: Session, installation_id: int, now: datetime
) -> tuple[list[datetime], dict[str, datetime]]:
    """When something was written within the longest limit, and what moments are kept for whom."""
    rows = session.exec(
        select(WriteSlot.subject, WriteSlot.at, WriteSlot.used).where(
            WriteSlot.installation_id == installation_id, WriteSlot.at > now - REMEMBERED
        )
    ).all()
    made = [at for _, at, used in rows if used]
    return made, {subject: at for subject, at, used in rows if not used and at > now - LAPSES}


def _kept(session: Session, installation_id: int, subject: str, at: datetime, *, used: bool) -> WriteSlot:
    """Give a subject a moment, in the place of the one that it had."""
    session.execute(
        delete(WriteSlot).where(
            col(WriteSlot.installation_id) == installation_id,
            col(WriteSlot.subject) == subject,
            col(WriteSlot.used).is_(False),
        )
    )
    slot = WriteSlot(installation_id=installation_id, subject=subject, at=at, used=used)
    session.add(slot)
    session.flush()
    return slot
