"""What an installation leaves behind, deleted once it has been gone for a while; a portion at a time."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import delete, text
from sqlmodel import SQLModel

from service.store import tables, tables_waiting  # noqa: F401 - they fill the metadata
from service.store.table import Table

KEPT = timedelta(days=30)
"""An app that was uninstalled by mistake finds all as it was when it is installed again within this time."""
PORTION = 50
"""Repositories of one transaction."""

GONE = text("""
SELECT r.id FROM repository r JOIN installation i ON i.id = r.installation_id
WHERE i.deleted_at < :before ORDER BY r.id LIMIT :portion FOR UPDATE OF r SKIP LOCKED
""")
POCS = text("SELECT id FROM poc WHERE repository_id = ANY(:repositories)")
KINDS = "('repository', 'pull_request', 'merge_group', 'deployment', 'policy_change')"
SUBJECTS, FACTS = (
    text(
        f"DELETE FROM {table} WHERE split_part({column}, ':', 2) = ANY(:named) "  # noqa: S608 - our own names
        f"AND split_part({column}, ':', 1) IN {KINDS}"
    )
    for table, column in (("subject", "key"), ("fact", "subject"))
)
EMPTY = text("""
SELECT i.id FROM installation i WHERE i.deleted_at < :before
    AND NOT EXISTS (SELECT FROM repository r WHERE r.installation_id = i.id)
""")


class Purge(Table):
    """Deletes over all tables."""

    def portion(self, now: datetime) -> int:
        """Delete what belongs to some repositories of installations that left; how many those were."""
        asked = {"before": now - KEPT, "portion": PORTION}
        with self._database.transaction() as session:
            repositories = list(session.execute(GONE, asked).scalars())
            if repositories:
                pocs = list(session.execute(POCS, {"repositories": repositories}).scalars())
                named = {"named": [str(each) for each in repositories]}
                for table in _holding("poc_id"):
                    session.execute(delete(table).where(table.c.poc_id.in_(pocs)))
                for table in _holding("repository_id"):
                    session.execute(delete(table).where(table.c.repository_id.in_(repositories)))
                session.execute(SUBJECTS, named)
                session.execute(FACTS, named)
                row = SQLModel.metadata.tables["repository"]
                session.execute(delete(row).where(row.c.id.in_(repositories)))
                return len(repositories)
            for installation_id in session.execute(EMPTY, asked).scalars().all():
                for table in _holding("installation_id"):
                    session.execute(delete(table).where(table.c.installation_id == installation_id))
                row = SQLModel.metadata.tables["installation"]
                session.execute(delete(row).where(row.c.id == installation_id))
            return 0


def _holding(column: str) -> list[sa.Table]:
    """The tables with a column, but for those whose rows are deleted by their own id."""
    known = SQLModel.metadata.sorted_tables
    return [each for each in reversed(known) if column in each.c and each.name != "repository"]
