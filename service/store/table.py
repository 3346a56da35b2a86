"""What the classes over tables share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa
from psycopg.types.json import Jsonb
from sqlalchemy import Executable, TextClause, inspect
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.sql.schema import ScalarElementColumnDefault
from sqlmodel import SQLModel

from service.store.database import Database, ask
from service.store.query import DIALECT, Query

R = TypeVar("R", bound=SQLModel)


class Table:
    """Reads and changes of a table or a few; each method is a statement or a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def _get(self, table: type[R], *key: object) -> R | None:
        """The row with a primary key, which has the table's columns, to read only."""
        query, names = _by_key(table)
        with self._database.reading() as session:
            row: R | None = query.first(session, **dict(zip(names, key, strict=True)))
            return row

    def _keep(
        self, table: type[SQLModel], rows: Sequence[Mapping[str, object]], *, replacing: bool = False
    ) -> None:
        """Insert rows; one whose key is taken is left out, or replaces the one with its primary key."""
        if not rows:
            return
        statement, defaults, documents = _keeping(table, tuple(rows[0]), replacing)
        with self._database.transaction() as session:
            for row in rows:
                values = {**defaults, **row}
                json = {name: Jsonb(values[name]) for name in documents if values[name] is not None}
                ask(session, statement, values | json)

    def _rows(self, question: TextClause, **asked: object) -> Sequence[Any]:
        """All that a question brings."""
        with self._database.reading() as session:
            return session.connection().execute(question, asked).all()

    def _first(self, question: TextClause, **asked: object) -> Any:  # noqa: ANN401 (a row)
        """The first row that a question brings; None without one."""
        with self._database.reading() as session:
            return session.connection().execute(question, asked).first()

    def _execute(self, statement: Executable, **values: object) -> None:
        with self._database.transaction() as session:
            session.execute(statement, values)


@cache
def _by_key(table: type[SQLModel]) -> tuple[Query, Sequence[str]]:
    """The question for a row by its primary key, and the names of the key's columns."""
    key = inspect(table).primary_key
    wanted = [column == sa.bindparam(column.name, type_=column.type) for column in key]
    return Query(sa.select(table).where(*wanted)), [column.name for column in key]


@cache
def _keeping(
    table: type[SQLModel], names: Sequence[str], replacing: bool
) -> tuple[bytes, Mapping[str, object], Sequence[str]]:
    """The statement that keeps a row of these columns, what others begin with, and which are JSON."""
    found = inspect(table)
    columns = found.local_table.columns
    statement = insert(found.local_table)
    if replacing:
        key = [column.name for column in found.primary_key]
        new = {name: statement.excluded[name] for name in names if name not in key}
        statement = statement.on_conflict_do_update(index_elements=key, set_=new)
    else:
        statement = statement.on_conflict_do_nothing()
    defaults = {
        column.name: column.default.arg
        for column in columns
        if isinstance(column.default, ScalarElementColumnDefault) and column.name not in names
    }
    compiled = statement.compile(dialect=DIALECT, column_keys=[*names, *defaults])
    documents = [name for name in (*names, *defaults) if isinstance(columns[name].type, JSONB)]
    return str(compiled).encode(), defaults, documents
