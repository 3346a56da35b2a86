"""The app that was stored, and whom /setup lets in."""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, func, update
from sqlmodel import col

from service.store.table import Table
from service.store.tables_people import AppCredentialsRow, SetupPassRow


class Pass(StrEnum):
    """What a pass is for."""

    TOKEN = "token"  # noqa: S105 (its kind)
    BROWSER = "browser"
    STATE = "state"


class StoredApp(Table):
    """The table of the app, which has one row at most."""

    def find(self) -> bytes | None:
        """The encrypted app, if one was stored."""
        row = self._get(AppCredentialsRow, 1)
        return row.sealed if row else None

    def keep(self, app_id: int, sealed: bytes) -> bool:
        """Store it; False, and nothing is changed, where one is stored already."""
        self._keep(AppCredentialsRow, [{"id": 1, "app_id": app_id, "sealed": sealed}])
        return self.find() == sealed

    def replace(self, sealed: bytes) -> None:
        """Store the same app in another form."""
        self._execute(update(AppCredentialsRow).values(sealed=sealed))


class SetupPasses(Table):
    """The table of passes: each is good for a while, and most for once."""

    def issue(self, secret: str, purpose: Pass, ends_at: datetime) -> None:
        """Let somebody in who shows this; forget those that have ended."""
        self._execute(delete(SetupPassRow).where(col(SetupPassRow.ends_at) < func.now()))
        self._keep(SetupPassRow, [{"hash": hashed(purpose, secret), "purpose": purpose, "ends_at": ends_at}])

    def is_good(self, secret: str, purpose: Pass, now: datetime) -> bool:
        """Whether it lets in."""
        row = self._get(SetupPassRow, hashed(purpose, secret))
        return row is not None and row.ends_at > now

    def use_up(self, secret: str, purpose: Pass, now: datetime) -> bool:
        """Whether it lets in, this once."""
        if not self.is_good(secret, purpose, now):
            return False  # strangers cost no write
        statement = delete(SetupPassRow).where(col(SetupPassRow.hash) == hashed(purpose, secret))
        with self._database.transaction() as session:
            return session.execute(statement.returning(col(SetupPassRow.hash))).first() is not None


def hashed(purpose: Pass, secret: str) -> bytes:
    """What is kept of a secret; it is random and long, so one round is enough."""
    return hashlib.sha256(f"{purpose}:{secret}".encode()).digest()
