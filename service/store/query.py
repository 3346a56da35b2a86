"""Queries that SQLAlchemy compiles once and psycopg sends: those of every reconciliation."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import psycopg
from psycopg.rows import RowFactory, RowMaker, namedtuple_row
from sqlalchemy import ARRAY, ColumnElement, SelectBase, Text, any_, bindparam, inspect
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.types import TypeEngine
from sqlmodel import Session, SQLModel

from service.store.database import ask

DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call] # SQLAlchemy's dialects have no types


def any_of(name: str, of: type[TypeEngine[Any]] = Text) -> ColumnElement[Any]:
    """The parameter of a name, which is a list: a column equals one of its values."""
    return any_(bindparam(name, type_=ARRAY(of)))


class Query:
    """A SELECT with named parameters. Its rows have the columns' names.

    If it selects several whole tables, these are named, and a row is a tuple: for each of the tables one that
    has its columns' names, or None where an outer join found nothing, and then the other columns.
    """

    def __init__(self, select: SelectBase, *tables: type[SQLModel]) -> None:
        self._select = select
        self._rows: RowFactory[Any] = _by_table(tables) if tables else namedtuple_row

    @cached_property
    def _compiled(self) -> tuple[bytes, Mapping[str, object]]:
        """The statement, and its constants; compiled when it's first asked: not each process asks each."""
        compiled = self._select.compile(dialect=DIALECT)
        constants = {
            name: str(value) if isinstance(value, str) else value  # psycopg takes no enum for its text
            for name, value in compiled.params.items()
            if value is not None
        }
        return str(compiled).encode(), constants

    def all(self, session: Session, /, **values: object) -> list[Any]:
        """All rows."""
        return self._ask(session, values).fetchall()

    def first(self, session: Session, /, **values: object) -> Any:  # noqa: ANN401 (a row)
        """The first row; None without one."""
        return self._ask(session, values).fetchone()

    def _ask(self, session: Session, values: Mapping[str, object]) -> psycopg.Cursor[Any]:
        statement, constants = self._compiled
        return ask(session, statement, {**constants, **values}, self._rows)


def _by_table(tables: Sequence[type[SQLModel]]) -> RowFactory[Any]:
    parts: list[tuple[slice, Callable[..., Any]]] = []
    end = 0
    for table in tables:
        names = [column.name for column in inspect(table).local_table.columns]
        parts.append((slice(end, end + len(names)), namedtuple(table.__name__, names)))  # noqa: PYI024 (names of the table's)
        end += len(names)

    def rows(_cursor: psycopg.Cursor[Any]) -> RowMaker[tuple[Any, ...]]:
        return row

    def row(values: Sequence[Any]) -> tuple[Any, ...]:
        return (*(_part(make, values[where]) for where, make in parts), *values[end:])

    return rows


def _part(make: Callable[..., Any], values: Sequence[Any]) -> Any:  # noqa: ANN401 (a row)
    return None if all(value is None for value in values) else make(*values)
