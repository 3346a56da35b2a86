"""What the classes over tables share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import inspect
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel

from service.store.database import Database


class Table:
    """Reads and changes of a table or a few; each method is a statement or a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def _keep(
        self, table: type[SQLModel], rows: Sequence[Mapping[str, object]], *, replacing: bool = False
    ) -> None:
        """Insert rows; one whose key is taken is left out, or by its primary key takes the old one's place."""
        if not rows:
            return
        statement = insert(table).values(rows)
        if replacing:
            key = [column.name for column in inspect(table).primary_key]
            new = {name: statement.excluded[name] for name in rows[0] if name not in key}
            statement = statement.on_conflict_do_update(index_elements=key, set_=new)
        else:
            statement = statement.on_conflict_do_nothing()
        with self._database.transaction() as session:
            session.execute(statement)
