"""What GitHub said somebody sees: how often it is asked, how long an answer is used, and what a page does
while there is none.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
import pytest_asyncio
from cryptography.fernet import Fernet
from sqlalchemy import Engine, text

from service.store.database import Database, transaction
from service.store.people import People
from service.web.oauth import AwayError, GitHubOAuth, LoggedOutError, PersonApi, Tokens, UserTokens
from service.web.visibility import GIVEN_UP, LONGEST, RENEWED, Visibility
from tests.harness.hub import API, ERIN, Hub, Nobody

POCS = 950


class Asking:
    """Somebody who is logged in, and the time."""

    def __init__(self, engine: Engine, hub: Hub, patience: float) -> None:
        self.now, self.hub = datetime(2026, 11, 28, 12, tzinfo=UTC), hub
        self.people = People(Database(engine))
        tokens = UserTokens(self.people, GitHubOAuth("id", "secret", API, "x"), Fernet(Fernet.generate_key()))
        api = PersonApi(API, httpx2.MockTransport(hub))
        self.visibility = Visibility(
            self.people, tokens, api, Nobody(), clock=lambda: self.now, patience=patience
        )
        sealed = tokens.sealed(Tokens("ghu_1"))
        self.people.log_in(ERIN, sealed, b"session", now=self.now, lasts=timedelta(days=1))

    async def sees(self) -> tuple[int, bool]:
        """How many POCs, and whether GitHub has answered about all."""
        seen = await self.visibility.of(ERIN.id)
        return len(seen.visible), seen.whole

    async def all_asked(self) -> None:
        await asyncio.gather(*self.visibility.under_way())


@pytest.fixture
def hub() -> Hub:
    return Hub(2 * POCS)


@pytest_asyncio.fixture
async def asking(engine: Engine, hub: Hub) -> AsyncIterator[Asking]:
    with transaction(engine) as session:
        connection = session.connection()
        connection.execute(
            text("INSERT INTO installation (id, account, permissions) VALUES (7, 'acme', '{}')")
        )
        connection.execute(
            text("""
            INSERT INTO repository (id, installation_id, full_name, topics, poc_reason)
            SELECT n, 7, 'acme/poc-' || n, '{}', 'topic' FROM generate_series(1, :n) n
            """),
            {"n": POCS},
        )
        connection.execute(
            text("""
            INSERT INTO poc (repository_id, charter_path, state, state_since)
            SELECT n, 'POC.md', 'building', now() FROM generate_series(1, :n) n
            """),
            {"n": POCS},
        )
    made = Asking(engine, hub, patience=20)
    yield made
    await made.visibility.close()


@pytest.mark.asyncio
async def test_a_hundred_are_asked_about_at_once_and_then_nobody_for_a_while(
    asking: Asking, hub: Hub
) -> None:
    hub.hidden = set(range(1, 11))
    assert await asking.sees() == (POCS - 10, True)
    assert (hub.calls.count("/graphql"), len(hub.calls)) == (10, 11)
    asking.now += RENEWED - timedelta(seconds=1)
    assert await asking.sees() == (POCS - 10, True)
    assert len(hub.calls) == 11


@pytest.mark.asyncio
async def test_many_pages_at_once_ask_once(asking: Asking, hub: Hub) -> None:
    assert set(await asyncio.gather(*(asking.sees() for _ in range(6)))) == {(POCS, True)}
    assert hub.calls.count("/graphql") == 10


@pytest.mark.asyncio
async def test_an_answer_is_renewed_behind_the_page_and_never_used_for_longer(
    asking: Asking, hub: Hub
) -> None:
    await asking.sees()
    hub.hidden = {1, 2, 3}
    asking.now += RENEWED
    assert await asking.sees() == (POCS, True), "the page does not wait"
    await asking.all_asked()
    assert await asking.sees() == (POCS - 3, True)
    hub.hidden = set(range(POCS + 1))
    asking.now += LONGEST
    assert await asking.sees() == (0, True), "this one waits"


@pytest.mark.asyncio
async def test_while_github_is_slow_a_page_shows_what_was_answered(asking: Asking, hub: Hub) -> None:
    hub.hold = lambda number: number > 9
    asking.visibility._patience = 0.3
    assert await asking.sees() == (800, False)


@pytest.mark.asyncio
async def test_without_an_answer_nothing_is_shown(asking: Asking, hub: Hub) -> None:
    hub.trouble = 502
    with pytest.raises(AwayError):
        await asking.sees()
    hub.trouble = 0
    assert await asking.sees() == (POCS, True), "the next one asks again"
    hub.trouble = 502
    asking.now += RENEWED
    assert await asking.sees() == (POCS, True)
    await asking.all_asked()
    asking.now += LONGEST
    with pytest.raises(AwayError):
        await asking.sees()


@pytest.mark.asyncio
async def test_one_poc_is_asked_about_each_time(asking: Asking, hub: Hub) -> None:
    assert await asking.visibility.may_read(ERIN.id, 1)
    assert hub.calls == ["/repositories/1"]
    hub.hidden = {1}
    assert not await asking.visibility.may_read(ERIN.id, 1)


@pytest.mark.asyncio
async def test_a_refusal_is_kept_though_an_older_question_says_otherwise(asking: Asking, hub: Hub) -> None:
    await asking.sees()
    asking.now += RENEWED
    released = asyncio.Event()
    answer = hub._graphql

    async def held(request: httpx2.Request) -> httpx2.Response:
        said = answer(json.loads(request.content)["query"]) if request.url.path == "/graphql" else None
        if said is None:
            return await Hub.__call__(hub, request)
        await released.wait()
        return said

    asking.visibility._api._client = httpx2.AsyncClient(transport=httpx2.MockTransport(held))
    await asking.sees()
    await asyncio.sleep(0)
    hub.hidden = {1}
    assert not await asking.visibility.may_read(ERIN.id, 1)
    released.set()
    await asking.all_asked()
    kept = asking.people.kept(ERIN.id)
    assert kept is not None
    assert (1 in kept.visible, len(kept.visible)) == (False, POCS - 1)


@pytest.mark.asyncio
@pytest.mark.parametrize("whole", [False, True], ids=["in part", "whole"])
@pytest.mark.parametrize("over", [False, True], ids=["while another asks", "after another has asked"])
async def test_a_question_that_was_given_up_answers_nothing(asking: Asking, over: bool, whole: bool) -> None:
    people, began = asking.people, asking.now
    later = began + GIVEN_UP + timedelta(seconds=1)
    assert people.begin_asking(ERIN.id, began, began - GIVEN_UP, anew=True)
    assert people.begin_asking(ERIN.id, later, later - GIVEN_UP, anew=True)
    people.keep(ERIN.id, {2}, {7}, asking_since=later, whole=over)
    before = people.kept(ERIN.id)
    people.keep(ERIN.id, {1, 2, 3}, {7, 8}, asking_since=began, whole=whole)
    people.stop_asking(ERIN.id, began)
    assert people.kept(ERIN.id) == before


@pytest.mark.asyncio
async def test_a_refusal_is_noted_once_however_often_it_is_asked_for(
    asking: Asking, hub: Hub, engine: Engine
) -> None:
    hub.hidden = {1}
    for _ in range(3):
        assert not await asking.visibility.may_read(ERIN.id, 1)
    with transaction(engine) as session:
        assert session.connection().execute(text("SELECT refused FROM person")).scalar_one() == [1]


@pytest.mark.asyncio
async def test_where_github_cannot_tell_about_one_poc_its_last_answer_counts(
    asking: Asking, hub: Hub
) -> None:
    hub.hidden = {1}
    await asking.sees()
    hub.trouble = 502
    assert await asking.visibility.may_read(ERIN.id, 2)
    assert not await asking.visibility.may_read(ERIN.id, 1)
    asking.now += LONGEST
    with pytest.raises(AwayError):
        await asking.visibility.may_read(ERIN.id, 2)


@pytest.mark.asyncio
async def test_without_graphql_the_repositories_of_each_installation_are_listed(
    asking: Asking, hub: Hub
) -> None:
    hub.has_graphql = False
    hub.hidden = {1}
    assert await asking.sees() == (POCS - 1, True)
    assert hub.calls.count("/user/installations/7/repositories") == 19


@pytest.mark.asyncio
async def test_a_token_that_is_refused_and_cannot_be_renewed_logs_out(asking: Asking, hub: Hub) -> None:
    hub.trouble = 401
    with pytest.raises(LoggedOutError):
        await asking.visibility.may_read(ERIN.id, 1)
    assert asking.people.logged_in(b"session", asking.now) is None
    with pytest.raises(LoggedOutError):
        await asking.sees()
