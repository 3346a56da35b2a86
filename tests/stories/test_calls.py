"""GitHub's calls as a budget: what nobody waits for leaves them to people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from starlette.requests import Request

from service.rules.queue import Calls
from service.rules.values.subjects import installation_key, pull_request_key, repository_key
from service.sweep import mark_due
from service.web.health import Metrics
from tests.harness.charters import GOOD
from tests.harness.github import NOW, repository
from tests.harness.snapshots import Snapshots
from tests.harness.world import BASE, HEAD, INSTALLATION, NEXT, POC, World, charter_runs

RESET = NOW + timedelta(minutes=30)
PULL = pull_request_key(POC.id, 5)
OTHER = repository(2, full_name="acme/x")


@pytest.fixture
def world(snapshots: Snapshots) -> Iterator[World]:
    with snapshots.of(World) as made:
        made.github.add(POC).write(GOOD, "main", BASE, HEAD, NEXT)
        yield made


def left(world: World, share: float) -> None:
    """Let GitHub say what is left of the calls, with the next answer."""
    world.github.left = Calls(10_000, int(10_000 * share), RESET)


def stored(world: World) -> Calls | None:
    known = world.services.store.installations.find(INSTALLATION)
    assert known is not None
    return known.calls


def test_the_safety_net_waits_for_the_reset_and_a_pull_request_does_not(world: World) -> None:
    world.install(POC)
    left(world, 0.4)
    world.pull_request()
    assert stored(world) == world.github.left
    world.sweep()
    waits = world.state(installation_key(INSTALLATION))
    assert waits.last_error == (
        f"the calls that installation {INSTALLATION} has left are for more urgent subjects"
    )
    assert waits.waits_until is not None
    assert waits.waits_until >= RESET
    assert not world.state(repository_key(POC.id)).dirty  # a look without a call doesn't wait
    world.pull_request("synchronize", head=NEXT, at=NOW + timedelta(minutes=1))
    assert len(charter_runs(world.github.repos[POC.id])) == 2
    world.now = RESET
    world.work(waited=True)
    assert not world.state(installation_key(INSTALLATION)).dirty


def test_what_somebody_waits_for_waits_no_longer(world: World) -> None:
    world.install(POC)
    world.pull_request()
    world.now += timedelta(days=1)
    world.pull_request("edited", head=NEXT, at=world.now)
    world.now += timedelta(days=1)
    world.github.left = Calls(10_000, 4000, world.now + timedelta(minutes=30))
    world.services.store.installations.calls_left(INSTALLATION, world.github.left)
    world.sweep()
    assert world.state(PULL).waits_until is not None
    world.pull_request("edited", head=NEXT, at=world.now)
    assert (world.state(PULL).dirty, world.state(PULL).waits_until) == (False, None)


def test_repositories_wait_where_a_fifth_is_left(world: World) -> None:
    left(world, 0.19)
    world.install(POC)
    world.github.add(OTHER)
    world.push("src/app.py", found=OTHER)
    waits = world.state(repository_key(OTHER.id))
    assert waits.dirty
    assert waits.waits_until is not None


@pytest.mark.parametrize(("share", "reads"), [(0.7, True), (0.69, False)])
def test_history_that_costs_calls_of_its_own_is_read_where_much_is_left(
    world: World, share: float, reads: bool
) -> None:
    world.github.has_graphql = False
    left(world, share)
    world.install(POC)
    assert bool(world.github.made("history")) is reads
    world.github.left = Calls(10_000, 10_000, RESET)
    world.services.store.installations.calls_left(INSTALLATION, world.github.left)
    mark_due(world.services)
    world.work()
    assert len(world.github.made("history")) == 1


def test_what_is_left_is_shown(world: World) -> None:
    left(world, 0.9)
    world.github.left = Calls(10_000, 9000, RESET + timedelta(days=10_000))
    world.install(POC)
    request = Request({"type": "http", "headers": [], "method": "GET", "path": "/metrics"})
    shown = bytes(Metrics(world.services.engine)(request).body).decode()
    assert f'poc_governor_github_calls_remaining{{installation="{INSTALLATION}"}} 9000.0' in shown
    assert "poc_governor_check_seconds_count" in shown
