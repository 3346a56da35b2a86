"""METRICS_TOKEN: who sees how the service does, and who sees only whether it is ready."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from unittest.mock import Mock

import httpx
import pytest

from service.deliveries.routes import route
from service.inbox import Inbox
from service.store.database import connect
from service.web.app import create_app
from service.web.bodies import Bodies

TOKEN = "correct-horse-battery"

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def asking(url: str, token: str) -> AsyncIterator[httpx.AsyncClient]:
    engine, inbox = connect(url, pool_size=1), Inbox(url, route)
    app = create_app(
        inbox,
        engine,
        webhook_secret="secret",
        evidence=Mock(),
        bodies=Bodies(),
        beside=Mock(),
        metrics_token=token,
    )
    await inbox.open()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://governor") as http:
        yield http
    await inbox.close()
    engine.dispose()


@pytest.mark.parametrize(
    ("token", "sent", "sees"),
    [
        pytest.param("", None, True, id="none is asked for"),
        pytest.param("", "Bearer whatever", True, id="none is asked for, one is sent"),
        pytest.param(TOKEN, f"Bearer {TOKEN}", True, id="the token"),
        pytest.param(TOKEN, f"bearer {TOKEN}", True, id="the scheme in small letters"),
        pytest.param(TOKEN, None, False, id="no token"),
        pytest.param(TOKEN, "", False, id="an empty header"),
        pytest.param(TOKEN, "Bearer ", False, id="an empty token"),
        pytest.param(TOKEN, TOKEN, False, id="without the scheme"),
        pytest.param(TOKEN, f"Basic {TOKEN}", False, id="another scheme"),
        pytest.param(TOKEN, f"Bearer {TOKEN}x", False, id="a longer one"),
        pytest.param(TOKEN, "Bearer \xe9", False, id="not ASCII"),
    ],
)
async def test_who_sees_how_the_service_does(
    database_url: str, token: str, sent: str | None, sees: bool
) -> None:
    headers = httpx.Headers([] if sent is None else [(b"authorization", sent.encode("latin-1"))])
    async with asking(database_url, token) as http:
        ready = await http.get("/readyz", headers=headers)
        metrics = await http.get("/metrics", headers=headers)
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert ("dead_count" in ready.json()) is sees
    assert metrics.status_code == (200 if sees else 401)
    assert ("poc_governor_" in metrics.text) is sees
    assert metrics.headers.get("www-authenticate") == (None if sees else "Bearer")


@pytest.mark.parametrize("token", ["", TOKEN])
async def test_without_the_database_the_status_is_seen_and_the_reason_with_the_token(token: str) -> None:
    async with asking("postgresql://nobody@127.0.0.1:1/none", token) as http:
        answer = await http.get("/readyz")
    assert answer.status_code == 503
    assert ("reason" in answer.json()) is (not token)
    assert answer.json()["ready"] is False
