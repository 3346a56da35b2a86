"""Whose organisations somebody owns: how often GitHub is asked, and how long an answer is used."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from service.rules.queue import Failure, FailureKind
from service.rules.values.github import Installation
from service.store.database import Database
from service.store.installations import Installations
from service.store.portfolio import Portfolio
from service.web import readers
from service.web.readers import KEPT, KEPT_IN_PART, Organisations, Owners
from tests.harness.github import NOW, FakeApp

pytestmark = pytest.mark.asyncio

ACME, GLOBEX = 7, 8
ERIN = 5


class Asking:
    """One process of the web, two organisations, and the time."""

    def __init__(self, engine: Engine) -> None:
        self.now: datetime = NOW
        installed = [Installation(ACME, "Acme", {}), Installation(GLOBEX, "globex", {})]
        self.app, database = FakeApp(*installed), Database(engine)
        for each in installed:
            Installations(database).remember(each)
        organisations = Organisations(Portfolio(database), Installations(database), lambda: self.app)
        self.owners = Owners(organisations, lambda: self.now)
        self.app.githubs[ACME].owners = {"erin-x"}

    async def owned(self, person: int = ERIN, login: str = "erin-x") -> set[int]:
        return set(await self.owners.accounts_of(person, login))

    @property
    def asked(self) -> int:
        """How often an organisation was asked."""
        return sum(call.method == "is_owner" for github in self.app.githubs.values() for call in github.calls)


@pytest.fixture
def asking(engine: Engine) -> Asking:
    return Asking(engine)


async def test_many_pages_ask_each_organisation_once_in_a_while(asking: Asking) -> None:
    together = await asyncio.gather(*(asking.owned() for _ in range(5)))
    asking.now += KEPT - timedelta(seconds=1)
    assert [*together, await asking.owned()] == [{ACME}] * 6
    assert asking.asked == 2
    asking.app.githubs[ACME].owners = set()
    asking.now += timedelta(seconds=1)
    assert await asking.owned() == set()
    assert asking.asked == 4


async def test_that_somebody_owns_nothing_is_kept_too(asking: Asking) -> None:
    for _ in range(3):
        assert await asking.owned(6, "stranger") == set()
    assert asking.asked == 2


async def test_who_takes_a_login_takes_no_answer_with_it(asking: Asking) -> None:
    assert await asking.owned() == {ACME}
    asking.app.githubs[ACME].owners = set()
    assert await asking.owned(6, "erin-x") == set()


async def test_what_github_did_not_say_is_asked_again_soon(asking: Asking) -> None:
    asking.app.githubs[ACME].fail_next(Failure(FailureKind.TRANSIENT, "GitHub says 502"))
    assert await asking.owned() == set()
    assert await asking.owned() == set()
    assert asking.asked == 2
    asking.now += KEPT_IN_PART
    assert await asking.owned() == {ACME}


async def test_answers_are_kept_of_so_many_people(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MOST_KEPT", 2)
    for person in (1, 2, 3):
        await asking.owned(person, f"person-{person}")
    assert [person for person, _ in asking.owners._kept] == [2, 3]
    assert not asking.owners._asking
