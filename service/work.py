"""The worker process: Procrastinate runs the jobs, and is started again whenever it ends by itself."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import procrastinate
import psycopg
import structlog
import uvloop
from procrastinate.exceptions import ProcrastinateException
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from sqlalchemy.exc import SQLAlchemyError

from service.rules.queue import SWEEP_MINUTE
from service.services import Services, Shares
from service.store.connections import USUAL, Share, room, share
from service.store.database import has_input
from service.store.jobs import QUEUE, RECONCILE_TASK
from service.store.schema import migrate
from service.sweep import fetch_missed_deliveries, mark_due
from service.worker import reconcile_fairly, tidy, wake_forgotten

log = structlog.get_logger(__name__)

NICENESS = 5
"""Of a processor that both want, a worker gets a third of the receiver's share. PostgreSQL isn't nice: it
holds the locks."""
GRACE = 20
"""Seconds that looks under way have when the worker is to stop; their calls have 15 at most."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 10.0

UPKEEP = 10
"""The priority of the upkeep: it does not stand in line behind the looks."""
EVERY_TEN_MINUTES = "*/10 * * * *"
EVERY_HOUR = f"{SWEEP_MINUTE} * * * *"
EVERY_NIGHT = "41 3 * * *"


def work(services: Services, database_url: str, connections: int = USUAL) -> None:
    """Run until SIGTERM or SIGINT; databases that come and go only cost time."""
    os.nice(NICENESS)
    # What was imported stays: the garbage collector needn't look through it again.
    gc.collect()
    gc.freeze()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(services, database_url, share(connections)))


def make_app(services: Services, database_url: str, mine: Share) -> procrastinate.App:
    """The tasks: one job, which reconciles a subject, and the upkeep."""
    shares = Shares(mine.looks)
    connector = procrastinate.PsycopgConnector(
        conninfo=database_url, min_size=1, max_size=mine.queue, timeout=10, pool_factory=_pool
    )
    app = procrastinate.App(connector=connector)
    # Settings and rules may be others than those of the process before: the first sweep looks at everything.
    began = datetime.now(UTC)

    @app.task(name=RECONCILE_TASK, queue=QUEUE)
    async def reconciliation(key: str) -> None:
        await asyncio.to_thread(reconcile_fairly, services, key, shares)

    @app.periodic(cron=services.waits.wake)
    @app.task(name="wake", queue="upkeep", priority=UPKEEP)
    def wake(timestamp: int) -> None:  # noqa: ARG001 (Procrastinate names the tick)
        wake_forgotten(services)

    @app.periodic(cron=EVERY_TEN_MINUTES)
    @app.task(name="fetch_missed_deliveries", queue="upkeep", priority=UPKEEP)
    def fetch(timestamp: int) -> None:  # noqa: ARG001 (Procrastinate names the tick)
        fetch_missed_deliveries(services)

    @app.periodic(cron=EVERY_HOUR)
    @app.task(name="sweep", queue="upkeep", priority=UPKEEP)
    def sweep(timestamp: int) -> None:  # noqa: ARG001 (Procrastinate names the tick)
        mark_due(services, began=began)

    @app.periodic(cron=EVERY_NIGHT)
    @app.task(name="tidy", queue="upkeep", priority=UPKEEP)
    def clean(timestamp: int) -> None:  # noqa: ARG001 (Procrastinate names the tick)
        tidy(services)
        while services.store.purge.portion(services.clock()):
            """Another portion of what installations left behind."""

    return app


def _pool(**asked: Any) -> AsyncConnectionPool[psycopg.AsyncConnection[Any]]:  # noqa: ANN401 (the pool's own)
    """Procrastinate's pool: it asks one statement at a time, which need no transaction around them, and a
    connection is asked whether it is alive only where PostgreSQL has said something.
    """
    return AsyncConnectionPool(**asked | {"configure": _configure, "check": _check})


async def _configure(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.set_autocommit(True)


async def _check(connection: psycopg.AsyncConnection[Any]) -> None:
    if has_input(connection):
        await AsyncConnectionPool.check_connection(connection)


async def _work(services: Services, database_url: str, mine: Share) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    # Looks block in threads; asyncio's own pool has six of them on two cores.
    loop.set_default_executor(ThreadPoolExecutor(mine.looks + 2))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    stopped = asyncio.create_task(stop.wait())
    wait = FIRST_WAIT
    while not stop.is_set():
        began = loop.time()
        worker = asyncio.create_task(_run_once(services, database_url, mine))
        await asyncio.wait({worker, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            await _stop(worker)
            return
        error = worker.exception()
        wait = FIRST_WAIT if loop.time() - began > LONGEST_WAIT else min(2 * wait, LONGEST_WAIT)
        log.warning("worker ended, starting again", error=str(error or "without one"), wait=wait)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stop.wait(), wait)


async def _run_once(services: Services, database_url: str, mine: Share) -> None:
    """Run a worker until it ends: by being cancelled, or because the database went away."""
    try:
        await asyncio.to_thread(migrate, services.engine)
        if lacking := (await asyncio.to_thread(room, services.engine)).lacking(mine.connections):
            log.warning("too few connections", reason=lacking)
        async with make_app(services, database_url, mine).open_async() as app:
            # Whoever looked at them when this worker or its database went away doesn't any more. One that
            # another worker looks at gets a job too many, which finds it locked or clean.
            await asyncio.to_thread(wake_forgotten, services, timedelta())
            log.info("working", concurrency=mine.looks, connections=mine.connections)
            await app.run_worker_async(
                concurrency=mine.looks,
                fetch_job_polling_interval=services.waits.poll,
                delete_jobs="always",
                install_signal_handlers=False,
                shutdown_graceful_timeout=GRACE,
                update_heartbeat_interval=10,
            )
    except (psycopg.Error, PoolTimeout, SQLAlchemyError, ProcrastinateException, OSError) as error:
        log.warning("worker lost the database", error=str(error))


async def _stop(worker: asyncio.Task[None]) -> None:
    log.info("stopping", grace_seconds=GRACE)
    worker.cancel()
    with suppress(asyncio.CancelledError):
        await worker
