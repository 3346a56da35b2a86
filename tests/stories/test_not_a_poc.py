"""A ruleset that requires the check run in a repository that is no POC must not block it for ever."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.rules.queue import Failure, FailureKind
from service.rules.values.actions import CHARTER_CHECK
from service.rules.values.github import Repository
from service.rules.values.subjects import pull_request_key
from service.store.litter import delete_litter
from tests.harness.charters import GOOD
from tests.harness.deliveries import described
from tests.harness.github import CheckRun, repository
from tests.harness.org import HOME
from tests.harness.snapshots import Snapshots
from tests.harness.world import BASE, FORK_POINT, HEAD, NEXT, NO, POC, World, charter_runs

WEBSITE = repository(2, full_name="acme/website")
OPTED_OUT = repository(2, topics=["not-a-poc"])
KEY = pull_request_key(2, 5)


@pytest.fixture
def world(snapshots: Snapshots) -> Iterator[World]:
    with snapshots.of(World) as made:
        yield made


def runs(world: World, found: Repository = WEBSITE) -> list[CheckRun]:
    return charter_runs(world.github.repos[found.id])


def install(world: World, found: Repository = WEBSITE, **required: tuple[str, ...]) -> None:
    """A repository that is no POC, with the check runs that its branches require."""
    world.github.add(found).required |= required
    world.install(found)
    world.github.forget_calls()


def asked(world: World) -> list[str]:
    return [str(call) for call in world.github.made("requires_check")]


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        pytest.param(WEBSITE, "", id="nothing speaks for it"),
        pytest.param(OPTED_OUT, " (topic not-a-poc)", id="it opted out"),
        pytest.param(repository(2, fork=True), " (a fork)", id="a fork"),
        pytest.param(replace(HOME, id=2), " (the organization's .github repository)", id="the policy's own"),
    ],
)
def test_it_passes_where_the_branch_requires_it(world: World, found: Repository, reason: str) -> None:
    install(world, found, main=(CHARTER_CHECK, "build"))
    world.pull_request(repository=found)
    [run] = runs(world, found)
    assert (run.head_sha, run.output.conclusion, run.output.title) == (HEAD, "success", "Not a POC")
    assert f"This repository isn't a POC{reason}, so it needs no charter." in run.output.summary


@pytest.mark.parametrize("required", [{}, {"main": ("build",)}, {"release": (CHARTER_CHECK,)}], ids=str)
def test_nothing_is_written_where_it_does_not(world: World, required: dict[str, Any]) -> None:
    install(world, **required)
    world.pull_request(repository=WEBSITE)
    assert world.github.writes == []
    assert world.outcome(KEY) == "not a POC"


def test_it_is_asked_once_a_day_for_each_branch(world: World) -> None:
    install(world)
    for number in range(5, 8):
        world.pull_request(repository=WEBSITE, number=number)
    assert asked(world) == ["requires_check main"]
    world.pull_request(repository=WEBSITE, base_ref="release/1", number=8)
    world.github.repos[2].required["main"] = (CHARTER_CHECK,)
    world.now += timedelta(days=1)
    world.pull_request("edited", repository=WEBSITE, at=world.now)
    assert asked(world) == ["requires_check main", "requires_check release/1", "requires_check main"]
    assert len(runs(world)) == 1


def test_each_head_gets_one(world: World) -> None:
    install(world, main=(CHARTER_CHECK,))
    world.pull_request(repository=WEBSITE)
    world.pull_request("synchronize", head=NEXT, repository=WEBSITE, at=world.now + timedelta(minutes=1))
    world.pull_request("edited", head=NEXT, repository=WEBSITE, at=world.now + timedelta(minutes=2))
    assert [run.head_sha for run in runs(world)] == [HEAD, NEXT]
    assert len(asked(world)) == 1


def test_a_merge_queues_head_gets_one(world: World) -> None:
    install(world, main=(CHARTER_CHECK,))
    group = {"head_sha": NEXT, "base_sha": BASE, "base_ref": "refs/heads/main"}
    world.deliver("merge_group", action="checks_requested", merge_group=group, repository=described(WEBSITE))
    world.work()
    assert [run.head_sha for run in runs(world)] == [NEXT]


def test_a_check_that_is_asked_for_again_is_completed_again(world: World) -> None:
    install(world, main=(CHARTER_CHECK,))
    world.pull_request(repository=WEBSITE)
    run = {"id": runs(world)[0].id, "head_sha": HEAD}
    world.deliver("check_run", action="rerequested", check_run=run, repository=described(WEBSITE))
    world.work()
    assert runs(world)[0].completions == 2


@pytest.mark.parametrize("failure", [NO, Failure(FailureKind.TRANSIENT, "GitHub says 502")])
def test_a_head_that_could_not_be_written_to_is_found_by_the_sweep(world: World, failure: Failure) -> None:
    install(world, main=(CHARTER_CHECK,))
    world.github.fail_next(failure, "create_check_run")
    world.pull_request(repository=WEBSITE)
    assert runs(world) == []
    world.work(waited=True)
    world.sweep()
    assert len(runs(world)) == 1


def test_an_archived_repository_gets_none(world: World) -> None:
    install(world, replace(WEBSITE, archived=True), main=(CHARTER_CHECK,))
    world.pull_request(repository=replace(WEBSITE, archived=True))
    assert world.github.calls == []


def test_a_poc_that_opts_out_has_its_open_pull_requests_pass(world: World) -> None:
    world.github.add(POC).write(None, "main", BASE, FORK_POINT, HEAD)
    world.github.repos[1].required["main"] = (CHARTER_CHECK,)
    world.install(POC)
    world.pull_request()
    assert charter_runs(world.github.repos[1])[-1].output.conclusion == "action_required"
    out = repository(topics=["not-a-poc"], updated_at=world.now + timedelta(minutes=1))
    world.deliver("repository", action="edited", repository=described(out))
    world.work()
    assert charter_runs(world.github.repos[1])[-1].output.title == "Not a POC"


def test_a_repository_that_becomes_a_poc_gets_its_verdict(world: World) -> None:
    install(world, main=(CHARTER_CHECK,))
    world.pull_request(repository=WEBSITE)
    world.github.repos[2].write(GOOD, "main", HEAD, BASE)
    world.github.repos[2].pull_requests = []
    world.push("POC.md", at=world.now + timedelta(minutes=1), found=WEBSITE)
    world.work()
    world.pull_request("edited", repository=WEBSITE, at=world.now + timedelta(minutes=2))
    assert runs(world)[-1].output.title == "Charter complete"


def test_it_can_be_asked_for_again_however_old_the_pull_request_is(world: World) -> None:
    install(world, main=(CHARTER_CHECK,))
    world.pull_request(repository=WEBSITE)
    delete_litter(world.services.engine, day=timedelta())
    run = {"id": runs(world)[0].id, "head_sha": HEAD}
    world.deliver("check_run", action="rerequested", check_run=run, repository=described(WEBSITE))
    world.work()
    assert runs(world)[0].completions == 2
