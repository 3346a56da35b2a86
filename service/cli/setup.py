"""`setup` from its beginning to its end: where the credentials go, and what is said on the way.

Once there is an app, it is installed, looked at, started, asked for, and examined.
"""

from __future__ import annotations

import sys
import time
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeVar

import httpx
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from service.cli import env_file
from service.cli.doctor import PING, Mark, examine, told
from service.cli.environment import unreachable
from service.cli.organisation import Organisation, installed_on
from service.cli.register import Asked, Console, SetupError, checked, register, settings_of
from service.config.app_credentials import AppCredentials
from service.config.secret_key import SecretKeyError
from service.config.settings import SettingsError, StoreSettings, load_store, names_an_app
from service.configured import UnreadableSettingsError, keep_app, stored_app
from service.github_client.app import App
from service.ports import GitHubError
from service.rules.queue import unanswered
from service.rules.values.github import Installation
from service.store.database import connected
from service.store.embedded import DataDirInUse, PostgresFailed, open_database
from service.store.schema import NewerSchemaError, migrate

T = TypeVar("T")

ACCOUNTS = "ALLOWED_ACCOUNTS"


class Into(Protocol):
    """Sets up, and keeps the credentials somewhere; returns whether `doctor` found nothing wrong."""

    def __call__(self, asked: Asked, environment: Mapping[str, str], *, headless: bool) -> bool:
        """Do it; raises `SetupError` or `GitHubError`."""
        ...


def into_file(path: Path, console: Console | None = None) -> Into:
    """Into a file of settings, with which the service is started by hand."""
    console = console or terminal()

    def into(asked: Asked, environment: Mapping[str, str], *, headless: bool) -> bool:
        checked(asked)
        settings: dict[str, str] = {}
        with _reserved(path) as write:

            def keep(app: AppCredentials) -> None:
                settings.update(settings_of(asked, app, environment.get(ACCOUNTS, "")))
                write(app.slug, settings)

            app = register(asked, keep, console, headless=headless)
        console.say(f"Registered {app.slug}. Its settings are in {path}, which only you can read.")
        first_look(asked, app, console, observe=environment.get("MODE") != "enforce")
        loading = env_file.loading(path)
        console.say(f"Start the service with them, for example: {loading}; poc-governor serve")
        return finish(asked, app, {**environment, **settings}, console)

    return into


@contextmanager
def _reserved(path: Path) -> Iterator[Callable[[str, Mapping[str, str]], None]]:
    try:
        with env_file.reserved(path) as out:
            yield lambda slug, settings: _written(lambda: env_file.write(out, slug, settings), path)
    except FileExistsError as error:
        raise SetupError(
            f"{path} is there already, and may hold a key: move it away, or name another with --out"
        ) from error
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from error


def _written(write: Callable[[], None], path: Path) -> None:
    try:
        write()
    except OSError as error:
        raise SetupError(
            f"{path} couldn't be written: {error.strerror}. Delete the app on GitHub, and start again"
        ) from error


def into_database(
    asked: Asked, environment: Mapping[str, str], *, headless: bool, console: Console | None = None
) -> bool:
    """Into the database that the service uses, encrypted; a service that waits there goes on by itself."""
    console = console or terminal()
    checked(asked)
    if names_an_app(environment):
        raise SetupError("an app is configured in the environment: unset its settings, or use them as is")
    try:
        settings = load_store(environment)
    except SettingsError as error:
        raise SetupError("; ".join(error.problems)) from error
    with _engine(settings) as engine:
        migrate(engine)
        if stored_app(settings, engine):
            raise SetupError("an app is stored in this database already: `poc-governor doctor` says which")

    def keep(app: AppCredentials) -> None:
        with _engine(settings) as engine:
            if not keep_app(settings, engine, app):
                raise SetupError("an app was stored in this database meanwhile: delete the one just made")

    app = register(asked, keep, console, headless=headless)
    console.say(f"Registered {app.slug}. Its credentials are stored, encrypted, in the database.")
    first_look(asked, app, console, observe=environment.get("MODE") != "enforce")
    if asked.public:
        console.say(f"Start the service with {ACCOUNTS}={asked.org}, and others with commas between.")
    console.say("A service that waits for its app goes on now. Otherwise start it: poc-governor serve")
    return finish(asked, app, {"PUBLIC_URL": asked.url, **environment}, console)


@contextmanager
def _engine(settings: StoreSettings) -> Iterator[Engine]:
    """The database, for as short as can be: a service may want to start it."""
    try:
        given = settings.database_url
        opened = nullcontext(given) if given else open_database(settings.data_dir, "setup")
        with opened as url, connected(url, pool_size=1) as engine:
            yield engine
    except (DataDirInUse, PostgresFailed, NewerSchemaError, SecretKeyError, UnreadableSettingsError) as error:
        raise SetupError(str(error)) from error
    except SQLAlchemyError as error:
        raise SetupError(unreachable(settings, error)) from error


def terminal() -> Console:
    """The operator's terminal, and browser."""

    def say(text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def browse(url: str) -> bool:
        try:
            return webbrowser.open(url)
        except (webbrowser.Error, OSError):
            return False

    return Console(say, input, browse)


TRIES = 15


def first_look(asked: Asked, credentials: AppCredentials, console: Console, *, observe: bool) -> None:
    """Wait until the app is installed, and say what it finds there."""
    app = App(credentials.app_id, credentials.private_key, credentials.api_url)
    console.say(f"Install it on {asked.org}: {credentials.installing}")
    installation = _eventually(lambda: _installed(app, asked.org), console)
    console.say(f"Installed on {installation.account}. Looking at its repositories …")
    try:
        look = Organisation(app, credentials.app_id, installation).first_look(
            datetime.now(UTC).date(), observe=observe
        )
        console.say(look.says)
    except GitHubError as error:
        console.say(f"We couldn't look at what is there: {error.failure.message}")


def _installed(app: App, org: str) -> Installation | None:
    """The installation; what keeps GitHub from answering now may pass."""
    with suppress(GitHubError):
        return installed_on(app, org)
    return None


def finish(
    asked: Asked, credentials: AppCredentials, environment: Mapping[str, str], console: Console
) -> bool:
    """Wait for the service, have it answer what it missed, and examine all; whether nothing is wrong."""
    url = asked.url.rstrip("/")
    console.say(f"Waiting until {url}/readyz names app {credentials.app_id} …")
    _eventually(lambda: _serves(url, credentials.app_id), console)
    app = App(credentials.app_id, credentials.private_key, credentials.api_url)
    console.say(_caught_up(app, console))
    lines = list(examine(environment))
    for _ in range(TRIES):
        if not any(line.mark is Mark.WRONG for line in lines):
            break
        time.sleep(console.pause)  # a worker that starts has no heartbeat yet
        lines = list(examine(environment))
    return told(lines, console.say) == 0


def _serves(url: str, app_id: int) -> bool | None:
    """Whether the service answers with this app; None while it does not."""
    with suppress(httpx.HTTPError, ValueError):
        answer = httpx.get(f"{url}/readyz", timeout=5, follow_redirects=False)
        said = answer.json()
        if answer.is_success and isinstance(said, dict) and said.get("app") == app_id:
            return True
    return None


def _caught_up(app: App, console: Console) -> str:
    """Have GitHub send again what came while nobody served, its ping first, and say what became of it."""
    asked_for: set[int] = set()
    try:
        for _ in range(TRIES):
            attempts = app.recent_deliveries()
            missing = unanswered([attempt for _, attempt in attempts])
            if not missing and any(event == PING for event, _ in attempts):
                return "The service answered GitHub's ping."
            for attempt in missing:
                if attempt.id not in asked_for:
                    asked_for.add(attempt.id)
                    app.redeliver(attempt.id)
            time.sleep(console.pause)
    except GitHubError as error:
        if error.gone:
            return "This GitHub doesn't tell what became of its ping."
        return f"We couldn't ask GitHub for its ping: {error.failure.message}"
    return "GitHub's ping hasn't been answered yet: see the app's settings, Advanced, Recent deliveries."


def _eventually(look: Callable[[], T | None], console: Console) -> T:
    """What is there once it is there; whoever waits too long presses Ctrl-C."""
    while (found := look()) is None:
        time.sleep(console.pause)
    return found
