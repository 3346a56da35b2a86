"""What somebody sees is what GitHub says, and no longer than it says so."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from service.store.database import transaction
from service.store.tables_waiting import PolicyRow
from tests.harness.login import LEADER, OPEN_ONE, SECRET, STRANGER, Service
from tests.harness.portfolio import INSTALLATION, NAMES, NOW


@pytest.mark.asyncio
async def test_a_person_without_access_sees_nothing_of_it(service: Service) -> None:
    browser = service.browser()
    await browser.log_in(STRANGER)
    assert await browser.shown() == {f"acme/poc-{OPEN_ONE}"}
    assert SECRET not in (await browser.get("/")).text
    hidden = await browser.get(f"/pocs/acme/{SECRET}")
    nowhere = await browser.get("/pocs/acme/poc-of-nobody")
    assert (hidden.status_code, hidden.text) == (404, nowhere.text)


@pytest.mark.asyncio
async def test_a_reader_of_the_named_team_sees_rows_without_texts(service: Service, engine: Engine) -> None:
    policy = "policy: 1\nportfolio_readers: [acme/leaders]\n"
    with transaction(engine) as session:
        session.add(
            PolicyRow(
                installation_id=INSTALLATION, repository_id=1, good_text=policy, findings=[], read_at=NOW
            )
        )
    browser = service.browser()
    await browser.log_in(LEADER)
    assert await browser.shown() == {f"acme/poc-{name}" for name in NAMES}
    stopped = await browser.get("/?tab=stopped")
    assert "poc-" in stopped.text
    assert "baseline" not in stopped.text
    page = await browser.get("/")
    assert f'href="/pocs/acme/{SECRET}"' not in page.text
    assert "Ticket triage" not in page.text
    for path in (f"/pocs/acme/{SECRET}", f"/pocs/acme/{SECRET}/record.md", f"/api/v1/pocs/acme/{SECRET}"):
        assert (await browser.get(path)).status_code == 404


@pytest.mark.asyncio
async def test_who_is_in_no_named_team_sees_no_rows(service: Service) -> None:
    browser = service.browser()
    await browser.log_in(LEADER)
    assert await browser.shown() == {f"acme/poc-{OPEN_ONE}"}


@pytest.mark.asyncio
async def test_what_is_known_of_a_person_is_not_shown_to_another(service: Service) -> None:
    first, second = service.browser(), service.browser()
    await first.log_in("jane-doe")
    await second.log_in(STRANGER)
    assert SECRET in (await first.get("/")).text
    assert SECRET not in (await second.get("/")).text


@pytest.mark.asyncio
async def test_access_that_ended_is_gone_at_once_where_it_was_asked_for(service: Service) -> None:
    browser, hub = service.browser(), service.github
    owner = hub.emulator.person("jane-doe")
    await browser.log_in("nora-n")
    assert f"acme/{SECRET}" in await browser.shown()
    try:
        owner.call("DELETE", "/orgs/acme/members/nora-n")
        assert f"acme/{SECRET}" in await browser.shown(), "kept for a while"
        assert (await browser.get(f"/pocs/acme/{SECRET}")).status_code == 404
        assert f"acme/{SECRET}" not in await browser.shown(), "refused at once"
        service.passes(timedelta(minutes=15, seconds=1))
        assert await browser.shown() == {f"acme/poc-{OPEN_ONE}"}
    finally:
        owner.call("PUT", "/orgs/acme/memberships/nora-n", {"role": "admin"})
        owner.close()


@pytest.mark.asyncio
async def test_what_is_a_little_old_is_shown_while_it_is_asked_for_anew(service: Service) -> None:
    browser, hub = service.browser(), service.github
    owner = hub.emulator.person("jane-doe")
    await browser.log_in("olaf-o")
    assert len(await browser.shown()) == len(NAMES)
    try:
        owner.call("DELETE", "/orgs/acme/members/olaf-o")
        service.passes(timedelta(minutes=6))
        assert len((await browser.get("/portfolio.json")).json()["pocs"]) > 1
        await asyncio.gather(*service.parts.visibility.under_way())
        assert await browser.shown() == {f"acme/poc-{OPEN_ONE}"}
    finally:
        owner.call("PUT", "/orgs/acme/memberships/olaf-o", {"role": "admin"})
        owner.close()
