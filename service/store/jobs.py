"""Durable wake-ups: a job that says "look at this subject", deferred in the caller's transaction.

And what waits at other installations, while one has its share of the looks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from procrastinate.psycopg_connector import PsycopgConnector
from procrastinate.sync_psycopg_connector import SyncPsycopgConnector
from sqlalchemy import Connection
from sqlmodel import Session

from service.rules.queue import Urgency
from service.store.database import ask

RECONCILE_TASK = "look"
"""The task's name; its only argument is the subject's key."""
QUEUE = "looks"

# Neither is ever opened: both only write on the connections they are given.
_sync_jobs = JobManager(SyncPsycopgConnector())
_async_jobs = JobManager(PsycopgConnector())


def _jobs(urgencies: Mapping[str, Urgency], at: datetime | None) -> list[Job]:
    return [
        Job(
            id=None,
            queue=QUEUE,
            lock=None,
            queueing_lock=None,
            task_name=RECONCILE_TASK,
            task_kwargs={"key": key},
            scheduled_at=at,
            priority=urgency,
        )
        for key, urgency in urgencies.items()
    ]


def defer_reconciliations(
    session: Session, urgencies: Mapping[str, Urgency], *, at: datetime | None = None
) -> None:
    """Defer a look at each subject, now or at a time, with the session's transaction."""
    if jobs := _jobs(urgencies, at):
        _sync_jobs.batch_defer_jobs(jobs, connection=session.connection().connection.driver_connection)


async def defer_looks_async(
    connection: psycopg.AsyncConnection[Any], urgencies: Mapping[str, Urgency]
) -> None:
    """Defer a look at each subject, with the connection's transaction."""
    if jobs := _jobs(urgencies, None):
        await _async_jobs.batch_defer_jobs_async(jobs, connection=connection)


ELSEWHERE: LiteralString = """
WITH RECURSIVE waiting AS (
    (SELECT installation_id FROM subject WHERE wanted > done AND installation_id IS NOT NULL
     ORDER BY installation_id LIMIT 1)
    UNION ALL
    SELECT (SELECT s.installation_id FROM subject s
            WHERE s.wanted > s.done AND s.installation_id > waiting.installation_id
            ORDER BY s.installation_id LIMIT 1)
    FROM waiting WHERE waiting.installation_id IS NOT NULL
)
SELECT next.key FROM waiting CROSS JOIN LATERAL (
    SELECT s.key, s.urgency, s.touched FROM subject s
    WHERE s.installation_id = waiting.installation_id AND s.wanted > s.done AND s.urgency >= %(urgency)s
    AND (s.not_before IS NULL OR s.not_before <= now())
    ORDER BY s.urgency DESC LIMIT %(most)s
) AS next
WHERE NOT waiting.installation_id = ANY(%(besides)s)
ORDER BY next.urgency DESC, next.touched LIMIT %(most)s
"""
"""Installation by installation through the index of what is dirty, however much of it is of one."""


def waiting_elsewhere(
    connection: Connection, besides: Collection[int], urgency: Urgency, *, most: int
) -> list[str]:
    """Subjects as urgent or more, `besides` those of some installations; some may be under a look already."""
    asked = {"besides": list(besides), "urgency": int(urgency), "most": most}
    return [row.key for row in ask(connection, ELSEWHERE, asked)]
