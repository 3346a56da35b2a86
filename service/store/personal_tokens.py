"""Personal tokens: with one, a machine reads what its person sees at that moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, text
from sqlmodel import col, select

from service.store.people import Person
from service.store.table import Table
from service.store.tables_people import PersonalTokenRow, PersonRow

NOTED = timedelta(hours=1)
"""That a token is used is written no more often."""
USED = text("""
UPDATE personal_token SET used_at = :now WHERE hash = :hash AND coalesce(used_at, made_at) < :noted
""")


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """A token, without what it is used with."""

    id: int
    name: str
    made_at: datetime
    ends_at: datetime
    used_at: datetime | None


class PersonalTokens(Table):
    """The table of personal tokens."""

    def make(  # noqa: PLR0917 - the columns of a token
        self, person_id: int, name: str, hashed: bytes, now: datetime, ends_at: datetime, most: int
    ) -> bool:
        """Store a new one; False where somebody has as many as they may."""
        with self._database.transaction() as stored:
            # One at a time: the lock is on their own row.
            stored.exec(select(PersonRow.id).where(col(PersonRow.id) == person_id).with_for_update())
            having = select(func.count()).where(
                col(PersonalTokenRow.person_id) == person_id, col(PersonalTokenRow.ends_at) > now
            )
            if stored.exec(having).one() >= most:
                return False
            stored.add(
                PersonalTokenRow(person_id=person_id, name=name, hash=hashed, made_at=now, ends_at=ends_at)
            )
            return True

    def of(self, person_id: int, now: datetime) -> Sequence[PersonalToken]:
        """Those of somebody that still hold, the newest first."""
        statement = (
            select(PersonalTokenRow)
            .where(col(PersonalTokenRow.person_id) == person_id, col(PersonalTokenRow.ends_at) > now)
            .order_by(col(PersonalTokenRow.id).desc())
        )
        with self._database.reading() as stored:
            return [
                PersonalToken(row.id or 0, row.name, row.made_at, row.ends_at, row.used_at)
                for row in stored.exec(statement)
            ]

    def revoke(self, person_id: int, token_id: int) -> None:
        """End one of somebody's own."""
        self._execute(
            delete(PersonalTokenRow).where(
                col(PersonalTokenRow.id) == token_id, col(PersonalTokenRow.person_id) == person_id
            )
        )

    def whose(self, hashed: bytes, now: datetime) -> Person | None:
        """Whose token it is; None where it has ended, or never was one."""
        statement = (
            select(PersonRow.id, PersonRow.login)
            .join(PersonalTokenRow, col(PersonalTokenRow.person_id) == col(PersonRow.id))
            .where(col(PersonalTokenRow.hash) == hashed, col(PersonalTokenRow.ends_at) > now)
        )
        with self._database.reading() as stored:
            found = stored.exec(statement).first()
        if found is None:
            return None
        self._execute(USED, now=now, hash=hashed, noted=now - NOTED)
        return Person(*found)
