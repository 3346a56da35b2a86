"""When the database was last backed up; `health` reads it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert

from service.store.tables_setup import LastBackupRow


def note(engine: Engine, at: datetime) -> None:
    """Remember it."""
    statement = insert(LastBackupRow).values(id=1, made_at=at)
    with engine.begin() as connection:
        connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"made_at": at}))
