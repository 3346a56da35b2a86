"""Whatever GitHub says, a required check comes: the verdict where that is possible, or why there is none."""

from __future__ import annotations

import json

import pytest

from service.demo.person import CheckRun, Pull
from tests.harness.emulator import Repo, Stage, good_charter
from tests.harness.gateway import Answer, Fault, Forward, Rule, says
from tests.harness.shipping import RUN_ID

TOO_LONG = says(422, "Server Error: Sorry, this diff is taking too long to generate.")
NO_COMMIT = says(422, "No commit found for SHA: 1111111")
BLOCKED = says(451, "Repository access blocked")
FORBIDDEN = says(403, "Resource not accessible by integration")


def cut(forward: Forward) -> Answer:
    """GitHub does it, and only the beginning of its answer arrives."""
    answer = forward()
    return Answer(answer.status, answer.body[:40])


def broken(_: Forward) -> Answer:
    """Something on the way answers in GitHub's stead."""
    return Answer(200, b'{"sha": "1", oops}')


@pytest.fixture
def chartered(stage: Stage) -> Repo:
    return stage.poc(charter=good_charter())


def fail(repo: Repo, method: str, place: str, fault: Fault, times: int = 99) -> Rule:
    return repo.stage.api.fail(method, f"^/repos/{repo.full_name}/{place}", fault, times=times)


def judge_again(repo: Repo, pull: Pull, *rules: Rule) -> None:
    """GitHub is well again, and the pull request is told of once more."""
    for rule in rules:
        rule.left = 0
    repo.deliver("pull_request.opened", **repo.pull_values(pull))
    repo.stage.settle()


def newest(repo: Repo, pull: Pull) -> CheckRun:
    repo.stage.until(lambda: repo.runs(pull.head_sha), "a check run is there")
    repo.stage.settle()
    return repo.runs(pull.head_sha)[0]


def test_branch_that_is_behind_is_judged_without_a_diff(chartered: Repo) -> None:
    chartered.branch("model", model_py="x = 1\n")
    chartered.commit("POC.md", good_charter(owner="alice-x"))
    chartered.stage.settle()
    fail(chartered, "GET", "compare/", TOO_LONG)
    pull = chartered.person.open_pull(chartered.name, "model", "Model")
    run = chartered.expect(pull.head_sha, "success")
    assert run.title == "Charter complete on main"


def test_branch_that_changes_the_charter_is_judged_without_a_diff(chartered: Repo) -> None:
    fail(chartered, "GET", "compare/", TOO_LONG)
    pull = chartered.pull("goalposts", POC_md=good_charter(owner="alice-x"))
    run = chartered.expect(pull.head_sha, "success")
    assert run.title.startswith("Charter complete;")


@pytest.fixture
def unjudged(chartered: Repo) -> tuple[Repo, Pull, Rule]:
    """A pull request that deletes the charter, which GitHub doesn't let us see."""
    fail(chartered, "GET", "compare/", TOO_LONG)
    rule = fail(chartered, "GET", r"commits\?", TOO_LONG)
    return chartered, chartered.pull("without", POC_md=None), rule


def test_what_cannot_be_compared_at_all_is_red_and_says_so_until_it_can(
    unjudged: tuple[Repo, Pull, Rule], stage: Stage
) -> None:
    repo, pull, rule = unjudged
    run = newest(repo, pull)
    assert (run.status, run.conclusion) == ("completed", "failure")
    assert run.title == (
        "Couldn't be judged: GitHub says 422, Server Error: Sorry, this diff is taking too long to generate"
    )
    assert ". We try again at " in run.summary
    judge_again(repo, pull)
    assert len(repo.runs(pull.head_sha)) == 1
    judge_again(repo, pull, rule)
    assert newest(repo, pull).title == "This change removes the charter"
    assert stage.health()["dead_count"] == 0


@pytest.mark.parametrize(
    ("fault", "says"), [(BLOCKED, "451, Repository access blocked"), (FORBIDDEN, "403, Resource not")]
)
def test_file_that_github_does_not_give_is_said(chartered: Repo, fault: Fault, says: str) -> None:
    rule = fail(chartered, "GET", "contents/POC.md", fault)
    pull = chartered.pull("model", model_py="x = 1\n")
    assert newest(chartered, pull).title.startswith(f"Couldn't be judged: GitHub says {says}")
    judge_again(chartered, pull, rule)
    assert newest(chartered, pull).conclusion == "success"


@pytest.mark.parametrize(
    ("method", "place", "fault"),
    [
        pytest.param("POST", "check-runs$", NO_COMMIT, id="a commit that isn't visible yet"),
        pytest.param(
            "GET", "contents/POC.md", says(404, "No commit found for the ref 1"), id="nor to a read"
        ),
        pytest.param("GET", "contents/POC.md", broken, id="broken JSON"),
        pytest.param("GET", "contents/POC.md", cut, id="JSON that is cut off"),
        pytest.param("POST", "check-runs$", cut, id="a write whose answer is cut off"),
        pytest.param("POST", "check-runs$", broken, id="a write that is answered by somebody else"),
    ],
)
def test_what_passes_costs_seconds_and_the_check_comes_once(
    chartered: Repo, stage: Stage, method: str, place: str, fault: Fault
) -> None:
    fail(chartered, method, place, fault, times=1)
    pull = chartered.pull("model", model_py="x = 1\n")
    chartered.expect(pull.head_sha, "success")
    stage.settle()
    assert len(chartered.runs(pull.head_sha)) == 1
    assert "Traceback" not in stage.serve.said
    assert "an error of the service itself" not in stage.serve.said


def test_deployment_that_does_not_wait_yet_is_answered_once_it_does(stage: Stage) -> None:
    repo = stage.poc()
    sha = repo.branch("model", model_py="x = 1\n")
    place = "actions/runs/[0-9]+/deployment_protection_rule$"
    fail(repo, "POST", place, says(204), times=1)
    fail(repo, "POST", place, says(422, "There is no pending deployment"), times=2)
    repo.deliver(
        "deployment_protection_rule.requested",
        deployment_id=9_301,
        run_id=RUN_ID,
        environment="support-prod",
        sha=sha,
    )
    stage.settle()
    asked = [call.status for call in repo.writes() if "deployment_protection_rule" in call.path]
    assert asked == [422, 422, 204]


def test_ruleset_elsewhere_gets_its_check(stage: Stage) -> None:
    repo, other = stage.repository(stage.name("website-")), stage.repository(stage.name("website-"))
    rules = [
        {
            "type": "required_status_checks",
            "ruleset_source_type": "Organization",
            "parameters": {"required_status_checks": [{"context": "POC charter", "integration_id": 4711}]},
        }
    ]
    answer = Answer(200, json.dumps(rules).encode())
    fail(repo, "GET", "rules/branches/main", lambda _: answer)
    stage.settle()
    pull = repo.pull("model", model_py="x = 1\n")
    run = newest(repo, pull)
    assert (run.status, run.conclusion, run.title) == ("completed", "success", "Not a POC")
    other.pull("model", model_py="x = 1\n")
    stage.settle()
    assert other.writes() == []
    repo.deliver("pull_request.opened", **repo.pull_values(pull))
    stage.settle()
    assert len(repo.runs(pull.head_sha)) == 1
    assert len([call for call in repo.calls() if "/rules/" in call.path]) == 1
