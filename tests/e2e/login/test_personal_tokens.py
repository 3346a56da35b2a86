"""Personal tokens: what machines read with them, and when they end."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.harness.login import OPEN_ONE, SECRET, STRANGER, Browser, Service


async def token_of(browser: Browser, name: str, days: str = "30") -> str:
    """A personal token, made on its page."""
    proof = await browser.csrf("/settings/tokens")
    made = await browser.post("/settings/tokens", csrf=proof, name=name, days=days)
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
    assert await machine.shown() == {f"acme/poc-{OPEN_ONE}"}
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
    page, proof = await browser.get("/settings/tokens"), await browser.csrf("/settings/tokens")
    revoking = re.findall(r'action="(/settings/tokens/\d+/revoke)"', page.text)
    assert (await browser.post(revoking[0])).status_code == 403
    stranger = service.browser()
    await stranger.log_in(STRANGER)
    theirs = await stranger.csrf("/settings/tokens")
    assert (await stranger.post(revoking[0], csrf=theirs)).status_code == 303
    assert await answers(f"Bearer {long}") == 200, "somebody else's is not theirs to revoke"
    assert (await browser.post(revoking[0], csrf=proof)).status_code == 303
    assert await answers(f"Bearer {long}") == 401
    assert (await browser.post("/logout", csrf=proof)).status_code == 303
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
    proof = await browser.csrf("/settings/tokens")
    answer = await browser.post("/settings/tokens", csrf=proof, name=name, days=days)
    assert answer.status_code == 400
    assert "pocg_" not in answer.text


@pytest.mark.asyncio
async def test_nobody_has_more_than_twenty_tokens(service: Service) -> None:
    browser = service.browser()
    await browser.log_in("mallory-m")
    proof = await browser.csrf("/settings/tokens")
    made = [
        await browser.post("/settings/tokens", csrf=proof, name=f"no {each}", days="7") for each in range(21)
    ]
    assert [answer.status_code for answer in made] == [200] * 20 + [400]
    assert "Revoke one first" in made[-1].text
