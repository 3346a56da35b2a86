"""What the tests share: one PostgreSQL for the session, an empty database for each test that asks."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql
from sqlalchemy import Engine

from service.store.database import connect
from service.store.embedded import EmbeddedPostgres
from service.store.schema import migrate

# How long an example takes says more about the machine than about us.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that the unprivileged account of an embedded server can enter, also when we are root."""
    folder = Path(tempfile.mkdtemp(prefix="poc-governor-tests-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(open_folder: Path) -> Iterator[str]:
    """The session's PostgreSQL, the embedded one; its `template` database is migrated."""
    postgres = EmbeddedPostgres(open_folder / "session", "serve")
    url = postgres.start()
    engine = connect(url)
    migrate(engine)
    engine.dispose()
    yield url
    postgres.stop()


@pytest.fixture
def database_url(postgres_url: str) -> Iterator[str]:
    """The address of an empty, migrated database of this test's own."""
    with empty_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(postgres_url: str) -> Iterator[str]:
    """The same for all tests of a module."""
    with empty_database(postgres_url) as url:
        yield url


@contextmanager
def empty_database(postgres_url: str) -> Iterator[str]:
    """A copy of the migrated database, dropped at the end."""
    name = f"test_{uuid.uuid4().hex}"
    template = urlsplit(postgres_url).path.lstrip("/")
    admin = postgres_url.replace(f"/{template}?", "/postgres?")
    with psycopg.connect(admin, autocommit=True) as connection:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
    yield postgres_url.replace(f"/{template}?", f"/{name}?")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on this test's database."""
    engine = connect(database_url)
    yield engine
    engine.dispose()
