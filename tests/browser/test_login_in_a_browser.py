"""Logging in with GitHub in Chromium, over http on this machine and behind TLS: who sees what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from service.demo.emulator import free_port
from service.store.database import connect, transaction
from service.store.tables import Delivery
from service.store.tables_waiting import PolicyRow
from tests.harness.chromium import Opened, violations
from tests.harness.database import Server
from tests.harness.login import LEADER, MEMBERS, OPEN_ONE, STRANGER, GitHub, Service, github
from tests.harness.pages_served import certificate_of_localhost, served
from tests.harness.portfolio import INSTALLATION, NOW, fill

pytestmark = pytest.mark.browser

POC = "/pocs/acme/poc-ticket-triage"
PHONE = {"width": 360, "height": 800}
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
WITH_READERS = "policy: 1\nportfolio_readers: [acme/leaders]\n"


@dataclass(frozen=True)
class Place:
    """The same service under two addresses."""

    http: str
    https: str
    github: GitHub


@pytest.fixture(scope="module")
def place(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    plain, secure = free_port(), free_port()
    http, https = f"http://localhost:{plain}", f"https://localhost:{secure}"
    certificate = certificate_of_localhost(tmp_path_factory.mktemp("tls"))
    with github(f"{http}/login/callback", f"{https}/login/callback") as hub, server.database() as url:
        engine = connect(url)
        fill(engine)
        with transaction(engine) as session:
            row = PolicyRow(
                installation_id=INSTALLATION,
                repository_id=1,
                good_text=WITH_READERS,
                findings=[],
                read_at=NOW,
            )
            session.merge(row)
            session.add(
                Delivery(
                    delivery_id=uuid4(),
                    event="pull_request",
                    action="opened",
                    body_sha256=b"",
                    installation_id=INSTALLATION,
                    repository_id=1,
                    subjects=["pull_request:1:7"],
                )
            )
        services = [Service(engine, hub, public_url=each) for each in (http, https)]
        with served(services[0].app, plain, http), served(services[1].app, secure, https, certificate):
            yield Place(http, https, hub)
        engine.dispose()


def log_in(page: Page, login: str) -> None:
    """Click through: our button, then oneself on the emulator's page."""
    page.get_by_role("link", name="Log in with GitHub").click()
    page.get_by_role("button", name=login).click()


@pytest.mark.parametrize("tls", [False, True], ids=["http", "tls"])
def test_somebody_logs_in_looks_and_leaves(opened: Opened, place: Place, tls: bool) -> None:
    address = place.https if tls else place.http
    page = opened(f"{address}/", ignore_https_errors=True)
    assert violations(page) == []
    log_in(page, MEMBERS[0])
    expect(page.get_by_role("link", name="poc-ticket-triage").first).to_be_visible()
    assert violations(page) == []
    [cookie] = [each for each in page.context.cookies() if "poc-governor-session" in each["name"]]
    assert (cookie["httpOnly"], cookie["secure"]) == (True, tls)
    assert cookie["name"].startswith("__Host-") == tls
    page.goto(f"{address}{POC}")
    expect(page.get_by_role("heading", name="Ticket triage")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Log in with GitHub")).to_be_visible()
    page.goto(f"{address}{POC}")
    assert "Ticket triage" not in page.content()


def test_an_owner_looks_at_deliveries_and_has_one_looked_at_again(opened: Opened, place: Place) -> None:
    page = opened(f"{place.http}/", viewport=PHONE)
    log_in(page, MEMBERS[1])
    page.get_by_role("link", name="Deliveries").click()
    expect(page.get_by_text("GitHub doesn't say at the moment")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate(TOO_WIDE) == 0
    page.get_by_role("button", name="Look again").first.click()
    expect(page.get_by_role("heading", name="Marked")).to_be_visible()
    page.get_by_role("link", name="To the deliveries").click()
    expect(page.get_by_text("waits for its turn")).to_be_visible()


def test_somebody_makes_a_token_and_revokes_it(opened: Opened, place: Place) -> None:
    page = opened(f"{place.http}/", viewport=PHONE)
    log_in(page, MEMBERS[2])
    page.get_by_role("link", name="Tokens").click()
    page.get_by_label("What it is for").fill("our portal")
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_text("pocg_")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate(TOO_WIDE) == 0
    page.get_by_role("button", name="Revoke our portal").click()
    expect(page.get_by_text("You have no valid token")).to_be_visible()


def test_a_stranger_sees_what_is_public_and_nothing_of_the_rest(opened: Opened, place: Place) -> None:
    page = opened(f"{place.http}/?tab=shipped")
    log_in(page, STRANGER)
    expect(page.get_by_role("link", name=f"poc-{OPEN_ONE}").first).to_be_visible()
    page.get_by_role("link", name="Open").click()
    expect(page.get_by_text("None open yet")).to_be_visible()
    assert "riage" not in page.content()
    answer = page.request.get(f"{place.http}{POC}")
    assert answer.status == 404
    assert "riage" not in answer.text()


def test_a_reader_of_the_team_sees_rows_and_no_page(opened: Opened, place: Place) -> None:
    page = opened(f"{place.http}/?find=triage")
    log_in(page, LEADER)
    expect(page.get_by_text("poc-ticket-triage").first).to_be_visible()
    assert page.get_by_role("link", name="poc-ticket-triage").count() == 0
    assert page.request.get(f"{place.http}{POC}").status == 404
