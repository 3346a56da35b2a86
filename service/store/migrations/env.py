"""Run by Alembic, on the connection that `service.store.schema` gives it."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

from service.store import tables, tables_waiting

assert tables.Delivery.metadata is tables_waiting.TurnRow.metadata is SQLModel.metadata


def ours(_object: object, name: str | None, kind: str, _reflected: bool, _compared: object) -> bool:
    """Leave Procrastinate's tables to the revisions that run its own statements."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    include_object=ours,
)
with context.begin_transaction():
    context.run_migrations()
