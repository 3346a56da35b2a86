"""Coming back from GitHub: what strangers may send, and how many are served at a time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from threading import Event
from unittest.mock import AsyncMock, create_autospec
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.fernet import Fernet
from starlette.applications import Starlette

from service.store.people import People
from service.web import login
from service.web.login import LONGEST_QUEUE, SIDE_BY_SIDE, Login
from service.web.oauth import GitHubOAuth, PersonApi, RefusedError, Tokens, UserTokens
from service.web.sessions import Cookies

pytestmark = pytest.mark.asyncio

URL = "https://governor.acme.dev"
COOKIE = "__Host-poc-governor-login"


class Holding(GitHubOAuth):
    """GitHub, which takes no code, and says so once it is let."""

    let = Event()

    def exchange(self, code: str, verifier: str) -> Tokens:
        self.let.wait(20)
        raise RefusedError(f"{code} with {verifier}")


def browser() -> httpx.AsyncClient:
    nobody = create_autospec(People, instance=True)
    nobody.logged_in.return_value = None
    made = Login(
        people=nobody,
        tokens=create_autospec(UserTokens),
        oauth=Holding("Iv23", "secret", "https://github.com", f"{URL}/login/callback"),
        api=create_autospec(PersonApi),
        cookies=Cookies(URL),
        cipher=Fernet(Fernet.generate_key()),
        clock=lambda: datetime.now(UTC),
    )
    transport = httpx.ASGITransport(Starlette(routes=made.routes()))
    return httpx.AsyncClient(transport=transport, base_url=URL)


@pytest.mark.parametrize(
    "cookie",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"nonsense", id="nonsense"),
        pytest.param("sch\N{LATIN SMALL LETTER O WITH DIAERESIS}n".encode(), id="UTF-8"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"g" * 5000, id="long"),
    ],
)
async def test_a_cookie_that_is_none_of_ours_is_no_login(cookie: bytes) -> None:
    async with browser() as http:
        headers = {b"Cookie": COOKIE.encode() + b"=" + cookie}
        answer = await http.get("/login/callback?code=a&state=b", headers=headers)
    assert answer.status_code == 400
    assert "This login doesn&#39;t count" in answer.text


async def test_logging_out_of_a_session_that_is_over_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "written", AsyncMock(side_effect=AssertionError))
    async with browser() as http:
        answer = await http.post("/logout", headers={"Cookie": "__Host-poc-governor-session=made-up"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert "Max-Age=0" in answer.headers["Set-Cookie"]


async def test_whoever_comes_to_a_long_queue_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Holding, "let", Event())
    async with browser() as http:
        state = parse_qs(urlsplit((await http.get("/login")).headers["Location"]).query)["state"][0]
        kept = http.cookies[COOKIE]

        async def back() -> httpx.Response:
            headers = {"Cookie": f"{COOKIE}={kept}"}
            return await http.get(f"/login/callback?code=a&state={state}", headers=headers)

        served = [asyncio.create_task(back()) for _ in range(SIDE_BY_SIDE + LONGEST_QUEUE)]
        one_more = await asyncio.wait_for(asyncio.create_task(back()), 10)
        Holding.let.set()
        assert {answer.status_code for answer in await asyncio.gather(*served)} == {400}
    assert one_more.status_code == 503
    assert "Too many logins at once" in one_more.text
