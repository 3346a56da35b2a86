"""Logging in with GitHub, against the emulator's own pages behind the stand-in."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import Engine, text

from service.demo.emulator import free_port
from service.github_client.app import App
from service.store.database import Database, connect, transaction
from service.store.installations import Installations
from service.store.portfolio import Portfolio
from service.store.tables_waiting import PolicyRow
from service.web.readers import TeamReaders
from tests.harness import database
from tests.harness.database import Server
from tests.harness.login import LEADER, OPEN_ONE, PUBLIC_URL, STRANGER, Browser, GitHub, Service, github
from tests.harness.portfolio import INSTALLATION, NAMES, NOW, fill
from tests.harness.processes import environment, serving
from tests.harness.webhooks import PLAIN, deliver

PORT = free_port()
HERE = f"http://localhost:{PORT}"
SECRET = "poc-ticket-triage"


@pytest.fixture(scope="module")
def hub() -> Iterator[GitHub]:
    with github(f"{PUBLIC_URL}/login/callback", f"{HERE}/login/callback") as running:
        yield running


@pytest.fixture(scope="module")
def filled(server: Server) -> Iterator[str]:
    """A database with POCs, whose repositories are those of the emulator."""
    with server.database() as url:
        engine = connect(url)
        fill(engine)
        engine.dispose()
        yield url


@pytest.fixture
def engine(filled: str) -> Iterator[Engine]:
    engine = connect(filled)
    database.share_compiled(engine)
    yield engine
    engine.dispose()


@pytest_asyncio.fixture
async def service(engine: Engine, hub: GitHub) -> AsyncIterator[Service]:
    made = Service(engine, hub)
    yield made
    await made.parts.visibility.close()


def count(engine: Engine, table: str) -> int:
    with transaction(engine) as session:
        found: int = session.connection().execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
        return found


async def shown(browser: Browser) -> set[str]:
    """The POCs that somebody sees, in all tabs."""
    found = set[str]()
    for tab in ("open", "shipped", "stopped"):
        answer = await browser.get(f"/portfolio.json?tab={tab}")
        assert answer.status_code == 200, answer.text
        found |= {each["repository"] for each in answer.json()["pocs"]}
    return found


def csrf(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found
    return found[1]


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
    assert await shown(browser) == {f"acme/poc-{name}" for name in NAMES}


@pytest.mark.asyncio
async def test_a_person_without_access_sees_nothing_of_it(service: Service) -> None:
    browser = service.browser()
    await browser.log_in(STRANGER)
    assert await shown(browser) == {f"acme/poc-{OPEN_ONE}"}
    assert SECRET not in (await browser.get("/")).text
    hidden = await browser.get(f"/pocs/acme/{SECRET}")
    nowhere = await browser.get("/pocs/acme/poc-of-nobody")
    assert (hidden.status_code, hidden.text) == (404, nowhere.text)


@pytest.mark.asyncio
async def test_a_reader_of_the_named_team_sees_rows_without_texts(engine: Engine, hub: GitHub) -> None:
    policy = "policy: 1\nportfolio_readers: [acme/leaders]\n"
    with transaction(engine) as session:
        session.merge(
            PolicyRow(
                installation_id=INSTALLATION, repository_id=1, good_text=policy, findings=[], read_at=NOW
            )
        )
    app = App(hub.emulator.app_id, hub.emulator.private_key, hub.stand_in.url)
    store = Database(engine)
    service = Service(engine, hub, readers=TeamReaders(Portfolio(store), Installations(store), lambda: app))
    try:
        browser = service.browser()
        await browser.log_in(LEADER)
        assert await shown(browser) == {f"acme/poc-{name}" for name in NAMES}
        stopped = await browser.get("/?tab=stopped")
        assert "poc-" in stopped.text
        assert "baseline" not in stopped.text
        page = await browser.get("/")
        assert f'href="/pocs/acme/{SECRET}"' not in page.text
        assert "Ticket triage" not in page.text
        assert (await browser.get(f"/pocs/acme/{SECRET}")).status_code == 404
    finally:
        await service.parts.visibility.close()


@pytest.mark.asyncio
async def test_who_is_not_logged_in_learns_nothing_of_any_name(service: Service) -> None:
    browser = service.browser()
    for name in (SECRET, "poc-of-nobody"):
        answer = await browser.get(f"/pocs/acme/{name}")
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/login?to=/pocs/acme/{name}")
    assert (await browser.get("/portfolio.json")).status_code == 401


@pytest.mark.asyncio
async def test_what_is_known_of_a_person_is_not_shown_to_another(service: Service) -> None:
    first, second = service.browser(), service.browser()
    await first.log_in("jane-doe")
    await second.log_in(STRANGER)
    assert SECRET in (await first.get("/")).text
    assert SECRET not in (await second.get("/")).text


@pytest.mark.asyncio
async def test_logging_out_ends_the_session_and_forgets_the_tokens(service: Service, engine: Engine) -> None:
    browser = service.browser()
    await browser.log_in("paula-p")
    page = await browser.get("/")
    cookies = dict(browser.http.cookies)
    assert (await browser.post("/logout")).status_code == 403
    assert (await browser.post("/logout", csrf=csrf(page)[:-1])).status_code == 403
    people = count(engine, "person")
    assert (await browser.post("/logout", csrf=csrf(page))).status_code == 303
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
    first = browser.http.cookies.get(name, domain="governor.example.com")
    await browser.log_in("jane-doe")
    assert browser.http.cookies.get(name, domain="governor.example.com") != first


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
    assert "You are not logged in" in answer.text


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


@pytest.mark.asyncio
async def test_access_that_ended_is_gone_at_once_where_it_was_asked_for(service: Service) -> None:
    browser, hub = service.browser(), service.github
    owner = hub.emulator.person("jane-doe")
    person = hub.emulator.person("nora-n")
    await browser.log_in("nora-n")
    assert f"acme/{SECRET}" in await shown(browser)
    try:
        owner.call("DELETE", "/orgs/acme/members/nora-n")
        assert f"acme/{SECRET}" in await shown(browser), "kept for a while"
        assert (await browser.get(f"/pocs/acme/{SECRET}")).status_code == 404
        assert f"acme/{SECRET}" not in await shown(browser), "refused at once"
        service.passes(timedelta(minutes=15, seconds=1))
        assert await shown(browser) == {f"acme/poc-{OPEN_ONE}"}
    finally:
        owner.call("PUT", "/orgs/acme/memberships/nora-n", {"role": "admin"})
        owner.close()
        person.close()


@pytest.mark.asyncio
async def test_what_is_a_little_old_is_shown_while_it_is_asked_for_anew(service: Service) -> None:
    browser, hub = service.browser(), service.github
    owner = hub.emulator.person("jane-doe")
    await browser.log_in("olaf-o")
    assert len(await shown(browser)) == len(NAMES)
    try:
        owner.call("DELETE", "/orgs/acme/members/olaf-o")
        service.passes(timedelta(minutes=6))
        assert len((await browser.get("/portfolio.json")).json()["pocs"]) > 1
        await asyncio.gather(*service.parts.visibility.under_way())
        assert await shown(browser) == {f"acme/poc-{OPEN_ONE}"}
    finally:
        owner.call("PUT", "/orgs/acme/memberships/olaf-o", {"role": "admin"})
        owner.close()


def test_the_served_process_lets_people_log_in(tmp_path: Path, filled: str, hub: GitHub) -> None:
    """Cookies, headers and settings as they are, on loopback over http."""
    env = environment(
        hub.emulator,
        DATABASE_URL=filled,
        DATA_DIR=str(tmp_path / "data"),
        PUBLIC_URL=HERE,
        GITHUB_URL=hub.stand_in.url,
        GITHUB_API_URL=hub.stand_in.url,
        GITHUB_CLIENT_ID=hub.emulator.client_id,
        GITHUB_CLIENT_SECRET=hub.emulator.client_secret,
        WEB_PROCESSES="2",
    )
    with (
        serving(tmp_path / "log", env, "--no-worker", port=PORT) as serve,
        httpx.Client(base_url=HERE, trust_env=False, verify=PLAIN) as client,
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


async def token_of(browser: Browser, name: str, days: str = "30") -> str:
    """A personal token, made on its page."""
    page = await browser.get("/settings/tokens")
    made = await browser.post("/settings/tokens", csrf=csrf(page), name=name, days=days)
    assert made.status_code == 200
    assert made.headers["Cache-Control"] == "no-store"
    found = re.search(r"pocg_[\w-]{43}", made.text)
    assert found
    return found[0]


@pytest.mark.asyncio
async def test_a_machine_reads_with_a_personal_token_what_its_person_sees(service: Service) -> None:
    browser, machine = service.browser(), service.browser()
    await browser.log_in(STRANGER)
    token = await token_of(browser, "our <b>portal</b>")
    page = await browser.get("/settings/tokens")
    assert "our &lt;b&gt;portal&lt;/b&gt;" in page.text
    assert token not in page.text, "shown once"
    machine.http.headers["Authorization"] = f"Bearer {token}"
    assert await shown(machine) == {f"acme/poc-{OPEN_ONE}"}
    listed = await machine.get("/api/v1/pocs?tab=shipped&find=smart")
    assert [each["repository"] for each in listed.json()["pocs"]] == [f"acme/poc-{OPEN_ONE}"]
    assert (await machine.get("/portfolio.csv?tab=shipped")).text.count("acme/poc-") == 1
    one = (await machine.get(f"/api/v1/pocs/acme/poc-{OPEN_ONE}")).json()
    assert one["repository"] == f"acme/poc-{OPEN_ONE}"
    assert {each["metric"] for each in one["thresholds"]} >= {"accuracy"}
    assert {each["group"] for each in one["signatures"]}
    hidden = await machine.get(f"/api/v1/pocs/acme/{SECRET}")
    assert hidden.status_code == 404
    assert hidden.json() == (await machine.get("/api/v1/pocs/acme/poc-of-nobody")).json()
    assert (await machine.get("/api/v1/pocs?tab=none")).status_code == 400
    for write in ("/settings/tokens", "/logout"):
        assert (await machine.post(write, csrf="", name="x", days="7")).status_code == 403
    assert (await machine.get("/settings/tokens")).status_code == 303


@pytest.mark.asyncio
async def test_a_personal_token_ends_and_can_be_revoked(service: Service) -> None:
    browser, machine = service.browser(), service.browser()
    await browser.log_in("paula-p")
    short, long = await token_of(browser, "short", "7"), await token_of(browser, "long", "90")

    async def answers(token: str) -> int:
        return (await machine.http.get("/api/v1/pocs", headers={"Authorization": token})).status_code

    assert await answers(f"Bearer {short}") == await answers(f"bearer {long}") == 200
    for wrong in (f"Bearer {short[:-1]}", f"Basic {short}", "Bearer", f"Bearer {'x' * 5000}", "Bearer pocg_"):
        assert await answers(wrong) == 401
    page = await browser.get("/settings/tokens")
    revoking = re.findall(r'action="(/settings/tokens/\d+/revoke)"', page.text)
    assert (await browser.post(revoking[0])).status_code == 403
    stranger = service.browser()
    await stranger.log_in(STRANGER)
    theirs = csrf(await stranger.get("/settings/tokens"))
    assert (await stranger.post(revoking[0], csrf=theirs)).status_code == 303
    assert await answers(f"Bearer {long}") == 200, "somebody else's is not theirs to revoke"
    assert (await browser.post(revoking[0], csrf=csrf(page))).status_code == 303
    assert await answers(f"Bearer {long}") == 401
    assert (await browser.post("/logout", csrf=csrf(page))).status_code == 303
    assert await answers(f"Bearer {short}") == 200, "it is not tied to the browser"
    service.passes(timedelta(days=7))
    assert await answers(f"Bearer {short}") == 401


@pytest.mark.asyncio
async def test_a_personal_token_is_nothing_without_its_persons_access(service: Service) -> None:
    browser, machine = service.browser(), service.browser()
    await browser.log_in("nora-n")
    machine.http.headers["Authorization"] = f"Bearer {await token_of(browser, 'report')}"
    assert (await machine.get("/api/v1/pocs")).status_code == 200
    service.github.stand_in.grants.revoke("nora-n")
    service.passes(timedelta(hours=1))
    answer = await machine.get("/api/v1/pocs")
    assert answer.status_code == 401
    assert "personal token" in answer.json()["error"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "days"), [("", "30"), ("x" * 81, "30"), ("a\nb", "30"), ("a", "31"), ("a", "")]
)
async def test_a_token_needs_a_name_and_an_end(service: Service, name: str, days: str) -> None:
    browser = service.browser()
    await browser.log_in("erin-x")
    proof = csrf(await browser.get("/settings/tokens"))
    answer = await browser.post("/settings/tokens", csrf=proof, name=name, days=days)
    assert answer.status_code == 400
    assert "pocg_" not in answer.text


@pytest.mark.asyncio
async def test_nobody_has_more_than_twenty_tokens(service: Service) -> None:
    browser = service.browser()
    await browser.log_in("mallory-m")
    proof = csrf(await browser.get("/settings/tokens"))
    made = [
        await browser.post("/settings/tokens", csrf=proof, name=f"no {each}", days="7") for each in range(21)
    ]
    assert [answer.status_code for answer in made] == [200] * 20 + [400]
    assert "Revoke one first" in made[-1].text
