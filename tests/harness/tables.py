"""Every row of every table, as text; and whether the tables are those of the code."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text
from sqlmodel import SQLModel

from service.store import tables, tables_people, tables_waiting

NAMES = text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")


def rows(engine: Engine) -> dict[str, list[str]]:
    """By table."""
    with engine.connect() as connection:
        return {
            name: sorted(connection.execute(text(f'SELECT t::text FROM "{name}" AS t')).scalars())
            for name in connection.execute(NAMES).scalars()
        }


def differences(engine: Engine) -> list[object]:
    """What only the code's tables have, and what only the migrated database has."""
    known = (tables.Delivery, tables_waiting.TurnRow, tables_people.PersonRow)
    assert all(table.metadata is SQLModel.metadata for table in known)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": _is_ours})
        return list(compare_metadata(context, SQLModel.metadata))


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    return not (kind == "table" and (name or "").startswith("procrastinate_"))
