"""The endpoint for evidence over real HTTP, an issuer of tokens beside it, and a POC in the database.

The server runs in a thread for a whole module; each test has an empty database and an issuer without a past.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import uvicorn

from service.deliveries.routes import route
from service.inbox import Inbox, Trust
from service.store.database import connect
from service.web.app import create_app
from service.web.bodies import Bodies
from service.web.connection import Connection
from service.web.evidence import PATH, PROBLEMS, TYPE, EvidenceEndpoint
from service.web.oidc import Verifier
from tests.harness.issuer import AUDIENCE, Issuer
from tests.harness.webhooks import PLAIN

GOOD: dict[str, Any] = {"metrics": {"latency_p95": {"value": 212.4, "unit": "ms"}}}
TABLES = ("evidence", "used_token", "fact", "subject", "procrastinate_jobs")
CLEARED = (*TABLES, "pull_request", "policy", "repository", "installation")
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


@dataclass(frozen=True)
class Server:
    """A running server: its address and what a test may change about it."""

    url: str
    issuer: Issuer
    clock: Hand
    database_url: str
    endpoint: EvidenceEndpoint

    def begin(self) -> None:
        """Forget everything: rows, keys, what the issuer was asked, and the time."""
        self.issuer.begin()
        self.clock.seconds = 1000.0
        self.endpoint._verifier = Verifier(self.issuer.url, clock=self.clock)
        with psycopg.connect(self.database_url) as connection:
            for table in CLEARED:
                connection.execute(f"DELETE FROM {table}")  # type: ignore[arg-type,call-overload,unused-ignore]
            connection.execute(WORLD)


@dataclass
class Api:
    """The endpoint as one test sees it."""

    http: httpx.AsyncClient
    server: Server

    @property
    def issuer(self) -> Issuer:
        return self.server.issuer

    @property
    def clock(self) -> Hand:
        return self.server.clock

    @property
    def database_url(self) -> str:
        return self.server.database_url

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


@contextmanager
def serving(database_url: str, issuer: Issuer) -> Iterator[Server]:
    """The whole application behind uvicorn, on a port of its own and in a thread of its own."""
    inbox, clock, engine = Inbox(database_url, route), Hand(), connect(database_url, pool_size=1)
    trust = Trust(issuer.url, AUDIENCE, "https://github.acme.dev")
    bodies = Bodies()
    endpoint = EvidenceEndpoint(inbox, Verifier(issuer.url, clock=clock), trust, bodies)
    app = create_app(inbox, engine, webhook_secret="s", evidence=endpoint, bodies=bodies, beside=_nothing)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, http=Connection.within(10), log_config=None, access_log=False)
    )
    started = threading.Event()

    async def run() -> None:
        serving = asyncio.create_task(server.serve([listening]))
        while not (server.started or serving.done()):  # noqa: ASYNC110 (uvicorn says it in no other way)
            await asyncio.sleep(0.01)
        started.set()
        await serving

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        assert started.wait(60)
        host, port = listening.getsockname()
        yield Server(f"http://{host}:{port}", issuer, clock, database_url, endpoint)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
        engine.dispose()


@asynccontextmanager
async def asking(server: Server) -> AsyncIterator[Api]:
    """A client of the server."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60, verify=PLAIN, trust_env=False) as http:
        yield Api(http, server)


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


def refused(answer: httpx.Response, problem: str) -> str:
    """The detail of a problem, after its form was checked."""
    body = answer.json()
    assert body["type"] == f"{TYPE}{problem}", body
    assert (body["status"], body["title"]) == PROBLEMS[problem]
    assert answer.status_code == body["status"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("www-authenticate" in answer.headers) is (answer.status_code == 401)
    detail: str = body["detail"]
    assert detail.endswith(".")
    return detail
