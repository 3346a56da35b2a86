"""What a command finds: settings, the stored app, the database; where it can't, it ends and says why."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NoReturn, TypeVar
from urllib.parse import urlsplit

import typer

if TYPE_CHECKING:
    from service.config.settings import ServiceSettings, Settings, StoreSettings

S = TypeVar("S")
UNUSABLE = 2
COUNTERS = "PROMETHEUS_MULTIPROC_DIR"
NO_APP = "no app is configured: run `poc-governor setup`, or open /setup of the service"


def with_or_without_app(overrides: dict[str, str] | None = None) -> ServiceSettings:
    """The settings, with all of the app where anything of one is in the environment."""
    from service.config.settings import load, load_service, names_an_app
    from service.logs import configure

    environment = os.environ | (overrides or {})
    if names_an_app(environment):
        settings: ServiceSettings = loaded(load, overrides)
    else:
        settings = loaded(load_service, overrides, also=(no_app(),))
    configure(settings.log_format)
    return settings


def loaded(
    load: Callable[[Mapping[str, str]], S],
    overrides: dict[str, str] | None = None,
    *,
    also: Sequence[str] = (),
) -> S:
    """The settings that a loader reads; `also` is said where it can't."""
    from service.config.settings import SettingsError

    try:
        return load(os.environ | (overrides or {}))
    except SettingsError as error:
        refuse_each([*error.problems, *also])


def completed(given: ServiceSettings, database_url: str, *, wait: bool = False) -> Settings:
    """The same with the app that is stored, where the environment names none."""
    from service.config.settings import Settings, SettingsError
    from service.configured import UnreadableSettingsError, complete

    if isinstance(given, Settings):
        return given
    try:
        found = complete(os.environ, given, database_url, wait=wait)
    except SettingsError as error:
        refuse_each(error.problems)
    except UnreadableSettingsError as error:
        refuse(str(error))
    return found or refuse(no_app())


def no_app() -> str:
    """What is said where there is no app: how to load the settings that name one, or how to get one."""
    from service.cli.env_file import loading

    file = Path(".env")
    with suppress(OSError):
        if b"GITHUB_APP_ID=" in file.read_bytes():
            return f"no app is configured, though ./{file} names one: load it with `{loading(file)}`"
    return NO_APP


def has_app(given: ServiceSettings) -> bool:
    """Whether the environment names the app."""
    from service.config.settings import Settings

    return isinstance(given, Settings)


@contextmanager
def counting_in_files() -> Iterator[None]:
    """All processes of `serve` count in one folder: prometheus_client reads its name when it is imported."""
    if COUNTERS in os.environ:
        yield
        return
    with TemporaryDirectory(prefix="poc-governor-metrics-") as folder:
        os.environ[COUNTERS] = folder
        yield


@contextmanager
def opened_database(settings: StoreSettings, command: str, *, may_make: bool = False) -> Iterator[str]:
    """The address of the database; where it cannot be used, the command ends and says why."""
    from service.store.embedded import DataDirInUse, PostgresFailed, has_database, open_database
    from service.store.schema import NewerSchemaError

    given = settings.database_url
    try:
        if not (given or may_make or has_database(settings.data_dir)):
            refuse(
                f"there is no database in DATA_DIR {settings.data_dir}: `serve` makes it at its first start. "
                "If the service runs, give this command its settings"
            )
        with (
            nullcontext(given) if given else open_database(settings.data_dir, command) as url,
            _answering(settings),
        ):
            yield url
    except (DataDirInUse, PostgresFailed, NewerSchemaError) as error:
        refuse(str(error))


@contextmanager
def _answering(settings: StoreSettings) -> Iterator[None]:
    """End, and say so, where the database doesn't answer."""
    import psycopg
    from sqlalchemy.exc import OperationalError

    try:
        yield
    except (OperationalError, psycopg.OperationalError) as error:
        refuse(unreachable(settings, error))


def unreachable(settings: StoreSettings, error: Exception) -> str:
    """What is said of a database that doesn't answer; its password isn't."""
    reason = str(getattr(error, "orig", error)).splitlines()[0]
    remedy = "start it, or fix DATABASE_URL" if settings.database_url else "see postgresql.log there"
    return f"{database_of(settings)} isn't reachable ({reason}): {remedy}"


def database_of(settings: StoreSettings) -> str:
    """Which database it is, in words."""
    if not settings.database_url:
        return f"the embedded PostgreSQL in {settings.data_dir}"
    parts = urlsplit(settings.database_url)
    return f"PostgreSQL at {parts.hostname or 'its socket'}{parts.path}"


@contextmanager
def database_to_itself(settings: StoreSettings, command: str) -> Iterator[str]:
    """The same for a command that may share the embedded server with no other process."""
    if settings.database_url:
        with _answering(settings):
            yield settings.database_url
        return
    with embedded_to_itself(settings.data_dir, command) as url:
        yield url


@contextmanager
def embedded_to_itself(data_dir: Path, command: str) -> Iterator[str]:
    """The embedded one, whatever DATABASE_URL says."""
    from service.store.embedded import DataDirInUse, EmbeddedPostgres, PostgresFailed

    postgres = EmbeddedPostgres(data_dir, command)
    try:
        url = postgres.start()
    except (DataDirInUse, PostgresFailed) as error:
        refuse(str(error))
    try:
        yield url
    finally:
        postgres.stop()


def refuse_each(problems: Sequence[str]) -> NoReturn:
    """End with a line for each thing that is wrong."""
    for problem in problems:
        typer.echo(f"poc-governor: {problem}", err=True)
    raise typer.Exit(UNUSABLE)


def refuse(reason: str) -> NoReturn:
    """End, and say why."""
    typer.echo(f"poc-governor: {reason}", err=True)
    raise typer.Exit(UNUSABLE)
