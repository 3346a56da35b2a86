"""Numbers that workflow runs send, from their token to production, where those of files do not count."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from service.demo.person import Pull
from service.rules.values.actions import GATE_CHECK
from service.web.evidence import PATH
from tests.e2e.conftest import MEASURING
from tests.harness.emulator import SIGNERS, Stage
from tests.harness.gateway import Fault, lost, says
from tests.harness.shipping import LOAD, Story, charter, metrics

STAGING = "support-staging"
LATENCY: dict[str, object] = {"value": 212.4, "unit": "ms", "load": "50 req/s"}
ACCURACY: dict[str, object] = {"value": 95.1, "unit": "%", "dataset": "tickets-2026q3", "n": 2140}
STORED = """
SELECT (SELECT count(*) FROM evidence), (SELECT count(*) FROM used_token), (SELECT count(*) FROM fact),
    (SELECT sum(wanted) FROM subject)
"""
_jobs = itertools.count(70_001)


@dataclass(slots=True)
class Workflows(Story):
    """A POC's story in which its workflow runs have a say."""

    def send(self, numbers: Mapping[str, object], /, token: str = "", **claims: Any) -> httpx.Response:
        """Send numbers as a new job of a run; its claims are those of a push unless they say otherwise."""
        assert self.stage.issuer is not None
        job = next(_jobs)
        told: dict[str, Any] = {
            "aud": self.stage.url,
            "repository": self.repo.full_name,
            "repository_id": str(self.repo.id),
            "repository_owner": self.repo.org,
            "run_id": str(job),
            "check_run_id": str(job),
        }
        bearer = token or self.stage.issuer.token(**told | claims)
        headers = {"Authorization": f"Bearer {bearer}"}
        body = json.dumps({"metrics": numbers}).encode()
        return httpx.post(f"{self.stage.url}{PATH}", content=body, headers=headers, trust_env=False)

    def send_on(self, pull: Pull, numbers: Mapping[str, object]) -> str:
        """Send numbers from a run of `pull_request` in staging; returns the test merge that it ran on."""
        merge = self.test_merge(pull)
        answer = self.send(numbers, environment=STAGING, **on_pull(pull, merge))
        assert answer.status_code == 202, answer.text
        assert answer.json() == {"recorded": len(numbers), "commit": None, "level": "measured"}
        return merge

    def test_merge(self, pull: Pull) -> str:
        """What GitHub makes of a pull request for its runs: a merge of its head into the base."""
        place, person = f"/repos/{self.repo.full_name}/git/commits", self.repo.person
        tree = person.call("GET", f"{place}/{pull.head_sha}")["tree"]["sha"]
        parents = [person.head(self.repo.name), pull.head_sha]
        made = {"message": f"Merge into main for {next(_jobs)}", "tree": tree, "parents": parents}
        sha: str = person.call("POST", place, made)["sha"]
        return sha

    def squash(self, pull: Pull) -> str:
        """Merge as one new commit, and tell of the push, which the emulator does not."""
        repo, before = self.repo, self.repo.person.head(self.repo.name)
        place = f"/repos/{repo.full_name}/pulls/{pull.number}/merge"
        sha: str = repo.person.call("PUT", place, {"merge_method": "squash"})["sha"]
        repo.deliver(
            "push",
            branch="main",
            before=before,
            after=sha,
            commits=[{"id": sha, "added": ["model.py"], "removed": [], "modified": []}],
            repository=repo.described(pushed_at=int(datetime.now(UTC).timestamp())),
        )
        self.stage.settle()
        return sha


def on_pull(pull: Pull, merge: str) -> dict[str, str]:
    """The claims of a run of `pull_request`."""
    return {"event_name": "pull_request", "ref": f"refs/pull/{pull.number}/merge", "sha": merge}


@pytest.fixture(scope="module")
def complete(measured: Stage) -> Stage:
    """The stage, with what the emulator lacks."""
    measured.api.fail("POST", "/deployment_protection_rule$", says(204), times=1000)
    measured.api.fail("POST", "/comments/[0-9]+/reactions$", says(201), times=1000)
    return measured


@pytest.fixture
def story(complete: Stage) -> Workflows:
    return Workflows(complete.poc(), complete)


@pytest.fixture
def governed(stage: Stage) -> Workflows:
    """A POC of an organisation whose policy asks for measured numbers."""
    stage.govern(MEASURING, "policy: 1\nevidence:\n  level: measured\n")
    stage.api.fail("POST", f"/{MEASURING}/.*/deployment_protection_rule$", says(204), times=10)
    stage.api.fail("POST", f"/{MEASURING}/.*/comments/[0-9]+/reactions$", says(201), times=10)
    return Workflows(stage.poc(org=MEASURING), stage)


@pytest.mark.parametrize(
    "asked_by",
    [
        pytest.param("governed", id="its organisation asks for it"),
        pytest.param("story", id="the service asks for it", marks=pytest.mark.slow),
    ],
)
def test_a_poc_goes_to_production_by_what_its_workflows_measure(
    request: pytest.FixtureRequest, asked_by: str
) -> None:
    story: Workflows = request.getfixturevalue(asked_by)
    repo = story.repo
    story.start()
    repo.branch("ship", model_py="x = 1\n")
    repo.commit("load/k6.json", json.dumps(LOAD), "ship")
    head = repo.commit("eval/metrics.json", metrics(0.99), "ship")
    pull = repo.person.open_pull(repo.name, "ship", "Ship it")
    red = story.gate(head, "neutral", "Missing for shipping: 2 of 2 thresholds")
    assert red.summary.count("self-reported: a workflow run has to send it") == 2
    story.say(pull.number, "/poc ship")
    story.gate(head, "failure", "2 only self-reported, 4 signatures open")

    first = story.send_on(pull, {"latency_p95": LATENCY, "accuracy": ACCURACY | {"value": 91.4}})
    red = story.gate(head, "failure", "1 missed, 4 signatures open")
    assert "missed by 0.6 points" in red.summary
    assert "Measured: every number was sent by a workflow run." in red.summary
    second = story.send_on(pull, {"accuracy": ACCURACY})
    assert "missed" not in story.gate(head, "failure", "ship: 4 signatures open").title
    story.approve(pull, *SIGNERS)
    green = story.gate(head, "success", "Ready to ship")
    # The number before is another one of this commit, by which it would not be.
    opposite = "met, 3.1 points to spare; another number of this commit says the opposite: 91.4 %"
    assert f"| >= 92 % | 95.1 % (n 2 140) | {opposite} |" in green.summary.replace("`", "")
    assert [sha for sha in (first, second) if story.gates(sha)] == []

    shipped = story.squash(pull)
    assert shipped not in (head, first, second)
    answer = story.ask_to_deploy(shipped)
    assert answer["state"] == "approved", answer["comment"]
    story.deployed(shipped)
    story.deployed(shipped)
    assert [text.count("Shipped") for text in story.said(pull.number) if "Shipped" in text] == [1]
    history = story.stage.rows(
        "SELECT key, value, commit_sha FROM evidence WHERE repository_id = %s AND level = 'measured' "
        "ORDER BY id",
        repo.id,
    )
    assert [value for key, value, _ in history if key.startswith("accuracy")] == ["91.4", "95.1"]
    assert {sha for *_, sha in history} == {head}


@pytest.mark.slow
def test_numbers_for_the_head_of_a_push_count_without_a_pull_request_event(story: Workflows) -> None:
    story.start()
    pull = story.repo.pull("ship", model_py="x = 1\n")
    story.repo.expect(pull.head_sha, "success")
    numbers = {"latency_p95": LATENCY, "accuracy": ACCURACY}
    answer = story.send(numbers, sha=pull.head_sha, ref="refs/heads/ship", environment=STAGING)
    assert answer.json() == {"recorded": 2, "commit": pull.head_sha, "level": "measured"}
    story.gate(pull.head_sha, "neutral", "Numbers met")


@pytest.mark.slow
def test_numbers_that_come_before_the_pull_request_is_told_of_count(story: Workflows) -> None:
    repo, stage = story.repo, story.stage
    story.start()
    hidden = stage.hooks.fail("POST", "", says(202), times=100, body=f'/{repo.name}"'.encode())
    pull = repo.pull("ship", model_py="x = 1\n")
    story.send_on(pull, {"latency_p95": LATENCY, "accuracy": ACCURACY})
    stage.settle()
    hidden.left = 0
    repo.deliver("pull_request.opened", **repo.pull_values(pull))
    story.gate(pull.head_sha, "neutral", "Numbers met")


@pytest.mark.slow
def test_numbers_that_come_after_the_merge_count_for_what_was_merged(story: Workflows) -> None:
    repo = story.repo
    story.start()
    pull = repo.pull("ship", model_py="x = 1\n")
    story.repo.expect(pull.head_sha, "success")
    story.say(pull.number, "/poc ship")
    story.approve(pull, *SIGNERS)
    story.gate(pull.head_sha, "failure", "2 not measured")
    merge = story.test_merge(pull)
    shipped = story.squash(pull)
    assert story.ask_to_deploy(shipped)["state"] == "rejected"
    numbers = {"latency_p95": LATENCY, "accuracy": ACCURACY}
    assert story.send(numbers, environment=STAGING, **on_pull(pull, merge)).status_code == 202
    story.stage.settle()
    answer = story.ask_to_deploy(shipped)
    assert answer["state"] == "approved", answer["comment"]
    story.gate(shipped, "neutral", "Numbers met")


CONDITIONS: dict[str, tuple[str, dict[str, object], str]] = {
    "another environment": (
        "latency_p95",
        {"job": "support-dev"},
        "taken in support-dev: measure it in support-staging",
    ),
    "no environment": (
        "latency_p95",
        {"job": None},
        "no environment named: measure it in support-staging",
    ),
    "an environment by hand": (
        "latency_p95",
        {"job": None, "environment": STAGING},
        "self-reported: its job has no `environment`, give it one",
    ),
    "less load": ("latency_p95", {"load": "49 req/s"}, "taken at 49 req/s: measure it at 50 req/s"),
    "no load": ("latency_p95", {"load": None}, "no load named: measure it at 50 req/s"),
    "too few samples": ("accuracy", {"n": 1999}, "too few: only n 1 999, measure 2 000 or more"),
    "nobody counted": ("accuracy", {"n": None}, "too few: n is missing, measure 2 000 or more"),
    "other data": (
        "accuracy",
        {"dataset": "tickets-2025q1"},
        "taken on tickets-2025q1: measure it on tickets-2026q3",
    ),
}


@pytest.fixture(scope="module")
def asked(complete: Stage) -> tuple[Workflows, Pull, list[str]]:
    """A ship request whose numbers are missing; the list ends with its head."""
    story = Workflows(complete.poc(charter=charter()), complete)
    pull = story.repo.pull("ship", model_py="x = 1\n")
    story.repo.expect(pull.head_sha, "success")
    story.say(pull.number, "/poc ship")
    story.gate(pull.head_sha, "failure", "2 not measured, 4 signatures open")
    return story, pull, [pull.head_sha]


@pytest.mark.slow
@pytest.mark.parametrize("condition", CONDITIONS)
def test_numbers_under_other_conditions_do_not_count_and_the_gate_says_which(
    asked: tuple[Workflows, Pull, list[str]], condition: str
) -> None:
    story, pull, heads = asked
    metric, changed, told = CONDITIONS[condition]
    heads.append(story.move(pull, "model.py", f"x = {condition!r}\n", before=heads[-1]))
    story.gate(heads[-1], "failure", "2 not measured")
    numbers = {"latency_p95": LATENCY, "accuracy": ACCURACY}
    odd = {metric: numbers.pop(metric) | {key: value for key, value in changed.items() if key != "job"}}
    job = changed.get("job", STAGING)
    for sent, where in ((numbers, STAGING), (odd, job)):
        claims: dict[str, Any] = {} if where is None else {"environment": where}
        answer = story.send(sent, sha=heads[-1], ref="refs/heads/ship", **claims)
        assert answer.status_code == 202, answer.text
    story.stage.settle()
    red = story.gate(heads[-1], "failure", "Not ready to ship: 1 ")
    assert f"**{told}**" in red.summary
    assert "1 of 2 thresholds is met" in red.summary


def unchanged(story: Workflows, before: tuple[list[tuple[Any, ...]], int]) -> None:
    """Nothing was stored, and GitHub was told nothing."""
    story.stage.settle()
    assert (story.stage.rows(STORED), len(story.stage.api.calls())) == before


def present(story: Workflows) -> tuple[list[tuple[Any, ...]], int]:
    story.stage.settle()
    return story.stage.rows(STORED), len(story.stage.api.calls())


@pytest.mark.slow
def test_token_that_is_sent_again_is_refused(story: Workflows) -> None:
    assert story.stage.issuer is not None
    story.start()
    pull = story.repo.pull("ship", model_py="x = 1\n")
    story.repo.expect(pull.head_sha, "success")
    named = {"repository": story.repo.full_name, "repository_id": str(story.repo.id), "aud": story.stage.url}
    token = story.stage.issuer.token(sha=pull.head_sha, environment=STAGING, **named)
    assert story.send({"accuracy": ACCURACY | {"value": 91.0}}, token).status_code == 202
    story.gate(pull.head_sha, "neutral", "2 of 2")
    before = present(story)
    again = story.send({"accuracy": ACCURACY}, token)
    assert (again.status_code, again.json()["type"]) == (409, "urn:poc-governor:problem:token-used")
    unchanged(story, before)


@pytest.mark.slow
@pytest.mark.parametrize("who", ["nobody's", "not a POC", "removed", "uninstalled"])
def test_numbers_for_what_is_not_a_poc_of_an_installation_are_refused(measured: Stage, who: str) -> None:
    org = {"removed": "globex", "uninstalled": "initech"}.get(who, "acme")
    if who == "not a POC":
        repo = measured.repository(measured.name("website-"))
        measured.until(lambda: measured.told("repository", repo), "it is told of")
    else:
        repo = measured.poc(org=org)
    story, head = Workflows(repo, measured), repo.branch("ship", model_py="x = 1\n")
    if who == "removed":
        measured.deliver("installation_repositories.removed", org=org, repositories=[repo.stub])
    if who == "uninstalled":
        measured.deliver("installation.deleted", org=org, repositories=[repo.stub])
    before = present(story)
    claims = {"repository_id": "999999999"} if who == "nobody's" else {}
    answer = story.send({"accuracy": ACCURACY}, sha=head, environment=STAGING, **claims)
    problem = "not-a-poc" if who == "not a POC" else "not-installed"
    assert (answer.status_code, answer.json()["type"]) == (403, f"urn:poc-governor:problem:{problem}")
    assert repo.full_name in answer.json()["detail"]
    unchanged(story, before)


@pytest.mark.slow
def test_numbers_of_one_repository_say_nothing_about_another(measured: Stage) -> None:
    pocs = [Workflows(measured.poc(charter=charter()), measured) for _ in range(2)]
    pulls = [story.repo.pull("ship", model_py="x = 1\n") for story in pocs]
    for story, pull in zip(pocs, pulls, strict=True):
        story.repo.expect(pull.head_sha, "success")
    theirs, ours = pulls
    before = pocs[1].repo.calls()
    numbers = {"latency_p95": LATENCY, "accuracy": ACCURACY}
    assert pocs[0].send(numbers, sha=ours.head_sha, environment=STAGING).status_code == 202
    assert pocs[0].send(numbers, sha=theirs.head_sha, environment=STAGING).status_code == 202
    pocs[0].gate(theirs.head_sha, "neutral", "Numbers met")
    measured.settle()
    assert pocs[1].repo.calls() == before
    assert pocs[1].gates(ours.head_sha) == []


def drop(_: object) -> None:
    """Hang up without an answer."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "times"), [(says(502), 2), (drop, 1), (says(409), 1)], ids=["502", "no answer", "409"]
)
def test_head_of_a_test_merge_is_found_when_github_answers_again(
    story: Workflows, fault: Fault, times: int
) -> None:
    story.start()
    pull = story.repo.pull("ship", model_py="x = 1\n")
    story.repo.expect(pull.head_sha, "success")
    rule = story.stage.api.fail("GET", f"^/repos/{story.repo.full_name}/git/commits/", fault, times=times)
    story.send_on(pull, {"latency_p95": LATENCY, "accuracy": ACCURACY})
    story.gate(pull.head_sha, "neutral", "Numbers met")
    assert rule.left == 0
    story.stage.settle()
    titles = [run.title for run in story.gates(pull.head_sha)]
    assert len(titles) == 1


@pytest.mark.slow
def test_verdict_that_numbers_change_is_written_once_though_its_answer_got_lost(story: Workflows) -> None:
    story.start()
    pull = story.repo.pull("ship", model_py="x = 1\n")
    story.repo.expect(pull.head_sha, "success")
    body = json.dumps(GATE_CHECK).encode()
    rule = story.stage.api.fail("POST", f"^/repos/{story.repo.full_name}/check-runs$", lost, body=body)
    story.send_on(pull, {"latency_p95": LATENCY, "accuracy": ACCURACY})
    story.gate(pull.head_sha, "neutral", "Numbers met")
    story.stage.settle()
    assert rule.left == 0
    assert len(story.gates(pull.head_sha)) == 1


@pytest.mark.slow
def test_deployment_is_answered_when_github_shows_what_was_merged(story: Workflows) -> None:
    story.start()
    pull = story.repo.pull("ship", model_py="x = 1\n")
    story.repo.expect(pull.head_sha, "success")
    story.say(pull.number, "/poc ship")
    story.gate(pull.head_sha, "failure", "4 signatures open")
    story.approve(pull, *SIGNERS)
    story.send_on(pull, {"latency_p95": LATENCY, "accuracy": ACCURACY})
    story.gate(pull.head_sha, "success", "Ready to ship")
    rule = story.stage.api.fail("GET", f"^/repos/{story.repo.full_name}/git/commits/", says(502), times=2)
    shipped = story.squash(pull)
    answer = story.ask_to_deploy(shipped)
    assert answer["state"] == "approved", answer["comment"]
    story.stage.settle()
    assert rule.left == 0
    assert len(story.answers()) == 1
