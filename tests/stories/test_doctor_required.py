"""`doctor` about rulesets: in how many repositories of POCs the check run is required."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from service.cli.required import Coverage, coverages
from service.rules.queue import Failure, FailureKind
from service.rules.values.actions import CHARTER_CHECK
from tests.harness.github import repository
from tests.harness.snapshots import Snapshots
from tests.harness.world import World

NAMES = ("poc-a", "poc-b", "poc-c", "poc-old", "site")
REPOSITORIES = [repository(number, full_name=f"acme/{name}") for number, name in enumerate(NAMES, start=1)]


def registered(world: World) -> None:
    for each in REPOSITORIES:
        world.github.add(replace(each, archived=each.full_name.endswith("old")))
    world.install(*REPOSITORIES)


@pytest.fixture
def org(snapshots: Snapshots) -> Iterator[World]:
    with snapshots.of(World, registered) as made:
        yield made


def found(world: World, **required: bool) -> list[Coverage]:
    for each in world.github.repos.values():
        name = each.described.name.replace("-", "_")
        each.required = {"main": (CHARTER_CHECK,)} if required.get(name) else {}
    return list(coverages(world.app, world.services.engine))


def test_it_is_required_everywhere(org: World) -> None:
    [coverage] = found(org, poc_a=True, poc_b=True, poc_c=True)
    assert coverage == Coverage("acme", 3, 3, ())
    assert coverage.says == "required by a ruleset in 3 of 3 POC repositories"


def test_where_it_is_not_is_named(org: World) -> None:
    [coverage] = found(org, poc_a=True)
    assert coverage.says == (
        "required by a ruleset in 1 of 3 POC repositories. A red check holds nothing up in acme/poc-b and "
        "acme/poc-c: add them to the ruleset, unless their branch protection requires it"
    )


def test_of_many_repositories_some_are_asked_about_and_named() -> None:
    coverage = Coverage("acme", 100, 300, tuple(f"acme/poc-{number}" for number in range(12)))
    assert coverage.says.startswith(
        "required by a ruleset in 88 of 100 POC repositories that were asked about, of 300. A red check"
    )
    assert "acme/poc-9 and 2 more: add" in coverage.says


def test_a_github_that_does_not_tell(org: World) -> None:
    org.github.fail_next(Failure(FailureKind.REFUSED, "GitHub says 403"), "requires_check")
    [coverage] = found(org)
    assert coverage.says == "we don't know whether a ruleset requires it: GitHub says 403"


def test_without_a_poc_nobody_is_asked(org: World) -> None:
    with org.services.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE repository SET poc_reason = NULL")
    org.github.forget_calls()
    assert found(org) == []
    assert org.github.calls == []
