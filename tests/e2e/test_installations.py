from __future__ import annotations

import pytest

from service.demo.person import Pull
from tests.harness.emulator import Repo, Stage, good_charter, stamp
from tests.harness.gateway import Call, amended


def test_created_installation_registers_its_repositories(stage: Stage) -> None:
    person = stage.person(org="globex")
    repo = stage.repository(stage.name(), org="globex")
    other = stage.repository(stage.name("website-"), org="globex")
    repo.commit("POC.md", good_charter())
    sha = repo.branch("model", model_py="x = 1\n")
    person.open_pull(repo.name, "model", "Model")
    stage.until(lambda: stage.told("pull_request", repo), "GitHub had told, before the app was installed")
    assert repo.calls() == []
    stage.deliver("installation.created", org="globex", repositories=[repo.stub, other.stub])
    assert "complete" in repo.expect(sha, "success").title
    stage.settle()
    assert other.writes() == []


@pytest.mark.slow
def test_deleted_installation_costs_no_call_and_gets_no_write(stage: Stage) -> None:
    repo = stage.poc(org="initech", charter=good_charter())
    stage.deliver("installation.deleted", org="initech", repositories=[repo.stub])
    stage.settle()
    _expect_silence(stage, repo)


@pytest.mark.slow
def test_suspended_installation_waits_until_it_is_not_suspended_any_more(stage: Stage) -> None:
    repo = stage.poc(org="hooli", charter=good_charter())
    place = f"/app/installations/{stage.installations['hooli']}$"
    suspended = stage.api.fail("GET", place, amended(suspended_at=stamp()), times=10)
    stage.deliver("installation.suspend", org="hooli")
    stage.settle()
    unheard = _expect_silence(stage, repo)
    suspended.left = 0
    stage.deliver("installation.unsuspend", org="hooli")
    repo.expect(unheard.head_sha, "success")
    stage.settle()
    repo.expect(repo.pull("later", later_py="x = 1\n").head_sha, "success")


@pytest.mark.slow
def test_repositories_added_are_registered_and_those_removed_are_left_alone(stage: Stage) -> None:
    repo = stage.repository(stage.name(), org="umbrella")
    sha = repo.branch("model", model_py="x = 1\n")
    pull = repo.person.open_pull(repo.name, "model", "Model")
    stage.deliver("installation_repositories.added", org="umbrella", repositories=[repo.stub])
    repo.expect(sha, "action_required")
    moved = repo.commit("model.py", "x = 2\n", "model")
    stage.settle()
    stage.deliver("installation_repositories.removed", org="umbrella", repositories=[repo.stub])
    stage.settle()
    before = repo.calls()
    stage.sweep(None)
    assert [call for call in repo.calls()[len(before) :] if call.writes] == []
    stage.deliver("installation_repositories.added", org="umbrella", repositories=[repo.stub])
    stage.settle()
    repo.synchronize(pull, moved, before=sha)
    repo.expect(moved, "action_required")


@pytest.mark.slow
def test_ping_and_strangers_events_are_recorded_and_ignored(stage: Stage) -> None:
    stage.settle()
    before, deliveries = asked(stage), stage.serve.deliveries()
    stage.deliver("ping")
    assert stage.post("star", b'{"action": "created", "starred_at": null}').status_code == 202
    stage.settle()
    assert stage.serve.deliveries() == deliveries + 2
    assert asked(stage) == before


def asked(stage: Stage) -> list[Call]:
    """Every call, but for the question about missed deliveries, which comes every ten minutes."""
    return [call for call in stage.api.calls() if call.path != "/app/hook/deliveries"]


def _expect_silence(stage: Stage, repo: Repo) -> Pull:
    """Open a pull request of which nothing comes, and return it."""
    stage.settle()
    before = asked(stage)
    pull = repo.pull("silent", silent_py="x = 1\n")
    stage.until(lambda: stage.told("pull_request", repo), "GitHub told of a pull request")
    repo.commit("POC.md", good_charter(owner="alice-x"))
    stage.until(lambda: len(stage.told("push", repo)) == 3, "GitHub told of a push to the charter")
    stage.settle()
    assert asked(stage) == before
    assert repo.runs(pull.head_sha) == []
    return pull
