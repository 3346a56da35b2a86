"""`serve`: the web, and beside it a worker, the embedded database and more processes of the web.

Each of them is started again when it ends. All processes of the web accept from one listening socket.
Over 300 lines: who starts and who ends whom is one thing.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

import structlog
import uvicorn
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.routing import Route

from service.configured import complete, made_keys
from service.deliveries.routes import route
from service.inbox import Inbox, Trust
from service.parent import SUPERVISED, end_with_parent
from service.ports import GitHubApp
from service.settings import NOT_PRIVATE, Mode, ServiceSettings, Settings
from service.store.app_credentials import SetupPasses
from service.store.connections import ASKING, WEB, room
from service.store.database import Database, connect
from service.store.embedded import EmbeddedPostgres, PostgresFailed
from service.store.installations import Installations
from service.store.portfolio import Portfolio
from service.store.schema import NewerSchemaError, migrate
from service.web.app import create_app, security_headers
from service.web.badge import Badges
from service.web.bodies import USUAL_LIMITS, Bodies, Limits
from service.web.connection import Connection
from service.web.evidence import EvidenceEndpoint
from service.web.oidc import Verifier
from service.web.pages import Pages, Shown
from service.web.setup import Around
from service.web.setup_done import Examine, SetupDone
from service.web.visitors import Closed, OpenHere

log = structlog.get_logger(__name__)

FIRST_WAIT, LONGEST_WAIT, HEALTHY = 0.5, 30.0, 60.0
"""Seconds: a process that ran for `HEALTHY` starts again after `FIRST_WAIT`, others wait twice as long."""
GRACE = 25
"""Seconds that a process has to end in order: a worker finishes what is under way, which takes 20 at most."""
BACKLOG = 2048
PROGRAM = "service.cli.app"
"""The module whose commands the further processes run."""
LISTENING = "POC_GOVERNOR_LISTENING"
"""Set for a further process of the web: the descriptor of the socket that it is to accept from."""


def serve(
    settings: ServiceSettings,
    *,
    with_worker: bool,
    program: str = PROGRAM,
    limits: Limits = USUAL_LIMITS,
    examine: Examine | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; raises `DataDirInUse` where another process serves from DATA_DIR."""
    # Uvicorn stops at a signal and raises it again: PostgreSQL is to end in order too.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    postgres = None if settings.database_url else EmbeddedPostgres(settings.data_dir, "serve")
    url = postgres.start() if postgres else settings.database_url
    try:
        _run(
            settings,
            url,
            postgres,
            with_worker=with_worker,
            program=program,
            limits=limits,
            examine=examine,
        )
    finally:
        if postgres:
            postgres.stop()


def _run(
    given: ServiceSettings,
    url: str,
    postgres: EmbeddedPostgres | None,
    *,
    with_worker: bool,
    program: str,
    limits: Limits,
    examine: Examine | None,
) -> None:
    is_further = LISTENING in os.environ
    listening = socket.socket(fileno=int(os.environ[LISTENING])) if is_further else _listen(given)
    settings = _with_app(given, url, postgres, listening, limits)
    engine = connect(url, pool_size=ASKING)

    @asynccontextmanager
    async def beside() -> AsyncIterator[None]:
        keepers: list[Awaitable[None]] = []
        if not is_further:
            wanted = WEB * settings.web_processes + (settings.database_connections if with_worker else 0)
            keepers.append(_migrated(lambda: migrate(engine), lambda: room(engine).lacking(wanted)))
            web = settings.web_processes - 1
            keepers += [_keep_web(program, url, listening, is_stopping) for _ in range(web)]
            if settings is not given:
                keepers.append(_ask_for_missed(settings))
        if postgres:
            keepers.append(_keep_postgres(postgres))
        if with_worker:
            keepers.append(_keep("worker", [program, "work"], {"DATABASE_URL": url}, is_stopping))
        tasks = [asyncio.ensure_future(keeper) for keeper in keepers]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await close_pages()

    inbox, bodies = Inbox(url, route), Bodies(limits)
    pages, close_pages = _pages(settings, engine)
    app = create_app(
        inbox,
        engine,
        webhook_secret=settings.github_webhook_secret,
        webhook_secret_previous=settings.github_webhook_secret_previous,
        evidence=_evidence(inbox, settings, bodies),
        bodies=bodies,
        pages=[*pages, *_setup_done(settings, engine, examine)],
        app_id=settings.github_app_id,
        beside=beside,
        metrics_token=settings.metrics_token,
    )
    server = uvicorn.Server(uvicorn.Config(app, **_options(settings, limits)))

    def is_stopping() -> bool:
        return server.should_exit

    if is_further:
        end_with_parent(lambda: os._exit(1))  # as a killed process would: the port must be free at once
    else:
        end_with_parent(lambda: os.kill(os.getpid(), signal.SIGTERM))
        host, port = listening.getsockname()[:2]
        log.info("serving", address=f"http://{host}:{port}", worker=with_worker)
    # What was imported stays: looking through it again takes the garbage collector 50 ms each time.
    gc.collect()
    gc.freeze()
    server.run([listening])


def _with_app(
    given: ServiceSettings,
    url: str,
    postgres: EmbeddedPostgres | None,
    listening: socket.socket,
    limits: Limits,
) -> Settings:
    """The settings with the app, once there is one; until then this process serves /setup."""
    if isinstance(given, Settings):
        return given
    if LISTENING in os.environ:
        end_with_parent(lambda: os._exit(1))
        found = complete(os.environ, given, url, wait=True)
        assert found is not None
        return found
    # Its libraries take up memory in each process.
    from service.first_start import until_configured  # noqa: PLC0415

    keepers = [partial(_keep_postgres, postgres)] if postgres else []
    options = _options(given, limits)
    return until_configured(os.environ, given, url, listening, keepers=keepers, options=options)


async def _ask_for_missed(settings: Settings) -> None:
    from service.first_start import ask_for_missed  # noqa: PLC0415

    await ask_for_missed(settings)


def _options(settings: ServiceSettings, limits: Limits) -> dict[str, Any]:
    """Uvicorn's, of whatever is served."""
    return {
        "http": Connection.within(limits.seconds),
        "headers": security_headers(settings.public_url, settings.github_url),
        "forwarded_allow_ips": settings.trusted_proxies,
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": 10,
    }


def _setup_done(settings: Settings, engine: Engine, examine: Examine | None) -> Sequence[Route]:
    around = Around(settings.public_url, lambda: datetime.now(UTC), lambda: None)
    return SetupDone(SetupPasses(Database(engine)), around, examine).routes()


def _evidence(inbox: Inbox, settings: Settings, bodies: Bodies) -> EvidenceEndpoint:
    issuer = settings.actions_issuer
    trust = Trust(issuer, audience=settings.public_url, web_url=settings.github_url)
    return EvidenceEndpoint(inbox, Verifier(issuer), trust, bodies)


def _pages(settings: Settings, engine: Engine) -> tuple[list[Route], Callable[[], Awaitable[None]]]:
    """The routes of the pages, and what is to be closed with them."""
    database = Database(engine)
    shown = Shown(
        settings.github_url,
        None if settings.mode is None else settings.mode is Mode.OBSERVE,
        settings.evidence_level,
        lambda: datetime.now(UTC),
    )
    if not settings.can_log_in:
        access = OpenHere() if settings.pages_are_open else Closed(_why_off(settings))
        return Pages(Portfolio(database), access, shown).routes(), _nothing
    # Only where somebody logs in: its libraries take up memory in each process.
    from service.web.login_parts import Registered, login_parts  # noqa: PLC0415
    from service.web.readers import Organisations  # noqa: PLC0415

    keys = made_keys(settings)
    app = Registered(
        client_id=settings.github_client_id,
        client_secret=settings.github_client_secret,
        keys=keys,
        public_url=settings.public_url,
        web_url=settings.github_url,
        api_url=settings.github_api_url,
    )
    asking = cache(partial(_github_app, settings))
    organisations = Organisations(Portfolio(database), Installations(database), asking, settings.serves)
    parts = login_parts(app, database, shown.clock, organisations=organisations)
    badges = Badges(Portfolio(database), settings.public_url, keys)
    pages = Pages(Portfolio(database), parts.access, shown, badges)
    return pages.routes() + parts.routes, parts.visibility.close


def _github_app(settings: Settings) -> GitHubApp:
    from service.github_client.app import App  # noqa: PLC0415 (its library takes up memory in each process)

    return App(settings.github_app_id, settings.github_app_private_key, settings.github_api_url)


async def _nothing() -> None:
    """Nothing is to be closed."""


def _why_off(settings: Settings) -> str:
    if settings.github_client_id:
        return f"people log in over https only, and {NOT_PRIVATE}"
    return (
        "`GITHUB_CLIENT_ID` and `GITHUB_CLIENT_SECRET` are not set, so nobody can log in. Both are on the "
        "app's settings page."
    )


def _listen(settings: ServiceSettings) -> socket.socket:
    address = (settings.host, settings.port)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server(address, family=family, backlog=BACKLOG)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        log.error("cannot listen", address=address, error=reason)  # noqa: TRY400 (it is its own explanation)
        sys.exit(1)


async def _migrated(migrate_now: Callable[[], None], lacking: Callable[[], str]) -> None:
    """Bring the database up to date as soon as it answers; until then /readyz says 503.

    Then say where it has no room for the connections that these processes may take.
    """
    wait = FIRST_WAIT
    while True:
        try:
            await asyncio.to_thread(migrate_now)
            if reason := await asyncio.to_thread(lacking):
                log.warning("too few connections", reason=reason)
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


async def _keep_web(
    program: str, url: str, listening: socket.socket, is_stopping: Callable[[], bool]
) -> None:
    environment = {"DATABASE_URL": url, LISTENING: str(listening.fileno())}
    await _keep("web", [program, "serve", "--no-worker"], environment, is_stopping, [listening.fileno()])


async def _keep(
    name: str,
    command: Sequence[str],
    environment: dict[str, str],
    is_stopping: Callable[[], bool],
    descriptors: Collection[int] = (),
) -> None:
    """Run a command of ours, again whenever it ends, until cancelled."""
    loop, wait = asyncio.get_running_loop(), FIRST_WAIT
    while True:
        began = loop.time()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *command,
            env=os.environ | environment | {SUPERVISED: "1"},
            stdin=asyncio.subprocess.PIPE,
            pass_fds=descriptors,
        )
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            await _end(process)
            raise
        if is_stopping():  # by Ctrl-C, which it got as well
            return
        wait = FIRST_WAIT if loop.time() - began > HEALTHY else min(2 * wait, LONGEST_WAIT)
        log.error("ended, starting it again", process=name, code=code, wait=wait)
        await asyncio.sleep(wait)


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), GRACE)
    except TimeoutError:
        process.kill()
        await process.wait()
