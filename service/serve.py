"""`serve`: the web, and beside it a worker and the embedded database, each started again when it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress

import structlog
import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from service.parent import SUPERVISED, end_with_parent
from service.settings import Settings
from service.store.database import connect
from service.store.embedded import EmbeddedPostgres, PostgresFailed
from service.store.schema import NewerSchemaError, migrate
from service.web.app import create_app
from service.web.health import MULTIPROCESS
from service.wiring import build_inbox
from service.work import GRACE

log = structlog.get_logger(__name__)

FIRST_WAIT, LONGEST_WAIT, HEALTHY = 0.5, 30.0, 60.0
"""Seconds: a process that ran for `HEALTHY` starts again after `FIRST_WAIT`, others wait twice as long."""


def serve(settings: Settings, *, with_worker: bool) -> None:
    """Serve until SIGTERM or SIGINT; raises `DataDirInUse` where another process serves from DATA_DIR."""
    # Uvicorn stops at a signal and raises it again: PostgreSQL is to end in order too.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    postgres = None if settings.database_url else EmbeddedPostgres(settings.data_dir, "serve")
    url = postgres.start() if postgres else settings.database_url
    try:
        _run(settings, url, postgres, with_worker=with_worker)
    finally:
        if postgres:
            postgres.stop()


def _run(settings: Settings, url: str, postgres: EmbeddedPostgres | None, *, with_worker: bool) -> None:
    engine = connect(url, pool_size=3)

    @asynccontextmanager
    async def beside() -> AsyncIterator[None]:
        keepers: list[Awaitable[None]] = [_migrated(lambda: migrate(engine))]
        if postgres:
            keepers.append(_keep_postgres(postgres))
        if with_worker:
            keepers.append(_keep_worker(url))
        tasks = [asyncio.ensure_future(keeper) for keeper in keepers]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    with tempfile.TemporaryDirectory(prefix="poc-governor-metrics-") as metrics:
        os.environ.setdefault(MULTIPROCESS, metrics)
        app = create_app(
            build_inbox(url), engine, webhook_secret=settings.github_webhook_secret, beside=beside
        )
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=10,
        )
        end_with_parent(lambda: os.kill(os.getpid(), signal.SIGTERM))
        log.info("serving", address=f"http://{settings.host}:{settings.port}", worker=with_worker)
        uvicorn.Server(config).run()


async def _migrated(migrate_now: Callable[[], None]) -> None:
    """Bring the database up to date as soon as it answers; until then /readyz says 503."""
    wait = FIRST_WAIT
    while True:
        try:
            await asyncio.to_thread(migrate_now)
        except SQLAlchemyError as error:
            log.warning("database not reachable, trying again", error=str(error), wait=wait)
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)
        except NewerSchemaError as error:
            log.error("migrations refused", error=str(error))  # noqa: TRY400 (it is its own explanation)
            return
        else:
            return


async def _keep_postgres(postgres: EmbeddedPostgres) -> None:
    wait = FIRST_WAIT
    while True:
        await asyncio.sleep(FIRST_WAIT)
        if (code := postgres.poll()) is None:
            wait = FIRST_WAIT
            continue
        log.error("PostgreSQL ended, starting it again", code=code, wait=wait)
        await asyncio.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT)
        try:
            await asyncio.to_thread(postgres.restart)
        except PostgresFailed as error:
            log.error("PostgreSQL does not start", error=str(error))  # noqa: TRY400 (it is its own explanation)


async def _keep_worker(url: str) -> None:
    loop, wait = asyncio.get_running_loop(), FIRST_WAIT
    environment: Mapping[str, str] = os.environ | {"DATABASE_URL": url, SUPERVISED: "1"}
    while True:
        began = loop.time()
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "service.cli", "work", env=environment, stdin=asyncio.subprocess.PIPE
        )
        try:
            code = await worker.wait()
        except asyncio.CancelledError:
            await _end(worker)
            raise
        wait = FIRST_WAIT if loop.time() - began > HEALTHY else min(2 * wait, LONGEST_WAIT)
        log.error("worker ended, starting it again", code=code, wait=wait)
        await asyncio.sleep(wait)


async def _end(worker: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        worker.terminate()
    try:
        await asyncio.wait_for(worker.wait(), GRACE + 5)
    except TimeoutError:
        worker.kill()
        await worker.wait()
