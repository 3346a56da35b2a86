"""The first start: /setup is served until it has registered an app, and then makes way without a restart."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from service.config.app_credentials import AppCredentials
from service.config.secret_key import SecretKeyError
from service.config.settings import NOT_PRIVATE, ServiceSettings, Settings, SettingsError, load
from service.configured import ASKED_EVERY, UnreadableSettingsError, encrypt_anew, keep_app, with_stored_app
from service.github_client.app import App
from service.github_client.registration import take_over, version_of
from service.packaged import app_manifest
from service.ports import GitHubError
from service.rules.queue import unanswered
from service.rules.setup.manifest import PUBLIC_API, Registration, api_of, form_address, manifest
from service.store.app_credentials import Pass, SetupPasses
from service.store.connections import ASKING
from service.store.database import Database, connect
from service.store.schema import NewerSchemaError, migrate
from service.web.app import create_setup_app
from service.web.setup import GOOD_FOR, Around, RegistrarError, SetupPages

log = structlog.get_logger(__name__)

TOKEN_FILE = "setup-token"  # noqa: S105 (its name)
TRIES, PAUSE = 12, 5.0
"""GitHub lists a delivery some seconds after it, and people take their time to install the app."""


class FirstStart:
    """The state of a service that has no app yet."""

    def __init__(self, environment: Mapping[str, str], settings: ServiceSettings, engine: Engine) -> None:
        self.found: Settings | None = None
        self.wrong = ""
        """Why it can't go on, although an app is stored."""
        self._environment, self._settings, self._engine = environment, settings, engine
        self._looked, self._kept = "", asyncio.Event()
        self._token_ends = datetime.min.replace(tzinfo=UTC)
        self.passes = SetupPasses(Database(engine))
        closed = "" if settings.is_private else NOT_PRIVATE
        around = Around(settings.public_url, lambda: datetime.now(UTC), self._kept.set, closed)
        self.pages = SetupPages(self.passes, Registering(settings, engine), around)

    async def unready(self) -> str | None:
        """Why the database can't be used; None where it can."""
        return self._looked or None

    async def look(self) -> None:
        """Look for an app until there is one; a database that is away only costs time."""
        self._looked = "the database hasn't answered yet"
        while not self.found and not self.wrong:
            try:
                await asyncio.to_thread(self._look_once)
                self._looked = ""
            except SQLAlchemyError as error:
                self._looked = "the database doesn't answer"
                log.warning("database not reachable, trying again", error=str(error))
            except (NewerSchemaError, SecretKeyError, UnreadableSettingsError) as error:
                self.wrong = str(error)
            except SettingsError as error:
                self.wrong = "; ".join(error.problems)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._kept.wait(), ASKED_EVERY)
            self._kept.clear()

    def _look_once(self) -> None:
        if self._looked:
            migrate(self._engine)
        self.found = with_stored_app(self._environment, self._settings, self._engine)
        if self.found and encrypt_anew(self._settings, self._engine):
            log.info("stored app encrypted with the new key")
        now = datetime.now(UTC)
        if self.found is None and now >= self._token_ends:
            self._token_ends = now + GOOD_FOR
            self._issue(secrets.token_urlsafe(32), self._token_ends)

    def _issue(self, token: str, ends_at: datetime) -> None:
        """Let whoever reads the file or the terminal set the app up; the token is in no log."""
        if not self._settings.is_private:
            log.warning(
                "no app yet, and /setup is closed", reason=f"it is open over https only, and {NOT_PRIVATE}"
            )
            return
        self.passes.issue(token, Pass.TOKEN, ends_at)
        file = self._settings.data_dir / TOKEN_FILE
        where = f"{self._settings.public_url}/setup"
        try:
            write_token(file, token)
            log.info(
                "no app yet: set it up", address=where, token_in=str(file), good_until=ends_at.isoformat()
            )
        except OSError as error:
            log.warning("no app yet, and no token to set it up", file=str(file), error=error.strerror)
        if sys.stderr.isatty():
            sys.stderr.write(f"\n  Open {where}\n  Token, good once and for an hour: {token}\n\n")

    def over(self) -> None:
        """Nobody is let in any more."""
        with suppress(OSError):
            (self._settings.data_dir / TOKEN_FILE).unlink(missing_ok=True)


def write_token(file: Path, token: str) -> None:
    """Write it for its owner only, whatever stood there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as out:
        out.write(f"{token}\n")


def until_configured(
    environment: Mapping[str, str],
    settings: ServiceSettings,
    database_url: str,
    listening: socket.socket,
    options: Mapping[str, Any],
) -> None:
    """Serve /setup on the socket until an app is stored, by anybody; else ends the process."""
    engine = connect(database_url, pool_size=ASKING)
    start = FirstStart(environment, settings, engine)
    asyncio.run(_serve(start, listening, options))
    engine.dispose()
    start.over()
    if start.wrong:
        log.error("the stored app can't be used", reason=start.wrong)
        sys.exit(2)
    if start.found is None:
        sys.exit(1)


async def _serve(start: FirstStart, listening: socket.socket, options: Mapping[str, Any]) -> None:

    @asynccontextmanager
    async def beside() -> AsyncIterator[None]:
        looking = asyncio.create_task(look())
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    async def look() -> None:
        await start.look()
        server.should_exit = True

    app = create_setup_app(start.pages.routes(), start.unready, beside)
    server = uvicorn.Server(uvicorn.Config(app, **options))
    await server.serve([listening])


async def ask_for_missed(settings: Settings) -> None:
    """Have GitHub send again what came before there was anybody to answer it: its ping, an installation."""
    app = App(settings.github_app_id, settings.github_app_private_key, settings.github_api_url)
    asked: set[int] = set()
    for _ in range(TRIES):
        try:
            attempts = await asyncio.to_thread(app.recent_deliveries)
            for attempt in unanswered([attempt for _, attempt in attempts]):
                if attempt.id not in asked:
                    asked.add(attempt.id)
                    await asyncio.to_thread(app.redeliver, attempt.id)
        except GitHubError as error:
            if error.gone:
                return  # a server without that list
            log.warning("missed deliveries not asked for", reason=error.failure.message)
        await asyncio.sleep(PAUSE)


log = structlog.get_logger(__name__)


class Registering:
    """Registers with GitHub, and keeps the credentials in the database."""

    def __init__(self, settings: ServiceSettings, engine: Engine) -> None:
        self._settings, self._engine = settings, engine
        default = settings.github_api_url == PUBLIC_API
        self._api_url = api_of(settings.github_url) if default else settings.github_api_url

    def form(self, org: str, state: str) -> tuple[str, Mapping[str, Any]]:
        """Where the browser posts the manifest to, and the manifest."""
        if not org.replace("-", "").replace("_", "").isalnum() or not org.isascii():
            raise RegistrarError("Name the organisation by its login, like acme.")
        server = None
        if self._api_url != PUBLIC_API:
            with suppress(GitHubError):  # one that doesn't tell is taken for up to date
                server = version_of(self._api_url)
        asked = Registration(org, self._settings.public_url, server=server)
        return form_address(self._settings.github_url, org, state), manifest(app_manifest(), asked)

    def take_over(self, code: str) -> AppCredentials:
        """Exchange the code for the app's credentials, and keep them."""
        try:
            return self._kept(take_over(self._api_url, self._settings.github_url, code))
        except GitHubError as error:
            raise RegistrarError(f"{error.failure.message}.") from error

    def adopt(self, given: Mapping[str, str]) -> AppCredentials:
        """Keep the credentials of an app that exists, if GitHub accepts its key."""
        named = {
            "GITHUB_APP_ID": given["app_id"],
            "GITHUB_APP_PRIVATE_KEY": given["private_key"],
            "GITHUB_WEBHOOK_SECRET": given["webhook_secret"],
            "PUBLIC_URL": self._settings.public_url,
        }
        try:
            read = load(named)
            app = App(read.github_app_id, read.github_app_private_key, self._api_url).registered()
        except SettingsError as error:
            raise RegistrarError(" ".join(error.problems)) from error
        except GitHubError as error:
            raise RegistrarError(
                f"GitHub doesn't accept this key and id: {error.failure.message}."
            ) from error
        return self._kept(
            AppCredentials(
                read.github_app_id,
                app.slug,
                app.html_url,
                self._settings.github_url,
                self._api_url,
                app.client_id,
                read.github_app_private_key,
                read.github_webhook_secret,
                given["client_secret"],
            )
        )

    def _kept(self, app: AppCredentials) -> AppCredentials:
        try:
            kept = keep_app(self._settings, self._engine, app)
        except (SecretKeyError, SQLAlchemyError) as error:
            reason = str(getattr(error, "orig", error)).splitlines()[0]
            raise RegistrarError(
                f"{app.slug} wasn't stored: {reason}. If it was registered just now, delete it again: "
                f"{app.html_url}."
            ) from error
        if not kept:
            raise RegistrarError("This service already has an app: somebody was faster.")
        log.info("app stored", app=app.slug, app_id=app.app_id)
        return app
