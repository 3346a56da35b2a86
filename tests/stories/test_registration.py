"""Registration: many repositories at a time, a POC in few calls, and by one reconciliation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from service.ports import GitHubError
from service.reconcile.registration import gather, registered
from service.rules.queue import FailureKind
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.github import PullRequest, Repository, RepositoryRef
from service.rules.values.subjects import installation_key, pull_request_key, repository_key
from service.store import subjects
from service.store.database import LockClass, lock, transaction
from service.worker import reconcile_while_dirty
from tests.harness.charters import GOOD, LATER
from tests.harness.deliveries import described
from tests.harness.github import NOW, PERMISSIONS, Call, charter_file, repository
from tests.harness.snapshots import Snapshots
from tests.harness.world import BASE, HEAD, INSTALLATION, POC, World

TOOL = repository(2, "acme/tool")
TOOLS = [repository(number, f"acme/tool-{number}") for number in range(1, 251)]


@pytest.fixture
def world(snapshots: Snapshots) -> Iterator[World]:
    with snapshots.of(World) as made:
        yield made


def looked_at(world: World) -> list[str]:
    return [state.key for state in world.states() if state.key.startswith("repository:")]


def calls(world: World) -> list[str]:
    return [call.method for call in world.github.calls]


def test_repositories_that_are_no_poc_cost_a_call_a_hundred_and_no_look(world: World) -> None:
    world.install(*TOOLS)
    assert calls(world) == ["repositories", "charter_files"] * 3
    assert looked_at(world) == []
    outcome = "250 repositories listed, 0 to look at, 250 no POC"
    assert world.outcome(installation_key(INSTALLATION)) == outcome
    world.github.forget_calls()
    world.sweep()
    assert calls(world) == ["repositories"] * 3


@pytest.mark.parametrize(
    ("many", "made"),
    [
        pytest.param(20, ["repository", "charter_file"] * 20, id="a few"),
        pytest.param(21, ["repositories", "charter_files"], id="many"),
    ],
)
def test_many_that_are_added_at_once_are_listed(world: World, many: int, made: list[str]) -> None:
    added = [{"id": each.id, "full_name": each.full_name} for each in TOOLS[:many]]
    for each in TOOLS[:many]:
        world.github.add(each)
    world.deliver("installation_repositories", action="added", repositories_added=added)
    world.work()
    assert calls(world) == made
    known = world.services.store.repositories.known(INSTALLATION)
    assert [each.charter for each in known] == [charter_file(None)] * many


def test_a_poc_is_registered_by_one_call_of_its_own(world: World) -> None:
    repo = world.github.add(TOOL)
    repo.write(GOOD, "main", HEAD)
    repo.pull_requests = [PullRequest(2, 5, HEAD, "main", BASE, "jane-doe", "open", NOW)]
    repo.branches[5] = "work"
    world.install(TOOL)
    outcome = world.outcome(repository_key(2))
    assert outcome is not None
    assert outcome.startswith("POC by its `POC.md`")
    made = [call.method for call in world.github.made("charter_file", "beginnings", "history")]
    assert made.count("beginnings") == 1
    assert "history" not in made
    assert world.github.made("open_pull_requests") == []
    assert Call("charter_file", ("main",)) not in world.github.calls
    known = world.services.store.repositories.find(2)
    assert known is not None
    assert known.charter == charter_file(GOOD)
    assert (known.chartered_at, known.charter_changed_at) == (NOW, NOW)
    assert "charter: success" in (world.outcome(pull_request_key(2, 5)) or "")


def test_without_graphql_each_is_read_by_itself(world: World) -> None:
    world.github.has_graphql = False
    world.github.add(POC).write(GOOD, "main")
    world.install(POC, TOOL)
    assert looked_at(world) == [repository_key(1), repository_key(2)]
    read = [call.repository_id for call in world.github.made("charter_file")]
    assert read == [1, 2]
    assert {"open_pull_requests", "history"} < set(calls(world))


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(charter_file("docs/POC.md"), id="a link's blob, or another POC.md"),
        pytest.param(CharterFile(FileKind.DIRECTORY), id="a directory"),
        pytest.param(CharterFile(FileKind.SYMLINK, None, "a" * 40, 12), id="what GitHub tells too little of"),
    ],
)
def test_what_may_be_a_charter_is_read_by_itself(world: World, file: CharterFile) -> None:
    world.github.add(TOOL).files["main"] = file
    world.install(TOOL)
    assert Call("charter_file", ("main",)) in world.github.calls
    assert world.outcome(repository_key(2)) == "not a POC"


def test_a_poc_by_its_name_is_read_where_nothing_seems_to_stand(world: World) -> None:
    """What tells of a hundred shows a submodule as nothing."""
    world.github.add(POC).files["main"] = CharterFile(FileKind.SUBMODULE)
    world.install(POC)
    known = world.services.store.repositories.find(1)
    assert known is not None
    assert known.charter == CharterFile(FileKind.SUBMODULE)


def test_what_turns_out_to_be_a_poc_later_is_read_again(world: World) -> None:
    world.github.add(TOOL).files["main"] = CharterFile(FileKind.SUBMODULE)
    world.install(TOOL)
    chosen = replace(TOOL, topics=("poc",), updated_at=NOW + timedelta(minutes=1))
    world.deliver("repository", action="edited", repository=described(chosen))
    world.work()
    known = world.services.store.repositories.find(2)
    assert known is not None
    assert known.charter == CharterFile(FileKind.SUBMODULE)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("poc_reason = 'topic `poc`'", id="it turned out to be a POC"),
        pytest.param("full_name = 'acme/other'", id="it was renamed"),
        pytest.param("default_branch = 'trunk'", id="it has another default branch"),
        pytest.param("installation_id = 8", id="it left the installation"),
    ],
)
def test_what_changed_since_github_was_asked_is_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    asked = world.github.charter_files

    def changing(repositories: Sequence[RepositoryRef]) -> Mapping[int, CharterFile]:
        with transaction(world.services.engine) as session:
            session.connection().execute(text(f"UPDATE repository SET {change}"))
        return asked(repositories)

    monkeypatch.setattr(world.github, "charter_files", changing)
    world.github.add(TOOL)
    world.deliver("installation", action="created", installation=installation(), repositories=[])
    reconcile_while_dirty(world.services, installation_key(INSTALLATION))
    with transaction(world.services.engine) as session:
        kind = session.connection().execute(text("SELECT charter_kind FROM repository")).scalar_one()
    assert kind is None
    assert looked_at(world) == [repository_key(2)]


def installation() -> dict[str, Any]:
    account = {"login": "acme", "type": "Organization"}
    return {"id": INSTALLATION, "account": account, "permissions": PERMISSIONS}


def test_what_was_a_poc_is_looked_at_though_it_is_none(world: World) -> None:
    world.github.add(POC).write(GOOD, "main")
    world.install(POC)
    gone = opted_out(POC)
    world.github.repos[1].described = gone
    world.sweep()
    assert world.outcome(repository_key(1)) == "not a POC"


def opted_out(found: Repository) -> Repository:
    return replace(found, topics=("not-a-poc",), updated_at=NOW + timedelta(minutes=1))


def test_who_comes_while_it_is_registered_waits_and_finds_it_done(world: World) -> None:
    world.github.add(POC).write(GOOD, "main", HEAD)
    with lock(world.services.engine, LockClass.REGISTRATION, "1"):
        world.pull_request()
        waiting = world.state(pull_request_key(1, 5))
        assert waiting.last_error == "acme/poc-triage is being registered by another reconciliation"
        assert waiting.waits_until == world.now + timedelta(seconds=1)
        assert world.github.calls == []
    world.work(waited=True)
    assert world.outcome(pull_request_key(1, 5)) == "POC charter: success, Charter complete"


def test_who_began_before_it_was_registered_begins_again(world: World) -> None:
    world.install(POC)
    world.services.store.repositories.reread_pocs(INSTALLATION)
    with transaction(world.services.engine) as session:
        claim = subjects.peek(session, repository_key(1), None)
    ctx = world.services.reconciliation(claim)
    poc = gather(ctx, 1)
    world.services.store.repositories.register(
        1, "its name", charter_file(GOOD), declared=True, at=NOW, tell_pull_requests=False
    )
    with pytest.raises(GitHubError) as caught:
        registered(ctx, poc)
    ctx.close()
    assert (caught.value.failure.kind, caught.value.failure.until) == (FailureKind.PACED, world.now)


def test_a_charter_that_is_pushed_while_a_topic_excludes_it_is_read_after_that(world: World) -> None:
    world.github.add(TOOL).write(GOOD, "main", BASE)
    world.install(TOOL)

    def has(topics: tuple[str, ...], minutes: int) -> Repository:
        edited = replace(TOOL, topics=topics, updated_at=NOW + timedelta(minutes=minutes))
        world.deliver("repository", action="edited", repository=described(edited))
        world.work()
        return edited

    excluded = has(("not-a-poc",), 1)
    world.github.repos[TOOL.id].write(LATER, "main", HEAD)
    world.push("POC.md", at=NOW + timedelta(minutes=2), found=excluded)
    has((), 3)
    known = world.services.store.repositories.find(TOOL.id)
    assert known is not None
    assert (known.poc_reason, known.charter) == ("its `POC.md`", charter_file(LATER))
