"""From the charter to production: what is asked of whom, and what GitHub is told, on the emulated GitHub.

The emulator knows no deployments and no reactions: the gateway takes these, and recorded payloads tell of
them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from service.demo.person import CheckRun, Pull
from service.rules.values.actions import CHARTER_CHECK, GATE_CHECK
from tests.e2e.gateway import Call, says
from tests.e2e.stage import SIGNERS, Repo, Stage, stamp
from tests.harness.charters import CHARTER

RUN_ID = 18_500_042
LOAD = {"metrics": {"http_req_duration": {"avg": 101.2, "p(95)": 212.0, "p(99)": 260.4}}}


def charter(*, measured_in: bool = True, replace: tuple[str, str] = ("", "")) -> str:
    today = datetime.now(UTC).date()
    text = CHARTER.replace("2027-02-26", str(today + timedelta(days=95)))
    text = text.replace("2026-11-12", str(today - timedelta(days=3)))
    if not measured_in:
        text = text.replace("  measured_in: support-staging\n", "")
    assert replace[0] in text
    return text.replace(*replace, 1)


@dataclass(slots=True)
class Story:
    """A POC on its way, and the ways to move it on."""

    repo: Repo
    stage: Stage
    _deployments: Iterator[int] = field(default_factory=lambda: iter(range(9_100, 9_200)))

    def gates(self, sha: str) -> list[CheckRun]:
        return self.repo.person.check_runs(self.repo.name, sha, name=GATE_CHECK)

    def gate(self, sha: str, conclusion: str, title: str = "") -> CheckRun:
        """The newest gate on a commit, once it says so."""

        def found() -> CheckRun | None:
            newest = next(iter(self.gates(sha)), None)
            return newest if newest and newest.conclusion == conclusion and title in newest.title else None

        try:
            return self.stage.until_is(found, f"{GATE_CHECK} on {sha[:7]} is {conclusion}: {title}")
        except AssertionError as error:
            shown = "\n".join(f"{run.conclusion}: {run.title}\n{run.summary}" for run in self.gates(sha))
            raise AssertionError(f"{error}\n{shown}") from error

    def approve(self, pull: Pull, *people: str) -> None:
        self.repo.approve(pull, *people)

    def say(self, number: int, text: str, login: str = "jane-doe") -> None:
        """Comment on a pull request, and send what GitHub would: the emulator's payload does not say so."""
        comment = self.stage.person(login).comment(self.repo.name, number, text)
        self.repo.deliver(
            "issue_comment.created",
            number=number,
            comment_id=comment["id"],
            body=text,
            sender=login,
            updated_at=stamp(),
        )

    def merge(self, pull: Pull) -> str:
        return self.repo.merge(pull)

    def move(self, pull: Pull, path: str, content: str, *, before: str) -> str:
        """Push to a pull request's branch, and tell of it, which the emulator does not."""
        sha = self.repo.commit(path, content, pull.head_ref)
        self.repo.synchronize(pull, sha, before=before)
        return sha

    def ask_to_deploy(self, sha: str, environment: str = "support-prod") -> dict[str, object]:
        """GitHub asks whether a deployment may proceed; returns our answer."""
        deployment = next(self._deployments)
        before = len(self.answers())
        self.repo.deliver(
            "deployment_protection_rule.requested",
            deployment_id=deployment,
            run_id=RUN_ID,
            environment=environment,
            sha=sha,
        )
        self.stage.until(lambda: len(self.answers()) > before, "the deployment is answered")
        answer: dict[str, object] = self.answers()[-1].json
        return answer

    def deployed(self, sha: str, environment: str = "support-prod") -> None:
        self.repo.deliver(
            "deployment_status.created",
            deployment_id=next(self._deployments),
            run_id=RUN_ID,
            environment=environment,
            sha=sha,
            state="success",
            updated_at=stamp(),
        )
        self.stage.settle()

    def answers(self) -> list[Call]:
        return [call for call in self.repo.writes() if call.path.endswith("/deployment_protection_rule")]

    def said(self, number: int) -> list[str]:
        return self.repo.person.comments(self.repo.name, number)


@pytest.fixture(scope="module", autouse=True)
def _what_the_emulator_lacks(stage: Stage) -> None:
    stage.api.fail("POST", "/deployment_protection_rule$", says(204), times=1000)
    stage.api.fail("POST", "/comments/[0-9]+/reactions$", says(201), times=1000)


@pytest.fixture
def story(stage: Stage) -> Story:
    return Story(stage.poc(), stage)


def metrics(accuracy: float) -> str:
    return json.dumps({"accuracy": accuracy, "n": 2140})


@pytest.mark.parametrize("measured_in", [True, False], ids=["measured in staging", "no measured_in"])
def test_a_poc_goes_from_its_charter_to_production(story: Story, measured_in: bool) -> None:
    repo = story.repo
    started = repo.pull("charter", POC_md=charter(measured_in=measured_in))
    repo.expect(started.head_sha, "success")
    story.gate(started.head_sha, "neutral", "Missing for shipping: 2 of 2 thresholds")
    story.approve(started, *SIGNERS)
    story.merge(started)

    # A deployment before there are numbers: held where it is said in what environment they are taken.
    early = story.ask_to_deploy(repo.person.head(repo.name))
    assert early["state"] == ("rejected" if measured_in else "approved")
    assert story.ask_to_deploy(repo.person.head(repo.name), "support-dev")["state"] == "approved"

    repo.branch("ship", load_json="{}")
    repo.commit("load/k6.json", json.dumps(LOAD), "ship")
    missed = repo.commit("eval/metrics.json", metrics(0.914), "ship")
    pull = repo.person.open_pull(repo.name, "ship", "Ship it")
    story.gate(missed, "neutral", "Missing for shipping: 1 of 2 thresholds")

    story.say(pull.number, "/poc ship")
    red = story.gate(missed, "failure", "1 missed")
    assert "4 signatures open" in red.title
    assert "missed by 0.6 points" in red.summary

    mended = story.move(pull, "eval/metrics.json", metrics(0.931), before=missed)
    assert "missed" not in story.gate(mended, "failure", "4 signatures open").title
    story.approve(pull, *SIGNERS)
    green = story.gate(mended, "success", "Ready to ship")
    assert "93.1 %" in green.summary

    story.merge(pull)
    # The emulator merges the head with which the pull request was opened, without the mended numbers.
    shipped = repo.commit("eval/metrics.json", metrics(0.931))
    story.stage.settle()
    answer = story.ask_to_deploy(shipped)
    assert answer["state"] == "approved", answer["comment"]
    story.deployed(shipped)
    story.deployed(shipped)
    said = [text for text in story.said(pull.number) if "shipped" in text.lower()]
    assert len(said) == 1


def test_a_loosened_bound_counts_as_it_was_until_it_is_signed(story: Story) -> None:
    repo = story.repo
    started = repo.pull("charter", POC_md=charter())
    repo.expect(started.head_sha, "success")
    story.approve(started, *SIGNERS)
    story.merge(started)

    repo.branch("loosen", load_json="{}")
    repo.commit("load/k6.json", json.dumps(LOAD), "loosen")
    repo.commit("eval/metrics.json", metrics(0.901), "loosen")
    head = repo.commit("POC.md", charter(replace=(">= 92 %", ">= 90 %")), "loosen")
    pull = repo.person.open_pull(repo.name, "loosen", "Loosen")
    assert "missed by 1.9 points" in story.gate(head, "neutral", "1 of 2 thresholds").summary
    story.approve(pull, "alice-k")
    story.stage.settle()
    assert "missed by 1.9 points" in story.gate(head, "neutral").summary
    story.approve(pull, "carol-s")
    story.gate(head, "neutral", "Numbers met; nobody has asked to ship this")


def test_calls_for_a_pull_request_event_with_evidence_files(story: Story) -> None:
    repo, stage = story.repo, story.stage
    started = repo.pull("charter", POC_md=charter())
    repo.expect(started.head_sha, "success")
    story.merge(started)
    repo.branch("work", load_json="{}")
    repo.commit("load/k6.json", json.dumps(LOAD), "work")
    first = repo.commit("eval/metrics.json", metrics(0.95), "work")
    pull = repo.person.open_pull(repo.name, "work", "Work")
    story.gate(first, "neutral")
    stage.settle()

    def calls_of(path: str, content: str, before: str) -> tuple[str, list[str]]:
        seen = len(repo.calls())
        sha = story.move(pull, path, content, before=before)
        story.gate(sha, "neutral")
        stage.settle()
        return sha, [f"{call.method} {call.path.split('/', 4)[-1]}" for call in repo.calls()[seen:]]

    posts = ["POST check-runs", "POST check-runs"]
    unrelated, calls = calls_of("model.py", "x = 2\n", first)
    assert calls == [f"GET git/trees/{unrelated}", *posts]
    changed, calls = calls_of("eval/metrics.json", metrics(0.94), unrelated)
    assert [call.rsplit("/", 1)[0] for call in calls[:2]] == ["GET git/trees", "GET git/blobs"]
    assert calls[2:] == posts
    seen = len(repo.calls())
    repo.deliver(
        "pull_request.edited",
        **repo.pull_values(pull, changed),
        former_base_ref="main",
        former_base_sha=changed,
    )
    stage.settle()
    assert repo.calls()[seen:] == []


def test_commands_are_answered_once_and_change_nothing_when_refused(story: Story) -> None:
    repo, stage = story.repo, story.stage
    pull = repo.pull("charter", POC_md=charter())
    repo.expect(pull.head_sha, "success")
    story.say(pull.number, "/poc ship", "bob-m")
    stage.until(lambda: len(story.said(pull.number)) == 2, "the refusal is there")
    stage.settle()
    story.gate(pull.head_sha, "neutral")
    story.say(pull.number, "> /poc ship\n\n```\n/poc ship\n```\n")
    stage.settle()
    assert len(story.said(pull.number)) == 3
    assert [
        run.conclusion for run in repo.person.check_runs(repo.name, pull.head_sha, name=CHARTER_CHECK)
    ] == ["success"]
