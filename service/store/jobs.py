"""Durable wake-ups: a job that says "look at this subject", deferred in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import psycopg
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from procrastinate.psycopg_connector import PsycopgConnector
from procrastinate.sync_psycopg_connector import SyncPsycopgConnector
from sqlmodel import Session

from service.rules.queue import Urgency

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
