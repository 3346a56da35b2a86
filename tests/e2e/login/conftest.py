"""An organisation on GitHub, its POCs in a database of each test's own, and the pages over both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from sqlalchemy import Engine

from service.demo.emulator import free_port
from service.store.database import connect
from tests.harness import database
from tests.harness.database import Server
from tests.harness.login import PUBLIC_URL, GitHub, Service, github
from tests.harness.portfolio import fill


@pytest.fixture(scope="session")
def port() -> int:
    """Where a service may listen that people come back to from GitHub."""
    return free_port()


@pytest.fixture(scope="session")
def hub(port: int) -> Iterator[GitHub]:
    """GitHub, which is the same for all tests: each acts as a member of its own."""
    with github(f"{PUBLIC_URL}/login/callback", f"http://localhost:{port}/login/callback") as running:
        yield running


@pytest.fixture(scope="session")
def filled(server: Server) -> Iterator[str]:
    """The name of a database with POCs, whose repositories are those on GitHub."""
    name = server.copy()
    engine = connect(server.url_of(name))
    fill(engine)
    engine.dispose()
    yield name
    server.drop(name)


@pytest.fixture
def pocs_url(server: Server, filled: str) -> Iterator[str]:
    """The address of a copy of it."""
    with server.database(filled) as url:
        yield url


@pytest.fixture
def engine(pocs_url: str) -> Iterator[Engine]:
    """An engine on that copy."""
    engine = connect(pocs_url)
    database.share_compiled(engine)
    yield engine
    engine.dispose()


@pytest_asyncio.fixture
async def service(engine: Engine, hub: GitHub) -> AsyncIterator[Service]:
    """The pages in this process."""
    made = Service(engine, hub)
    yield made
    await made.close()
