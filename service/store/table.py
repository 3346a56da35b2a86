"""What the classes over tables share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Executable, inspect
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel

from service.store.database import Database

R = TypeVar("R", bound=SQLModel)


class Table:
    """Reads and changes of a table or a few; each method is a statement or a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def _get(self, table: type[R], key: object) -> R | None:
        with self._database.reading() as session:
            return session.get(table, key)

    def _keep(
        self, table: type[SQLModel], rows: Sequence[Mapping[str, object]], *, replacing: bool = False
    ) -> None:
        """Insert rows; one whose key is taken is left out, or replaces the one with its primary key."""
        if not rows:
            return
        statement = insert(inspect(table).local_table)
        if replacing:
            key = [column.name for column in inspect(table).primary_key]
            new = {name: statement.excluded[name] for name in rows[0] if name not in key}
            statement = statement.on_conflict_do_update(index_elements=key, set_=new)
        else:
            statement = statement.on_conflict_do_nothing()
        with self._database.transaction() as session:
            # The rows apart from the statement: one that holds them is compiled again each time.
            session.connection().execute(statement, [dict(row) for row in rows])

    def _execute(self, statement: Executable) -> None:
        with self._database.transaction() as session:
            session.execute(statement)
