"""What was said once: noted before it is said, so that a kill in between is found out."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from service.store.table import Table
from service.store.tables import MessageRow


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
