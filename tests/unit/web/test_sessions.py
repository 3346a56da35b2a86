"""Sessions: what their cookies allow, and which writes count."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from service.web import sessions
from service.web.login import safe_return
from service.web.sessions import LARGEST_FORM, Cookies, NotFromUsError, csrf_token, written

HOST = "https://governor.acme.dev"
SESSION = "s" * 43
GOOD = f"csrf={csrf_token(SESSION)}&name=a+b"


def posted(body: str, headers: dict[str, str]) -> Request:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body.encode()}

    listed = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/logout", "headers": listed}, receive)


def cookie(public_url: str) -> str:
    answer = Response()
    Cookies(public_url).set(answer, "session", SESSION, timedelta(hours=1))
    return answer.headers["set-cookie"]


@pytest.mark.parametrize(
    ("public_url", "name", "is_secure"),
    [
        (HOST, "__Host-poc-governor-session", True),
        ("http://localhost:8080", "poc-governor-session", False),
        ("http://127.0.0.1:8080", "poc-governor-session", False),
    ],
)
def test_a_session_cookie_is_for_this_host_alone(public_url: str, name: str, is_secure: bool) -> None:
    said = cookie(public_url)
    assert said.startswith(f"{name}={SESSION};")
    assert {"HttpOnly", "Max-Age=3600", "Path=/", "SameSite=lax"} <= set(said.split("; "))
    assert ("Secure" in said) is is_secure
    assert "Domain" not in said


def test_a_cleared_cookie_is_taken_by_the_browser() -> None:
    # A `__Host-` cookie without Secure and Path is not even cleared.
    answer = Response()
    Cookies(HOST).clear(answer, "session")
    said = answer.headers["set-cookie"]
    assert said.startswith('__Host-poc-governor-session=""')
    assert {"Max-Age=0", "Path=/", "Secure"} <= set(said.split("; "))


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="an old browser says nothing"),
        pytest.param({"Sec-Fetch-Site": "same-origin", "Origin": HOST}, id="our own page"),
        pytest.param({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, id="a page without a referrer"),
    ],
)
async def test_a_form_of_ours_counts(headers: dict[str, str]) -> None:
    assert (await written(posted(GOOD, headers), SESSION, HOST))["name"] == "a b"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("body", "headers", "session"),
    [
        pytest.param(GOOD, {"Sec-Fetch-Site": "cross-site"}, SESSION, id="from another site"),
        pytest.param(GOOD, {"Sec-Fetch-Site": "same-site"}, SESSION, id="from a sibling host"),
        pytest.param(GOOD, {"Origin": "https://evil.example"}, SESSION, id="another origin"),
        pytest.param(GOOD, {"Origin": "http://governor.acme.dev"}, SESSION, id="without TLS"),
        pytest.param("name=a", {}, SESSION, id="no proof"),
        pytest.param(f"csrf={csrf_token('t' * 43)}", {}, SESSION, id="the proof of another session"),
        pytest.param(f"csrf={csrf_token('')}", {}, "", id="no session"),
        pytest.param("csrf=%C3%A4", {}, SESSION, id="letters that are not ASCII"),
        pytest.param(f"{GOOD}&more={'x' * LARGEST_FORM}", {}, SESSION, id="too large"),
    ],
)
async def test_any_other_form_does_not(body: str, headers: dict[str, str], session: str) -> None:
    with pytest.raises(NotFromUsError):
        await written(posted(body, headers), session, HOST)


@pytest.mark.asyncio
@pytest.mark.parametrize("ends", [TimeoutError, ClientDisconnect], ids=["too slow", "gone"])
async def test_a_form_that_does_not_arrive_does_not_count(
    monkeypatch: pytest.MonkeyPatch, ends: type[Exception]
) -> None:
    async def receive() -> dict[str, object]:
        if ends is ClientDisconnect:
            return {"type": "http.disconnect"}
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(sessions, "PATIENCE", 0.01)
    with pytest.raises(NotFromUsError):
        await written(Request(posted("", {}).scope, receive), SESSION, HOST)


@pytest.mark.asyncio
async def test_without_a_session_no_body_is_read() -> None:
    async def receive() -> dict[str, object]:
        raise AssertionError

    with pytest.raises(NotFromUsError):
        await written(Request(posted("", {}).scope, receive), "", HOST)


@pytest.mark.asyncio
async def test_a_body_that_is_no_text_does_not_count() -> None:
    request = posted("", {})

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"csrf=\xff\xfe"}

    with pytest.raises(NotFromUsError):
        await written(Request(request.scope, receive), SESSION, HOST)


@pytest.mark.parametrize(
    "to",
    [
        "/",
        "/?tab=stopped&page=2",
        "/pocs/acme/poc-triage",
        "/deliveries",
        "/portfolio.csv?find=a",
        "/pocs/acme/poc-triage/record.md",
    ],
)
def test_a_login_leads_back_to_a_page_of_ours(to: str) -> None:
    assert safe_return(to) == to


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "javascript:alert(1)",
        "/login",
        "/logout",
        "/webhooks/github",
        "",
        "pocs/acme/poc-triage",
        "/\r\nSet-Cookie: a=b",
        "/pocs/acme/\N{RIGHT-TO-LEFT OVERRIDE}x",
        "/?find=" + "x" * 1000,
        "http://[",
    ],
)
def test_a_login_leads_nowhere_else(to: str) -> None:
    assert safe_return(to) == "/"
