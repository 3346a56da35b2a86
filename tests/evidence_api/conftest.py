"""The service over real HTTP, an issuer of tokens beside it, and a POC in the database."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest
import pytest_asyncio
import uvicorn

from service.deliveries.routes import route
from service.inbox import Inbox, Trust
from service.store.database import connect
from service.web.app import create_app
from service.web.evidence import PATH, EvidenceEndpoint
from service.web.oidc import Verifier
from tests.evidence_api.issuer import AUDIENCE, Issuer, issuing

GOOD: dict[str, Any] = {"metrics": {"latency_p95": {"value": 212.4, "unit": "ms"}}}
TABLES = ("evidence", "used_token", "fact", "subject", "procrastinate_jobs")
WORLD = """
INSERT INTO installation (id, account, permissions, suspended_at, deleted_at) VALUES
    (5, 'acme', '{}', NULL, NULL), (6, 'other', '{}', now(), NULL), (8, 'gone', '{}', NULL, now());
INSERT INTO repository (id, installation_id, full_name, topics, poc_reason, removed_at) VALUES
    (7, 5, 'acme/poc-triage', '{}', 'topic poc', NULL),
    (8, 5, 'acme/website', '{}', NULL, NULL),
    (9, 5, 'acme/poc-removed', '{}', 'topic poc', now()),
    (10, 6, 'other/poc-suspended', '{}', 'topic poc', NULL),
    (11, 8, 'gone/poc-deleted', '{}', 'topic poc', NULL);
"""


class Hand:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Api:
    """The endpoint, its issuer, its verifier's clock and its database."""

    http: httpx.AsyncClient
    issuer: Issuer
    clock: Hand
    database_url: str

    async def send(
        self, body: object = GOOD, *, token: str | None = None, kid: str = "first", **claims: Any
    ) -> httpx.Response:
        """Send JSON or raw bytes, with a good token but for the given claims."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        bearer = self.issuer.token(kid, **claims) if token is None else token
        return await self.http.post(PATH, content=content, headers={"Authorization": f"Bearer {bearer}"})

    def rows(self, columns: str, table: str = "evidence") -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1").fetchall()  # type: ignore[arg-type,call-overload,no-any-return,unused-ignore]

    def stored(self) -> dict[str, int]:
        """The tables that are not empty."""
        counts = {table: self.rows("count(*)", table)[0][0] for table in TABLES}
        return {table: count for table, count in counts.items() if count}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as running:
        yield running


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def serving(database_url: str, issuer: Issuer) -> AsyncIterator[Api]:
    """The whole application behind uvicorn, on a port of its own."""
    inbox, clock, engine = Inbox(database_url, route), Hand(), connect(database_url, pool_size=1)
    trust = Trust(issuer.url, AUDIENCE, "https://github.example.com")
    endpoint = EvidenceEndpoint(inbox, Verifier(issuer.url, clock=clock), trust)
    app = create_app(inbox, engine, webhook_secret="s", evidence=endpoint, beside=_nothing)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    running = asyncio.create_task(server.serve([listening]))
    try:
        while not server.started:  # noqa: ASYNC110 (uvicorn tells it in no other way)
            await asyncio.sleep(0.01)
        host, port = listening.getsockname()
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=60) as http:
            yield Api(http, issuer, clock, database_url)
    finally:
        server.should_exit = True
        await running
        listening.close()


@pytest_asyncio.fixture
async def api(database_url: str, issuer: Issuer) -> AsyncIterator[Api]:
    with psycopg.connect(database_url) as connection:
        connection.execute(WORLD)
    async with serving(database_url, issuer) as running:
        yield running
