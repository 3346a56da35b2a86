"""Whose rows somebody sees: those of the organisations whose policies name a team of theirs."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from service.rules.queue import Failure, FailureKind
from service.rules.values.github import Installation
from service.store.database import Database, transaction
from service.store.installations import Installations
from service.store.portfolio import Portfolio
from service.store.tables_waiting import PolicyRow
from service.web.readers import Organisations, TeamReaders
from tests.harness.github import NOW, FakeApp, FakeGitHub

ACME, GLOBEX, SILENT = 7, 8, 9


@pytest.fixture
def app(engine: Engine) -> FakeApp:
    """Two organisations with readers, and one without a policy."""
    made = FakeApp(*(Installation(each, name, {}) for each, name in ((ACME, "Acme"), (GLOBEX, "globex"))))
    for each in (ACME, GLOBEX, SILENT):
        made.githubs[each] = FakeGitHub()
    store = Installations(Database(engine))
    for each, name in ((ACME, "Acme"), (GLOBEX, "globex"), (SILENT, "silent")):
        store.remember(Installation(each, name, {}))
    govern(engine, ACME, "[acme/leaders, acme/board, globex/board]")
    govern(engine, GLOBEX, "[globex/board]")
    return made


def govern(engine: Engine, installation: int, readers: str) -> None:
    text = f"policy: 1\nportfolio_readers: {readers}\n"
    with transaction(engine) as session:
        session.add(
            PolicyRow(installation_id=installation, repository_id=1, good_text=text, findings=[], read_at=NOW)
        )


def readers(engine: Engine, app: FakeApp) -> TeamReaders:
    database = Database(engine)
    return TeamReaders(Organisations(Portfolio(database), Installations(database), lambda: app))


@pytest.mark.asyncio
async def test_a_member_of_a_named_team_reads_that_organisation(engine: Engine, app: FakeApp) -> None:
    app.githubs[ACME].teams = {"acme/board": {"erin-x"}}
    assert await readers(engine, app).installations_of("erin-x") == {ACME}
    assert await readers(engine, app).installations_of("stranger") == set()


@pytest.mark.asyncio
async def test_a_team_of_another_organisation_counts_for_nothing(engine: Engine, app: FakeApp) -> None:
    # Also where the installation could see it: only its own teams are asked about.
    app.githubs[ACME].teams = app.githubs[GLOBEX].teams = {"globex/board": {"erin-x"}}
    assert await readers(engine, app).installations_of("erin-x") == {GLOBEX}
    assert all(call.about[0] == "acme" for call in app.githubs[ACME].calls)


@pytest.mark.asyncio
async def test_what_github_does_not_say_is_no_permission(engine: Engine, app: FakeApp) -> None:
    app.githubs[ACME].teams = {"acme/leaders": {"erin-x"}}
    app.githubs[GLOBEX].teams = {"globex/board": {"erin-x"}}
    app.githubs[ACME].fail_next(Failure(FailureKind.REFUSED, "members was not granted"))
    assert await readers(engine, app).installations_of("erin-x") == {GLOBEX}


@pytest.mark.asyncio
async def test_an_installation_that_is_suspended_or_gone_shows_nothing(engine: Engine, app: FakeApp) -> None:
    app.githubs[ACME].teams = {"acme/leaders": {"erin-x"}}
    Installations(Database(engine)).remember(Installation(ACME, "Acme", {}, suspended_at=NOW))
    assert await readers(engine, app).installations_of("erin-x") == set()


@pytest.mark.asyncio
async def test_without_a_team_the_app_is_not_even_made(engine: Engine) -> None:
    def never() -> FakeApp:
        raise AssertionError

    database = Database(engine)
    asked = TeamReaders(Organisations(Portfolio(database), Installations(database), never))
    assert await asked.installations_of("erin-x") == set()
