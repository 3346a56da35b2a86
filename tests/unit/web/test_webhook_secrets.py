"""While the webhook's secret is replaced, deliveries with either are taken."""

from __future__ import annotations

from unittest.mock import AsyncMock, Mock

import httpx
import pytest

from service.web.app import create_app
from service.web.bodies import Bodies
from tests.harness.webhooks import signed

NEW, OLD = "the new secret", "the old secret"


@pytest.mark.parametrize(
    ("previous", "secret", "status"),
    [
        pytest.param(OLD, NEW, 202, id="the new one"),
        pytest.param(OLD, OLD, 202, id="the previous one"),
        pytest.param(OLD, "another", 401, id="another"),
        pytest.param(OLD, "", 401, id="an empty one"),
        pytest.param("", OLD, 401, id="the previous one once it is forgotten"),
        pytest.param("", "", 401, id="an empty one where there is no previous"),
    ],
)
@pytest.mark.asyncio
async def test_which_secret_signs_a_delivery(previous: str, secret: str, status: int) -> None:
    inbox = Mock(record=AsyncMock())
    app = create_app(
        inbox,
        Mock(),
        webhook_secret=NEW,
        webhook_secret_previous=previous,
        evidence=Mock(),
        bodies=Bodies(),
        beside=Mock(),
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://here") as http:
        headers = signed("push", b"{}", secret=secret)
        answer = await http.post("/webhooks/github", content=b"{}", headers=headers)
    assert answer.status_code == status
    assert inbox.record.await_count == (status == 202)
