"""What could not be read or written comes at once when it is granted, or the installation is unsuspended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from service.rules.values.github import Installation, PullRequest
from service.rules.values.subjects import installation_key, pull_request_key
from service.sweep import mark_all
from tests.harness.charters import GOOD
from tests.harness.deliveries import described
from tests.harness.github import NOW, PERMISSIONS
from tests.harness.snapshots import Snapshots
from tests.harness.world import BASE, FORK_POINT, HEAD, INSTALLATION, NEXT, POC, World, charter_runs

WITHOUT_CHECKS = {name: level for name, level in PERMISSIONS.items() if name != "checks"}
WITHOUT_DEPLOYMENTS = {name: level for name, level in PERMISSIONS.items() if name != "deployments"}


def registered(world: World) -> None:
    repo = world.github.add(POC)
    repo.write(GOOD, "main", BASE, FORK_POINT, HEAD, NEXT)
    world.install(POC)


@pytest.fixture
def poc(snapshots: Snapshots) -> Iterator[World]:
    with snapshots.of(World, registered) as made:
        yield made


def changed(world: World, action: str, permissions: dict[str, str], *, suspended: bool = False) -> None:
    """GitHub has another installation, and tells of it."""
    at = world.now if suspended else None
    world.app.installations[INSTALLATION] = Installation(INSTALLATION, "acme", permissions, at)
    whole = {
        "id": INSTALLATION,
        "account": {"login": "acme"},
        "permissions": permissions,
        "suspended_at": at.isoformat() if at else None,
        "updated_at": world.now.isoformat(),
    }
    world.now += timedelta(minutes=1)
    world.deliver("installation", action=action, installation=whole)
    world.work()


def ask_to_deploy(world: World) -> None:
    address = "https://api.github.com/repos/acme/poc-triage/actions/runs/18/deployment_protection_rule"
    world.deliver(
        "deployment_protection_rule",
        action="requested",
        environment="elsewhere",
        deployment_callback_url=address,
        deployment={"id": 9, "sha": HEAD, "environment": "elsewhere", "created_at": NOW.isoformat()},
        repository=described(POC),
    )
    world.work()


def test_a_check_run_comes_when_checks_are_granted(poc: World) -> None:
    changed(poc, "new_permissions_accepted", WITHOUT_CHECKS)
    poc.pull_request()
    assert charter_runs(poc.github.repos[1]) == []
    changed(poc, "new_permissions_accepted", dict(PERMISSIONS))
    assert [run.head_sha for run in charter_runs(poc.github.repos[1])] == [HEAD]


def test_a_merge_queues_head_is_checked_when_checks_are_granted(poc: World) -> None:
    changed(poc, "new_permissions_accepted", WITHOUT_CHECKS)
    group = {"head_sha": NEXT, "base_sha": BASE}
    poc.deliver("merge_group", action="checks_requested", merge_group=group, repository=described(POC))
    poc.work()
    changed(poc, "new_permissions_accepted", dict(PERMISSIONS))
    assert [run.head_sha for run in charter_runs(poc.github.repos[1])] == [NEXT]


def test_a_deployment_is_answered_when_deployments_are_granted(poc: World) -> None:
    changed(poc, "new_permissions_accepted", WITHOUT_DEPLOYMENTS)
    ask_to_deploy(poc)
    assert poc.github.repos[1].answers == []
    changed(poc, "new_permissions_accepted", dict(PERMISSIONS))
    assert [answer.run_id for answer in poc.github.repos[1].answers] == [18]
    poc.sweep()
    assert len(poc.github.repos[1].answers) == 1


def test_a_check_run_that_was_asked_for_again_comes_when_checks_are_granted(poc: World) -> None:
    poc.pull_request()
    changed(poc, "new_permissions_accepted", WITHOUT_CHECKS)
    [run] = charter_runs(poc.github.repos[1])
    poc.deliver(
        "check_run",
        action="rerequested",
        check_run={"id": run.id, "head_sha": HEAD},
        repository=described(POC),
    )
    poc.work()
    assert charter_runs(poc.github.repos[1])[0].completions == 1
    changed(poc, "new_permissions_accepted", dict(PERMISSIONS))
    assert charter_runs(poc.github.repos[1])[0].completions == 2


def test_what_came_before_a_suspension_and_during_it_is_done_after_it(poc: World) -> None:
    changed(poc, "suspend", dict(PERMISSIONS), suspended=True)
    ask_to_deploy(poc)
    poc.pull_request()
    # GitHub tells nothing of what happens meanwhile.
    opened = PullRequest(1, 6, NEXT, "main", BASE, "jane-doe", "open", NOW)
    poc.github.repos[1].pull_requests += [opened, PullRequest(1, 5, HEAD, "main", BASE, "x", "open", NOW)]
    poc.github.forget_calls()
    changed(poc, "unsuspend", dict(PERMISSIONS))
    assert {run.head_sha for run in charter_runs(poc.github.repos[1])} == {HEAD, NEXT}
    assert [answer.run_id for answer in poc.github.repos[1].answers] == [18]
    assert not any(state.dirty or state.dead for state in poc.states())


def test_a_grant_that_nobody_told_of_is_found_by_the_sweep(poc: World) -> None:
    changed(poc, "new_permissions_accepted", WITHOUT_DEPLOYMENTS)
    ask_to_deploy(poc)
    poc.app.installations[INSTALLATION] = Installation(INSTALLATION, "acme", dict(PERMISSIONS))
    mark_all(poc.services)
    poc.work()
    assert [answer.run_id for answer in poc.github.repos[1].answers] == [18]


def test_what_waits_for_an_app_that_was_removed_is_forgotten(poc: World) -> None:
    changed(poc, "deleted", dict(PERMISSIONS))
    ask_to_deploy(poc)
    with poc.services.engine.connect() as connection:
        left = connection.exec_driver_sql("SELECT subject FROM fact WHERE answered_at IS NULL").all()
    assert left == []


def test_an_installation_that_may_do_as_much_as_before_reads_nothing_again(poc: World) -> None:
    poc.pull_request()
    poc.github.forget_calls()
    changed(poc, "suspend", dict(PERMISSIONS))
    poc.sweep()
    assert {call.method for call in poc.github.calls} <= {"repositories"}
    assert poc.outcome(installation_key(INSTALLATION)) == "1 repositories listed, 0 to look at"
    assert not poc.state(pull_request_key(1, 5)).dirty


def test_an_account_that_nobody_named_is_ignored(poc: World) -> None:
    poc.services = replace(poc.services, serves=lambda account: account == "globex")
    poc.pull_request()
    assert charter_runs(poc.github.repos[1]) == []
    assert poc.outcome(pull_request_key(POC.id, 5)) == "acme is ignored: ALLOWED_ACCOUNTS doesn't name it"
    calls = len(poc.github.calls)
    mark_all(poc.services)
    poc.work()
    assert len(poc.github.calls) == calls
    poc.services = replace(poc.services, serves=lambda account: account == "acme")
    poc.sweep()
    assert [run.head_sha for run in charter_runs(poc.github.repos[1])] == [HEAD]
