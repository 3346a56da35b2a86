"""One server and one issuer for a module; each test begins with them as if they were new."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
import pytest_asyncio

from tests.harness.evidence import WORLD, Api, Server, asking, serving
from tests.harness.issuer import Issuer, issuing


@pytest.fixture(scope="module")
def module_issuer() -> Iterator[Issuer]:
    with issuing() as running:
        yield running


@pytest.fixture
def issuer(module_issuer: Issuer) -> Issuer:
    module_issuer.begin()
    return module_issuer


@pytest.fixture(scope="module")
def endpoint(module_database_url: str, module_issuer: Issuer) -> Iterator[Server]:
    with serving(module_database_url, module_issuer) as running:
        yield running


@pytest_asyncio.fixture
async def api(endpoint: Server) -> AsyncIterator[Api]:
    endpoint.begin()
    async with asking(endpoint) as running:
        yield running


@pytest_asyncio.fixture
async def api_alone(database_url: str, issuer: Issuer) -> AsyncIterator[Api]:
    """On a database of this test's own, for those that spoil it."""
    with psycopg.connect(database_url) as connection:
        connection.execute(WORLD)
    with serving(database_url, issuer) as running:
        async with asking(running) as asked:
            yield asked
