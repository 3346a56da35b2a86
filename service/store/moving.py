"""All rows of one database into another, of whatever version; all of them or none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, MetaData, Table
from sqlalchemy.exc import SQLAlchemyError

from service.store.backup import BackupError, counted, forget_workers, refuse_other, refuse_used
from service.store.database import connected
from service.store.schema import migrate_within, revision_of

MADE_BY_MIGRATIONS = "alembic_version"


def move(source: str, target: str) -> Mapping[str, int]:
    """Copy every table, and return how many rows each has; nobody else may write to either meanwhile."""
    try:
        with connected(source, pool_size=1) as old, connected(target, pool_size=1) as new:
            return _move(old, new)
    except (psycopg.Error, SQLAlchemyError) as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        raise BackupError(f"nothing was moved: {reason}") from error


def _move(old: Engine, new: Engine) -> Mapping[str, int]:
    with old.begin() as reading, new.begin() as writing:
        source, target = _driver(reading), _driver(writing)
        refuse_used(target)
        revision = revision_of(reading)
        if revision is None:
            raise BackupError("the embedded database is empty: there is nothing to move")
        migrate_within(writing, to=revision)
        known = MetaData()
        known.reflect(reading)
        names = [sql.Identifier(table.name) for table in known.sorted_tables]
        source.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(sql.SQL(", ").join(names)))
        before = counted(source)
        for table in known.sorted_tables:
            if table.name != MADE_BY_MIGRATIONS:
                _copy(source, target, table)
        _go_on_counting(source, target)
        after = counted(target)
        refuse_other(before, after)
        forget_workers(target)
    return after


def _copy(source: psycopg.Connection[Any], target: psycopg.Connection[Any], table: Table) -> None:
    """Copy a table's rows; its triggers did their part when these were written first."""
    name = sql.Identifier(table.name)
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
    target.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(name))
    with (
        source.cursor().copy(sql.SQL("COPY {} ({}) TO STDOUT").format(name, columns)) as rows,
        target.cursor().copy(sql.SQL("COPY {} ({}) FROM STDIN").format(name, columns)) as into,
    ):
        for data in rows:
            into.write(data)
    target.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(name))


def _go_on_counting(source: psycopg.Connection[Any], target: psycopg.Connection[Any]) -> None:
    names = source.execute("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'").fetchall()
    for (name,) in names:
        query = sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(name))
        last, called = source.execute(query).fetchone() or (1, False)
        target.execute("SELECT setval(quote_ident(%s)::regclass, %s, %s)", [name, last, called])


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    found = connection.connection.driver_connection
    assert isinstance(found, psycopg.Connection)
    return found
