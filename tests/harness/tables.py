"""Every row of every table, as text."""

from __future__ import annotations

from sqlalchemy import Engine, text

NAMES = text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")


def rows(engine: Engine) -> dict[str, list[str]]:
    """By table."""
    with engine.connect() as connection:
        return {
            name: sorted(connection.execute(text(f'SELECT t::text FROM "{name}" AS t')).scalars())
            for name in connection.execute(NAMES).scalars()
        }
