"""`receive`: a process of the web, which receives deliveries and shows pages."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

import structlog
import uvicorn
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.routing import Route

from service.config.settings import NOT_PRIVATE, ServiceSettings, Settings
from service.configured import complete, made_keys
from service.deliveries.routes import route
from service.inbox import Inbox, Trust
from service.logs import configure
from service.parent import end_with_parent
from service.ports import GitHubApp
from service.rules.policy.model import Mode
from service.store.app_credentials import SetupPasses
from service.store.connections import ASKING, WEB, room
from service.store.database import Database, connect
from service.store.installations import Installations
from service.store.portfolio import Portfolio
from service.store.schema import NewerSchemaError, migrate
from service.web.app import create_app, security_headers
from service.web.badge import Badges
from service.web.bodies import USUAL_LIMITS, Bodies, Limits
from service.web.connection import options
from service.web.evidence import EvidenceEndpoint
from service.web.health import note_first
from service.web.oidc import Verifier
from service.web.pages import Pages, Shown
from service.web.sessions import Closed, OpenHere
from service.web.setup import Around, Examine, SetupDone

log = structlog.get_logger(__name__)

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds between two attempts to reach the database."""


@dataclass(frozen=True, slots=True)
class Site:
    """What all processes of one `serve` are given."""

    settings: ServiceSettings
    url: str
    """The database's."""
    listening: socket.socket
    with_worker: bool
    examine: Examine | None = None
    limits: Limits = USUAL_LIMITS

    @property
    def connections(self) -> int:
        """How many of the database's they take together, at most."""
        worker = self.settings.database_connections if self.with_worker else 0
        return WEB * self.settings.web_processes + worker

    def begin(self) -> None:
        """What each process does first; one that isn't a fork has no log yet."""
        configure(self.settings.log_format)
        end_with_parent()

    def complete(self) -> Settings:
        """The settings, with the app that is stored where the environment names none."""
        if isinstance(self.settings, Settings):
            return self.settings
        found = complete(os.environ, self.settings, self.url, wait=True)
        assert found is not None
        return found


def receive(site: Site, *, is_first: bool) -> None:
    """Accept until SIGTERM or SIGINT; the first process of the web also migrates the database."""
    site.begin()
    settings, url = site.complete(), site.url
    engine = connect(url, pool_size=ASKING)

    @asynccontextmanager
    async def beside() -> AsyncIterator[None]:
        parts: list[Awaitable[None]] = []
        if is_first:
            note_first()
            parts.append(_migrated(lambda: migrate(engine), lambda: room(engine).lacking(site.connections)))
            if settings is not site.settings:
                parts.append(_ask_for_missed(settings))
        tasks = [asyncio.ensure_future(part) for part in parts]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await close_pages()

    inbox, bodies = Inbox(url, route), Bodies(site.limits)
    pages, close_pages = _pages(settings, engine)
    app = create_app(
        inbox,
        engine,
        webhook_secret=settings.github_webhook_secret,
        webhook_secret_previous=settings.github_webhook_secret_previous,
        evidence=_evidence(inbox, settings, bodies),
        bodies=bodies,
        pages=[*pages, *_setup_done(settings, engine, site.examine)],
        app_id=settings.github_app_id,
        beside=beside,
        metrics_token=settings.metrics_token,
    )
    server = uvicorn.Server(uvicorn.Config(app, **_options(settings, site.limits)))
    # What was made until now stays: looking through it again takes the garbage collector 50 ms each time.
    gc.collect()
    gc.freeze()
    server.run([site.listening])


def set_up(site: Site) -> None:
    """Serve /setup until there is an app."""
    site.begin()
    from service.first_start import until_configured  # noqa: PLC0415 (its libraries take up memory)

    around = _options(site.settings, site.limits)
    until_configured(os.environ, site.settings, site.url, site.listening, options=around)


async def _ask_for_missed(settings: Settings) -> None:
    from service.first_start import ask_for_missed  # noqa: PLC0415

    await ask_for_missed(settings)


def _options(settings: ServiceSettings, limits: Limits) -> dict[str, Any]:
    """Uvicorn's, of what people and GitHub are answered with."""
    headers = security_headers(settings.public_url, settings.github_url)
    return options(limits.seconds, settings.trusted_proxies) | {"headers": headers}


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
