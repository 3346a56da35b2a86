"""From the charter to production: what is asked of whom, and what GitHub is told, on the emulated GitHub.

The emulator knows no deployments and no reactions: the gateway takes these, and recorded payloads tell of
them.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from service.rules.values.actions import CHARTER_CHECK
from tests.e2e.conftest import POLICED
from tests.harness.emulator import SIGNERS, Stage
from tests.harness.gateway import says
from tests.harness.shipping import LOAD, Story, charter, metrics


@pytest.fixture(scope="module", autouse=True)
def _what_the_emulator_lacks(stage: Stage) -> None:
    stage.api.fail("POST", "/deployment_protection_rule$", says(204), times=1000)
    stage.api.fail("POST", "/comments/[0-9]+/reactions$", says(201), times=1000)


@pytest.fixture
def story(stage: Stage) -> Story:
    return Story(stage.poc(), stage)


@pytest.mark.parametrize(
    "measured_in",
    [
        pytest.param(True, id="measured in staging"),
        pytest.param(False, id="no measured_in", marks=pytest.mark.slow),
    ],
)
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

    better = story.move(pull, "eval/metrics.json", metrics(0.931), before=missed)
    assert "missed" not in story.gate(better, "failure", "4 signatures open").title
    story.approve(pull, *SIGNERS)
    green = story.gate(better, "success", "Ready to ship")
    assert "93.1 %" in green.summary

    story.merge(pull)
    # The emulator merges the head with which the pull request was opened, without the new numbers.
    shipped = repo.commit("eval/metrics.json", metrics(0.931))
    story.stage.settle()
    answer = story.ask_to_deploy(shipped)
    assert answer["state"] == "approved", answer["comment"]
    story.deployed(shipped)
    story.deployed(shipped)
    said = [text for text in story.said(pull.number) if "shipped" in text.lower()]
    assert len(said) == 1

    # The next version does not meet the charter any more, which was tightened; the way back stays open.
    tighter = charter(measured_in=measured_in, replace=(">= 92 %", ">= 99 %"))
    repo.commit("POC.md", tighter)
    later = repo.commit("model.py", "x = 2\n")
    story.stage.settle()
    assert story.ask_to_deploy(later)["state"] == "rejected"
    back = story.ask_to_deploy(shipped)
    assert back["state"] == "approved", back["comment"]
    assert "a rollback is always allowed" in str(back["comment"])


def test_a_loosened_bound_counts_as_it_was_until_it_is_signed(story: Story) -> None:
    repo = story.repo
    story.start()

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
    story.gate(head, "neutral", "Numbers met")


@pytest.mark.parametrize("org", [POLICED[3]])
def test_code_pushed_after_the_approvals_asks_for_them_again(stage: Stage, org: str) -> None:
    repo = stage.poc(org=org)
    story = Story(repo, stage)
    story.start()
    repo.branch("ship", load_json=json.dumps(LOAD))
    repo.commit("load/k6.json", json.dumps(LOAD), "ship")
    head = repo.commit("eval/metrics.json", metrics(0.931), "ship")
    pull = repo.person.open_pull(repo.name, "ship", "Ship it")
    story.gate(head, "neutral", "Numbers met")
    story.say(pull.number, "/poc ship")
    story.gate(head, "failure", "4 signatures open")
    story.approve(pull, *SIGNERS)
    story.gate(head, "success", "Ready to ship")

    pushed = story.move(pull, "model.py", "x = 2\n", before=head)
    green = story.gate(pushed, "success", "Ready to ship")
    assert f"approved `{head[:7]}`, without [1 newer commit](" in green.summary

    stage.govern(org, "policy: 1\nsignoffs:\n  of_head: true\n")
    again = story.move(pull, "model.py", "x = 3\n", before=pushed)
    red = story.gate(again, "failure", "4 signatures open")
    signers = "data science (`alice-k`), platform (`bob-m`), product (`carol-s`) and security (`dan-w`)"
    assert f"{signers} approved `{head[:7]}`, without [2 newer commits](" in red.summary
    assert "**approve again**, the policy asks for the newest commit" in red.summary
    for review_id, login in enumerate(SIGNERS, start=88_001):
        repo.deliver(
            "pull_request_review.submitted",
            **repo.pull_values(pull, again),
            review_id=review_id,
            sender=login,
        )
    story.gate(again, "success", "Ready to ship")


def test_a_target_that_nobody_signed_opens_no_door(story: Story) -> None:
    repo = story.repo
    story.start()
    repo.commit("load/k6.json", json.dumps(LOAD))
    repo.commit("eval/metrics.json", metrics(0.914))
    stricter = charter(measured_in=False, replace=("evidence:", "  - recall >= 99 %\nevidence:"))
    eased = repo.pull("eased", POC_md=stricter)
    repo.expect(eased.head_sha, "success")
    head = story.merge(eased)
    story.stage.settle()
    answer = story.ask_to_deploy(head)
    assert answer["state"] == "rejected"
    assert "made easier, and not signed by platform (`bob-m`)" in str(answer["comment"])
    assert "missed by 0.6 points" in str(answer["comment"])


def test_a_stop_in_between_brings_no_easier_charter(story: Story) -> None:
    repo = story.repo
    story.start()
    stop = f"stopped: {datetime.now(UTC).date()} - no demand"
    stopped = repo.pull("stop", POC_md=charter(replace=("target:", f"{stop}\ntarget:")))
    repo.expect(stopped.head_sha, "success")
    story.merge(stopped)
    eased = charter(replace=(">= 92 %", ">= 10 %")).replace("carol-s", "erin-x").replace("alice-k", "dan-w")
    again = repo.pull("again", POC_md=eased)
    run = repo.expect(again.head_sha, "success")
    assert "1 threshold loosened" in run.title
    assert "data science (`alice-k`) and product (`carol-s`) sign again" in run.summary
    story.approve(again, "erin-x", "bob-m", "dan-w")
    story.merge(again)
    repo.commit("load/k6.json", json.dumps(LOAD))
    head = repo.commit("eval/metrics.json", metrics(0.5))
    story.stage.settle()
    answer = story.ask_to_deploy(head)
    assert answer["state"] == "rejected"
    assert "not signed by data science (`alice-k`) and product (`carol-s`)" in str(answer["comment"])


def test_an_environment_stays_held_when_its_repository_is_no_poc_any_more(story: Story) -> None:
    repo = story.repo
    head = story.start()
    story.stage.settle()
    changed = repo.person.edit_repo(repo.name, topics=["not-a-poc"])
    assert changed["topics"] == ["not-a-poc"]
    story.stage.until(lambda: repo.person.issues(repo.name, label="poc-environment-held"), "it is told")
    story.stage.settle()
    answer = story.ask_to_deploy(head)
    assert answer["state"] == "rejected"
    assert "this repository isn't a POC any more (topic not-a-poc)" in str(answer["comment"])
    [told] = repo.person.issues(repo.name, label="poc-environment-held")
    assert told.title == f"{repo.full_name} is not a POC any more, and support-prod stays held"
    assert "@jane-doe (owner), @carol-s (product)" in told.body


@pytest.mark.slow
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
        repo.expect(sha, "success")
        stage.settle()
        return sha, [f"{call.method} {call.path.split('/', 4)[-1]}" for call in repo.calls()[seen:]]

    post = "POST check-runs"
    unrelated, calls = calls_of("model.py", "x = 2\n", first)
    assert calls == [f"GET git/trees/{unrelated}", post]
    changed, calls = calls_of("eval/metrics.json", metrics(0.94), unrelated)
    assert [call.rsplit("/", 1)[0] for call in calls[:2]] == ["GET git/trees", "GET git/blobs"]
    assert calls[2:] == [post, post]
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
