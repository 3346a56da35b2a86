"""Logging in with GitHub, against the emulator's own pages behind the stand-in."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import Engine, text

from service.store.database import transaction
from tests.harness.login import SECRET, STRANGER, GitHub, Service
from tests.harness.portfolio import NAMES
from tests.harness.processes import environment, serving
from tests.harness.webhooks import PLAIN, deliver


def count(engine: Engine, table: str) -> int:
    with transaction(engine) as session:
        found: int = session.connection().execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
        return found


@pytest.mark.asyncio
async def test_somebody_logs_in_and_sees_what_github_shows_them(service: Service) -> None:
    browser = service.browser()
    front = await browser.get("/")
    assert "Log in with GitHub" in front.text
    assert SECRET not in front.text
    back = await browser.log_in("jane-doe", "/pocs/acme/poc-ticket-triage")
    assert (back.status_code, back.headers["Location"]) == (303, "/pocs/acme/poc-ticket-triage")
    page = await browser.get("/pocs/acme/poc-ticket-triage")
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "private, no-cache"
    portfolio = await browser.get("/")
    assert "jane-doe" in portfolio.text
    assert SECRET in portfolio.text
    assert await browser.shown() == {f"acme/poc-{name}" for name in NAMES}


@pytest.mark.asyncio
async def test_who_is_not_logged_in_learns_nothing_of_any_name(service: Service) -> None:
    browser = service.browser()
    for name in (SECRET, "poc-of-nobody"):
        answer = await browser.get(f"/pocs/acme/{name}")
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/login?to=/pocs/acme/{name}")
    assert (await browser.get("/portfolio.json")).status_code == 401


@pytest.mark.asyncio
async def test_logging_out_ends_the_session_and_forgets_the_tokens(service: Service, engine: Engine) -> None:
    browser = service.browser()
    await browser.log_in("paula-p")
    proof = await browser.csrf()
    cookies = dict(browser.http.cookies)
    assert (await browser.post("/logout")).status_code == 403
    assert (await browser.post("/logout", csrf=proof[:-1])).status_code == 403
    people = count(engine, "person")
    assert (await browser.post("/logout", csrf=proof)).status_code == 303
    assert not browser.http.cookies
    assert count(engine, "person") == people - 1
    browser.http.cookies.update(cookies)
    assert "Log in with GitHub" in (await browser.get("/")).text


@pytest.mark.asyncio
async def test_each_login_is_another_session(service: Service) -> None:
    browser = service.browser()
    name = "__Host-poc-governor-session"
    browser.http.cookies.set(name, "chosen by somebody else")
    await browser.log_in("jane-doe")
    first = browser.http.cookies.get(name, domain="governor.acme.dev")
    await browser.log_in("jane-doe")
    assert browser.http.cookies.get(name, domain="governor.acme.dev") != first


@pytest.mark.asyncio
async def test_a_session_ends_by_itself(service: Service) -> None:
    browser = service.browser()
    await browser.log_in("quinn-q")
    service.passes(timedelta(days=6, hours=23))
    assert "quinn-q" in (await browser.get("/")).text
    service.passes(timedelta(hours=1))
    assert "Log in with GitHub" in (await browser.get("/")).text


@pytest.mark.asyncio
async def test_a_login_that_is_not_ours_does_not_count(service: Service, engine: Engine) -> None:
    victim, attacker = service.browser(), service.browser()
    theirs = service.github.walk(await attacker.leave(), STRANGER)
    sessions = count(engine, "session")
    assert (await victim.get(theirs)).status_code == 400, "nothing was begun here"
    mine = service.github.walk(await victim.leave(), "jane-doe")
    assert (await victim.get(theirs)).status_code == 400, "the state of another browser"
    assert (await victim.get(mine)).status_code == 400, "an attempt is over with the first answer"
    for query in ("", "?code=abc", "?state=", "?state=%C3%A4&code=%00"):
        await victim.leave()
        assert (await victim.get(f"/login/callback{query}")).status_code == 400
    assert count(engine, "session") == sessions


@pytest.mark.asyncio
async def test_a_code_counts_once(service: Service, engine: Engine) -> None:
    browser = service.browser()
    back = service.github.walk(await browser.leave(), "nora-n")
    cookies = dict(browser.http.cookies)
    assert (await browser.get(back)).status_code == 303
    sessions = count(engine, "session")
    browser.http.cookies.update(cookies)
    again = await browser.get(back)
    assert again.status_code == 400
    assert "was used before" in again.text
    assert count(engine, "session") == sessions


@pytest.mark.asyncio
async def test_a_code_of_another_login_does_not_count(service: Service, engine: Engine) -> None:
    victim, attacker = service.browser(), service.browser()
    theirs = parse_qs(urlsplit(service.github.walk(await attacker.leave(), STRANGER)).query)["code"][0]
    state = parse_qs(urlsplit(await victim.leave()).query)["state"][0]
    sessions = count(engine, "session")
    assert (await victim.get(f"/login/callback?code={theirs}&state={state}")).status_code == 400
    assert count(engine, "session") == sessions


@pytest.mark.asyncio
async def test_who_says_no_on_github_is_told_what_follows(service: Service) -> None:
    browser = service.browser()
    state = parse_qs(urlsplit(await browser.leave()).query)["state"][0]
    answer = await browser.get(f"/login/callback?error=access_denied&state={state}")
    assert answer.status_code == 403
    assert "You aren&#39;t logged in" in answer.text


@pytest.mark.asyncio
async def test_a_token_that_ran_out_is_refreshed_once_however_many_ask(service: Service) -> None:
    browser, grants = service.browser(), service.github.stand_in.grants
    await browser.log_in("erin-x")
    grants.expire("erin-x")
    before = grants.refreshed
    path = f"/pocs/acme/{SECRET}"
    answers = await asyncio.gather(*(browser.get(path) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert grants.refreshed == before + 1


@pytest.mark.asyncio
async def test_what_github_takes_no_longer_ends_every_session(service: Service) -> None:
    one, other = service.browser(), service.browser()
    await one.log_in("mallory-m")
    await other.log_in("mallory-m")
    assert SECRET in (await other.get("/")).text
    service.github.stand_in.grants.revoke("mallory-m")
    assert (await one.get(f"/pocs/acme/{SECRET}")).status_code == 404
    assert "Log in with GitHub" in (await other.get("/")).text


def test_the_served_process_lets_people_log_in(tmp_path: Path, pocs_url: str, hub: GitHub, port: int) -> None:
    """Cookies, headers and settings as they are, on loopback over http."""
    here = f"http://localhost:{port}"
    env = environment(
        hub.emulator,
        DATABASE_URL=pocs_url,
        DATA_DIR=str(tmp_path / "data"),
        PUBLIC_URL=here,
        GITHUB_URL=hub.stand_in.url,
        GITHUB_API_URL=hub.stand_in.url,
        GITHUB_CLIENT_ID=hub.emulator.client_id,
        GITHUB_CLIENT_SECRET=hub.emulator.client_secret,
        WEB_PROCESSES="2",
    )
    with (
        serving(tmp_path / "log", env, "--no-worker", port=port) as serve,
        httpx.Client(base_url=here, trust_env=False, verify=PLAIN) as client,
    ):
        away = client.get("/login?to=/pocs/acme/poc-ticket-triage")
        back = client.get(hub.walk(away.headers["Location"], "jane-doe"))
        assert set(client.cookies) == {"poc-governor-session"}
        assert "HttpOnly" in back.headers["set-cookie"]
        page = client.get(back.headers["Location"])
        assert page.status_code == 200
        assert "Ticket triage" in page.text
        key = tmp_path / "data" / "secret-key"
        assert key.stat().st_mode & 0o777 == 0o600
        person = hub.http.get(f"{hub.emulator.api_url}/users/jane-doe").json()
        revoked = {"action": "revoked", "sender": person}
        assert deliver(serve.url, "github_app_authorization", revoked).status_code == 202
        assert "Log in with GitHub" in client.get("/").text
        assert hub.emulator.client_secret not in serve.said
        assert "ghu_" not in serve.said
