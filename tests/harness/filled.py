"""A row in every table, made from what the database says of its columns: a new table can't be forgotten."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Engine, MetaData, insert, text
from sqlalchemy.dialects.postgresql import ARRAY, ENUM

WHEN = datetime(2026, 11, 24, 9, 30, 0, 123456, tzinfo=UTC)
BY_TYPE: dict[type, Any] = {
    bool: True,
    int: 1,
    float: 93.125,
    str: "Grüße, \\N \t \"x\"\nand 'y'",
    bytes: b"\x00\\x\xff",
    datetime: WHEN,
    date: WHEN.date(),
    UUID: UUID("72d3162e-cc78-11e3-81ab-4c9367dc0958"),
    dict: {"a": ["b", None, 1.5]},
}
"""Also what a text form of a table has to escape."""
UNFILLED = frozenset({"alembic_version"})
"""Which migrations fill."""


def fill(engine: Engine) -> None:
    """Add a row to each table; what the database fills by itself is left to it."""
    known = MetaData()
    known.reflect(engine)
    with engine.begin() as connection:
        for table in known.sorted_tables:
            if table.name not in UNFILLED:
                asked = [each for each in table.columns if not (each.identity or each.server_default)]
                values = {column.name: _value(column) for column in asked}
                connection.execute(insert(table).values(values))


def without_workers(engine: Engine) -> None:
    """Take away the rows that stand for running processes: a copy has none of them."""
    with engine.begin() as connection:
        assert connection.execute(text("DELETE FROM procrastinate_workers")).rowcount == 1


def _value(column: Column[Any]) -> Any:
    kind = column.type
    if isinstance(kind, ARRAY):
        return ["one", "two, {three}", 'fo"ur'] if kind.item_type.python_type is str else [1, 2]
    if isinstance(kind, ENUM):
        return kind.enums[0]
    if type(kind).__name__ in {"JSON", "JSONB"}:
        return BY_TYPE[dict]
    return BY_TYPE[kind.python_type]
