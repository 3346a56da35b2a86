"""The deliveries page: what came in, what followed, and what failed, for the owners of an organisation."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import Engine, text

from service.ports import GitHubError
from service.rules.queue import DeliveryAttempt, Failure, FailureKind
from service.rules.values.github import Installation
from service.store.database import transaction
from service.store.subjects import stored_id
from service.store.tables import Delivery, InstallationRow, Subject
from tests.harness.github import FakeApp
from tests.harness.login import STRANGER, GitHub, Service
from tests.harness.portfolio import INSTALLATION, NOW

OTHER = 9
OWNER = "jane-doe"


@pytest.fixture
def app() -> FakeApp:
    """Two organisations; one of them has an owner who logs in."""
    made = FakeApp(Installation(INSTALLATION, "acme", {}), Installation(OTHER, "globex", {}))
    made.githubs[INSTALLATION].owners = {OWNER}
    now = datetime.now(UTC)
    for number, (guid, installation) in enumerate(
        (("lost", INSTALLATION), ("lost", INSTALLATION), ("stored-1", INSTALLATION), ("theirs", OTHER))
    ):
        at = now - timedelta(minutes=10 - number)
        made.attempts.append(DeliveryAttempt(number, guid, at, 503, "issues", "closed", installation))
    return made


@pytest_asyncio.fixture
async def service(engine: Engine, hub: GitHub, app: FakeApp) -> AsyncIterator[Service]:
    made = Service(engine, hub, app=app)
    yield made
    await made.close()


def store(engine: Engine, number: int, installation: int, subjects: list[str], ignored: str = "") -> None:
    with transaction(engine) as session:
        session.add(
            Delivery(
                delivery_id=UUID(stored_id(f"stored-{number}")),
                event="pull_request",
                action="opened",
                body_sha256=b"",
                installation_id=installation,
                repository_id=1,
                subjects=subjects,
                ignored=ignored or None,
            )
        )


def subject(engine: Engine, key: str, *, wanted: int = 1, **columns: Any) -> None:
    with transaction(engine) as session:
        session.add(Subject(key=key, wanted=wanted, done=1, touched=NOW, **columns))


@pytest.fixture
def told(engine: Engine) -> None:
    """Deliveries of both organisations, of which some failed."""
    with transaction(engine) as session:
        session.add(InstallationRow(id=OTHER, account="globex", permissions={}))
    at = datetime(2026, 11, 28, 12, tzinfo=UTC)
    subject(engine, "pull_request:1:7", looked_at=at, outcome="POC charter: success")
    subject(engine, "pull_request:1:8", wanted=2, attempts=3, last_error="GitHub says 502", not_before=at)
    subject(engine, "repository:1", dead_since=at, last_error="refused: no access", outcome="gave up")
    subject(engine, "pull_request:1:9", wanted=2)
    keys = ("pull_request:1:7", "pull_request:1:8", "repository:1", "pull_request:1:9", "policy:8150")
    for number, key in enumerate(keys, 1):
        store(engine, number, INSTALLATION, [key])
    store(engine, 6, INSTALLATION, [], "not a POC")
    store(engine, 7, OTHER, ["repository:77"])


def words(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.mark.asyncio
@pytest.mark.usefixtures("told")
async def test_an_owner_sees_what_came_in_and_what_followed(service: Service) -> None:
    browser = service.browser()
    await browser.log_in(OWNER)
    page = await browser.get("/deliveries")
    assert page.status_code == 200
    said = words(page.text)
    for each in (
        "#7 2026-11-28 12:00:00: POC charter: success",
        "#8 not done yet after 3 attempts, tried again 2026-11-28 12:00:00: GitHub says 502",
        "the repository given up 2026-11-28 12:00:00: refused: no access",
        "#9 waits for its turn",
        "the policy we don't know anything about it any more",
        "Nothing: not a POC",
        "What GitHub told us about acme",
    ):
        assert each in said
    assert said.count("Ask GitHub again") == 1, "one that is not here, however often it was tried"
    assert "globex" not in said
    assert page.text.count("Look again: pull_request.opened") == 6
    failed = await browser.get("/deliveries?show=failed")
    assert failed.text.count("Look again: pull_request.opened") == 2


@pytest.mark.asyncio
@pytest.mark.usefixtures("told")
async def test_nobody_else_sees_any(service: Service) -> None:
    browser = service.browser()
    answer = await browser.get("/deliveries")
    assert answer.headers["Location"] == "/login?to=/deliveries"
    for login in (STRANGER, "erin-x"):
        other = service.browser()
        await other.log_in(login)
        page = await other.get("/deliveries")
        assert page.status_code == 404
        assert "pull_request" not in page.text
        proof = await other.csrf("/settings/tokens")
        for path in ("/deliveries/1/look", "/deliveries/missed/1/again"):
            assert (await other.post(path, csrf=proof)).status_code == 404


@pytest.mark.asyncio
@pytest.mark.usefixtures("told")
async def test_looking_again_marks_what_a_delivery_is_about(service: Service, engine: Engine) -> None:
    browser = service.browser()
    await browser.log_in(OWNER)
    page = await browser.get("/deliveries")
    proof = await browser.csrf("/deliveries")
    looks = [int(each) for each in re.findall(r'action="/deliveries/(\d+)/look"', page.text)]

    def dirty() -> set[str]:
        with transaction(engine) as session:
            rows = session.connection().execute(text("SELECT key FROM subject WHERE wanted > done"))
            return set(rows.scalars())

    assert (await browser.post(f"/deliveries/{looks[-1]}/look")).status_code == 403
    before = dirty()
    answer = await browser.post(f"/deliveries/{looks[-1]}/look", csrf=proof)
    assert (answer.status_code, dirty() - before) == (200, {"pull_request:1:7"})
    await browser.post(f"/deliveries/{looks[0]}/look", csrf=proof)
    assert "repository:1" in dirty(), "what marked nothing is about its repository"
    assert (await browser.post(f"/deliveries/{max(looks) + 1}/look", csrf=proof)).status_code == 404


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "number",
    ["0", str(2**63 - 1), str(2**63), "9" * 5000, "0" * 5000 + "1", "-1", "x", "١"],
    ids=["none", "the last", "too large", "many digits", "many zeros", "negative", "a word", "not ASCII"],
)
async def test_a_number_in_an_address_that_is_nothing_of_theirs(service: Service, number: str) -> None:
    browser = service.browser()
    await browser.log_in(OWNER)
    proof = await browser.csrf("/settings/tokens")
    for path, status in (
        (f"/deliveries/{number}/look", 404),
        (f"/deliveries/missed/{number}/again", 404),
        (f"/settings/tokens/{number}/revoke", 303),
    ):
        assert (await browser.post(path)).status_code == 403, "who sends it is asked first"
        # The attempts of the fake begin with 0.
        if path != "/deliveries/missed/0/again":
            assert (await browser.post(path, csrf=proof)).status_code == status


@pytest.mark.asyncio
@pytest.mark.usefixtures("told")
async def test_a_personal_token_writes_nothing(service: Service, app: FakeApp) -> None:
    browser = service.browser()
    await browser.log_in(OWNER)
    proof = await browser.csrf("/settings/tokens")
    made = await browser.post("/settings/tokens", csrf=proof, name="report", days="7")
    token = re.search(r"pocg_[\w-]{43}", made.text)
    page = await browser.get("/deliveries")
    looks = re.findall(r'action="(/deliveries/\d+/look)"', page.text)
    assert token
    # Also not beside a session, whose proof its person knows.
    browser.http.headers["Authorization"] = f"Bearer {token[0]}"
    assert (await browser.get("/deliveries")).status_code == 303
    for path in (looks[0], "/deliveries/missed/1/again", "/settings/tokens"):
        assert (await browser.post(path, csrf=proof, name="x", days="7")).status_code == 403
    assert app.redelivered == []


@pytest.mark.asyncio
@pytest.mark.usefixtures("told")
async def test_github_is_asked_again_for_what_it_could_not_hand_over(service: Service, app: FakeApp) -> None:
    browser = service.browser()
    await browser.log_in(OWNER)
    proof = await browser.csrf("/deliveries")
    assert (await browser.post("/deliveries/missed/1/again")).status_code == 403
    assert (await browser.post("/deliveries/missed/3/again", csrf=proof)).status_code == 404, "another's"
    assert (await browser.post("/deliveries/missed/1/again", csrf=proof)).status_code == 200
    assert app.redelivered == [1]


@pytest.mark.asyncio
@pytest.mark.usefixtures("told")
async def test_the_page_does_without_githubs_list(
    service: Service, app: FakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_since: datetime) -> None:
        raise GitHubError(Failure(FailureKind.TRANSIENT, "GitHub says 502"))

    monkeypatch.setattr(app, "failed_deliveries", away)
    browser = service.browser()
    await browser.log_in(OWNER)
    page = await browser.get("/deliveries")
    assert "GitHub doesn't say at the moment" in page.text
    assert "POC charter: success" in page.text
    proof = await browser.csrf("/deliveries")
    assert (await browser.post("/deliveries/missed/1/again", csrf=proof)).status_code == 502


@pytest.mark.asyncio
async def test_older_deliveries_have_a_page_of_their_own(service: Service, engine: Engine) -> None:
    for number in range(51):
        store(engine, number, INSTALLATION, [], "not a POC")
    browser = service.browser()
    await browser.log_in(OWNER)
    first = await browser.get("/deliveries")
    older = re.search(r'href="(/deliveries\?before=\d+)">Older', first.text)
    assert older
    second = await browser.get(older[1])
    assert (first.text.count("Look again:"), second.text.count("Look again:")) == (50, 1)
    assert "Older" not in second.text
    for wrong in ("x", "-1", "9" * 30, "0" * 5000, "0" * 40 + "1"):
        assert (await browser.get(f"/deliveries?before={wrong}")).status_code == 400


@pytest.mark.asyncio
@pytest.mark.usefixtures("told")
async def test_a_repository_that_was_transferred_shows_nothing_to_who_had_it(
    service: Service, engine: Engine
) -> None:
    browser = service.browser()
    await browser.log_in(OWNER)
    looks = re.findall(r'action="(/deliveries/\d+/look)"', (await browser.get("/deliveries")).text)
    with transaction(engine) as session:
        session.execute(text("UPDATE repository SET installation_id = :other WHERE id = 1"), {"other": OTHER})
    page = await browser.get("/deliveries")
    assert "pull_request.opened" not in page.text
    proof = await browser.csrf("/settings/tokens")
    assert (await browser.post(looks[0], csrf=proof)).status_code == 404
