"""PostgreSQL for the tests: one server for the process, and copies of a migrated database in it."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from sqlalchemy import Dialect, Engine

from service.store.database import connect
from service.store.embedded import EmbeddedPostgres
from service.store.schema import migrate

IN_A_HURRY = ("fsync", "full_page_writes")
"""What protects data from a power cut, which no test survives anyway. Commits still outlive a kill -9:
`synchronous_commit` stays on. Only this server is changed, neither the product nor a test's own cluster."""


def share_compiled(engine: Engine) -> None:
    """Let an engine find the statements that engines before it compiled.

    Every test has an engine of its own, and compiling takes longer than asking.
    """
    if not _shared:
        engine.connect().close()  # the first connection tells the dialect what the server can do
        _shared.append((engine.dialect, {}))
    engine.dialect, compiled = _shared[0]
    engine.update_execution_options(compiled_cache=compiled)


_shared: list[tuple[Dialect, dict[Any, Any]]] = []


class Server:
    """The embedded PostgreSQL, with a migrated database that is copied for each test."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.template = urlsplit(url).path.lstrip("/")
        self._admin = psycopg.connect(self.url_of("postgres"), autocommit=True)
        for setting in IN_A_HURRY:
            self._admin.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        self._admin.execute("SELECT pg_reload_conf()")
        engine = connect(url)
        migrate(engine)
        engine.dispose()

    def url_of(self, database: str) -> str:
        """The address of a database of this server."""
        return self.url.replace(f"/{self.template}?", f"/{database}?")

    def copy(self, template: str = "") -> str:
        """Copy a database that nobody is connected to; returns the copy's name."""
        name = f"test_{uuid.uuid4().hex}"
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        self._admin.execute(create.format(sql.Identifier(name), sql.Identifier(template or self.template)))
        return name

    def drop(self, name: str) -> None:
        """Drop a copy, whoever is still connected to it."""
        self._admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextmanager
    def database(self, template: str = "") -> Iterator[str]:
        """The address of a copy, which is dropped at the end."""
        name = self.copy(template)
        try:
            yield self.url_of(name)
        finally:
            self.drop(name)

    def close(self) -> None:
        """Give back the server's own connection."""
        self._admin.close()


MEMORY = Path("/dev/shm")
ENOUGH = 4 * 1024**3


@contextmanager
def serving() -> Iterator[Server]:
    """Start the server, in memory where there is enough of it, and stop it at the end."""
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH
    with open_folder(MEMORY if in_memory else None) as folder, _running(folder / "session") as server:
        yield server


@contextmanager
def open_folder(place: Path | None = None) -> Iterator[Path]:
    """A folder that the unprivileged account of an embedded server can enter, also when we are root."""
    folder = Path(tempfile.mkdtemp(prefix="poc-governor-tests-", dir=place))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(folder: Path) -> Iterator[Server]:
    postgres = EmbeddedPostgres(folder, "serve")
    try:
        server = Server(postgres.start())
        yield server
        server.close()
    finally:
        postgres.stop()
