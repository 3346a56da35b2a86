"""What the tests share: a PostgreSQL server for the process, and an empty database for whoever asks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings
from sqlalchemy import Engine

pytest.register_assert_rewrite("tests.harness")

from service.store.database import connect  # noqa: E402
from tests.harness import database  # noqa: E402
from tests.harness.database import Server, serving  # noqa: E402
from tests.harness.snapshots import Snapshots  # noqa: E402

# How long an example takes says more about the machine than about us.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")
# Tracebacks as the service logs them: with each local variable, as structlog shows them, one took 30 seconds.
structlog.get_config()["processors"][-1].exception_formatter = structlog.dev.plain_traceback


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """A command that runs within a test configures logging for all that comes after it."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    if structlog.is_configured():
        structlog.reset_defaults()
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that the unprivileged account of an embedded server can enter, also when we are root."""
    with database.open_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The embedded PostgreSQL of this process. With xdist every worker has its own."""
    with serving() as running:
        yield running


@pytest.fixture(scope="session")
def snapshots(server: Server) -> Snapshots:
    """Worlds that are made once and copied for each test."""
    return Snapshots(server)


@pytest.fixture
def database_url(server: Server) -> Iterator[str]:
    """The address of an empty, migrated database of this test's own."""
    with server.database() as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(server: Server) -> Iterator[str]:
    """The same for all tests of a module."""
    with server.database() as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on this test's database."""
    engine = connect(database_url)
    database.share_compiled(engine)
    yield engine
    engine.dispose()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The simulated year first: it takes longest, and the other processes work through the rest meanwhile."""
    items.sort(key=lambda item: "year" not in item.path.parts)
