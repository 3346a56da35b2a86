"""What nobody will ask for again, and what an installation leaves behind once it has been gone for a while.

Deleted at night, a portion at a time, so that nothing waits for long.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Engine, delete, text
from sqlmodel import SQLModel

from service.store import tables, tables_waiting  # noqa: F401 - they fill the metadata
from service.store.database import transaction
from service.store.table import Table
from service.store.tables import PASSING

PORTION = 5_000
"""Rows of one transaction."""
LASTS = timedelta(minutes=10)
"""What is left then is left to the next night."""


@dataclass(frozen=True, slots=True)
class Litter:
    """Rows of a table that are deleted, or what `change` does; `old` is a day or how many there are."""

    table: str
    old: str
    change: str = ""

    @property
    def statement(self) -> str:
        """For one portion. Rows that somebody has locked are left to the next time."""
        does = self.change or "DELETE FROM {table}"
        statement = does + " WHERE ctid = ANY(ARRAY({of}))"
        portion = "SELECT ctid FROM {table} WHERE {old} LIMIT :portion FOR UPDATE SKIP LOCKED"
        return statement.format(table=self.table, of=portion.format(table=self.table, old=self.old))


def _before(days: int) -> str:
    return f"now() - {days} * CAST(:day AS interval)"


UNTOUCHED_JOB = """
status <> 'todo'
AND NOT EXISTS (
    SELECT FROM procrastinate_events e
    WHERE e.job_id = procrastinate_jobs.id AND e.at > now() - CAST(:day AS interval))
AND NOT EXISTS (SELECT FROM procrastinate_periodic_defers d WHERE d.job_id = procrastinate_jobs.id)
"""
ANSWERED = f"""
{PASSING} AND answered_at < {_before(30)}
AND (kind <> 'default-pushed' OR EXISTS (
    SELECT FROM fact later WHERE later.subject = fact.subject AND later.kind = 'default-pushed'
    AND (later.at, later.recorded_at) > (fact.at, fact.recorded_at)))
AND (kind <> 'files-pushed' OR NOT EXISTS (
    SELECT FROM pull_request p WHERE p.state = 'open'
    AND p.repository_id = CAST(split_part(fact.subject, chr(58), 2) AS bigint)
    AND p.head_sha = split_part(fact.id, chr(58), 4)))
"""  # noqa: S608 - our own words
"""But for the last push to each default branch, and the files of what is still to be merged: both are read
for as long as they are true. A delivery is known for as long: what told of it never comes twice."""
OF_NO_POC = """
NOT EXISTS (SELECT FROM poc WHERE poc.repository_id = pull_request.repository_id)
AND (state <> 'open' OR NOT EXISTS (
    SELECT FROM check_run c WHERE c.repository_id = pull_request.repository_id
    AND c.head_sha = pull_request.head_sha))
"""
"""A check run on an open one may be asked for again."""
NEVER_ANSWERED = f"kind = 'deployment-requested' AND answered_at IS NULL AND at < {_before(60)}"
"""GitHub has long ended what waited for it."""
OVER = f"""
split_part(key, chr(58), 1) IN ('deployment', 'merge_group') AND wanted = done
AND touched < CASE WHEN dead_since IS NULL THEN {_before(30)} ELSE {_before(2)} END
"""
"""What was given up isn't tried again once nobody waits for it: then nobody has to know of it either."""
OF_NO_RECORD = """
NOT EXISTS (SELECT FROM fact WHERE id = concat('repository', chr(58), repository_id, chr(58),
    'charter-changed', chr(58), commit_sha))
"""
"""A charter of the default branch stands in the record with its text."""

LITTER = (
    Litter("procrastinate_periodic_defers", "to_timestamp(defer_timestamp) < now() - CAST(:day AS interval)"),
    Litter("procrastinate_jobs", UNTOUCHED_JOB),
    Litter("fact", ANSWERED),
    Litter("fact", NEVER_ANSWERED),
    Litter("delivery", f"received_at < {_before(30)}"),
    Litter("refused", f"minute < {_before(30)}"),
    Litter("charter_at", f"read_at < {_before(90)} AND {OF_NO_RECORD}"),
    Litter("blob_at", f"read_at < {_before(90)}"),
    Litter("known_commit", f"read_at < {_before(90)}"),
    Litter("blob", f"kept AND read_at < {_before(90)}", "UPDATE {table} SET data = NULL, kept = false"),
    Litter("used_token", "expires_at < now() - CAST(:day AS interval)"),
    Litter("write_slot", "at < now() - CAST(:day AS interval) / 12"),
    Litter("merge_base", f"asked_at < {_before(90)}"),
    Litter("digest", f"composed_at < {_before(90)}"),
    Litter("outside_fact", f"gathered_at < {_before(30)}"),
    Litter("pull_request", f"updated_at < {_before(30)} AND {OF_NO_POC}"),
    Litter("subject", OVER),
)
"""The facts go before the deliveries that told of them."""


def delete_litter(
    engine: Engine, *, day: timedelta = timedelta(days=1), portion: int = PORTION, lasts: timedelta = LASTS
) -> int:
    """Delete what killed workers left in the job tables, and what is old; tests make a `day` shorter.

    Returns how many rows that were.
    """
    ends, deleted = time.monotonic() + lasts.total_seconds(), 0
    for each in LITTER:
        rows = portion
        while rows == portion and time.monotonic() < ends:
            with transaction(engine) as session:
                found = session.connection().execute(text(each.statement), {"day": day, "portion": portion})
            rows = found.rowcount
            deleted += rows
    return deleted


KEPT = timedelta(days=30)
"""An app that was uninstalled by mistake finds all as it was when it is installed again within this time."""
REPOSITORIES = 50
"""Of one transaction."""

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
        asked = {"before": now - KEPT, "portion": REPOSITORIES}
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
