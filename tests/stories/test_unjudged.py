"""A commit that can't be judged gets a check run that says so, and its verdict as soon as there is one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from service.cli.doctor import Mark, _inside
from service.rules.queue import MAX_ATTEMPTS, MOST_GLANCES, TOLD_AFTER, Failure, FailureKind
from service.rules.values.actions import CHARTER_CHECK
from service.rules.values.subjects import merge_group_key, pull_request_key
from service.store.check_runs import CheckRuns
from service.store.database import Database
from tests.harness.charters import GOOD, LATER
from tests.harness.deliveries import described
from tests.harness.github import PERMISSIONS, CheckRun
from tests.harness.org import HOME, Org
from tests.harness.snapshots import Snapshots
from tests.harness.world import BASE, FORK_POINT, HEAD, LOST, NEXT, NO, POC, charter_runs, settings

KEY = pull_request_key(1, 5)
TOO_LONG = Failure(
    FailureKind.REFUSED, "comparing bbb with 111: GitHub says 422, Sorry, this diff is taking too long"
)
BLOCKED = Failure(FailureKind.REFUSED, "reading POC.md: GitHub says 451, Repository access blocked")
UNSEEN = Failure(FailureKind.UNSEEN, "posting POC charter: GitHub says 422, No commit found for SHA: 111")
NEUTRAL = "policy: 1\nwhen_unjudged: neutral\n"


def registered(world: Org) -> None:
    """A POC with a good charter, in an organisation that may have a policy."""
    world.github.add(POC).write(GOOD, "main", BASE, FORK_POINT)
    world.install(POC, HOME)
    world.github.forget_calls()


@pytest.fixture
def poc(snapshots: Snapshots) -> Iterator[Org]:
    with snapshots.of(Org, registered) as made:
        yield made


def newest(world: Org) -> CheckRun:
    return charter_runs(world.github.repos[1])[-1]


def said(world: Org) -> str:
    output = newest(world).output
    return f"{output.title}\n{output.summary}{output.footnote}"


def behind(world: Org) -> None:
    """A branch with another charter than its base: only where it began tells whether it changes it."""
    world.github.repos[1].write(LATER, HEAD, FORK_POINT)
    world.github.repos[1].merge_bases[BASE, HEAD] = FORK_POINT


@pytest.mark.parametrize(
    ("method", "failure"),
    [
        pytest.param("merge_base", TOO_LONG, id="a diff that takes too long"),
        pytest.param("blob_shas", BLOCKED, id="a file that is blocked"),
        pytest.param("blob_shas", NO, id="a file that is refused"),
        pytest.param("create_check_run", NO, id="a verdict that is refused"),
        pytest.param("blob_shas", Failure(FailureKind.GONE, "GitHub says 410"), id="what is gone"),
    ],
)
def test_a_commit_that_cannot_be_judged_is_told_so_and_judged_by_the_next_sweep(
    poc: Org, method: str, failure: Failure
) -> None:
    behind(poc)
    poc.github.fail_next(failure, method)
    poc.pull_request()
    [run] = charter_runs(poc.github.repos[1])
    assert run.head_sha == HEAD
    assert run.output.conclusion == "failure"
    assert run.output.title.startswith("Couldn't be judged: GitHub says ")
    assert "ouldn't be judged: GitHub says " in said(poc)
    assert ". We try again at 09:17 UTC on 23 November 2026, and every hour after that" in said(poc)
    assert poc.state(KEY).dead
    poc.sweep()
    assert [each.output.title for each in charter_runs(poc.github.repos[1])[1:]] == [
        "Charter complete on main"
    ]
    assert not poc.state(KEY).dead


def test_a_verdict_that_was_just_posted_stays_where_what_follows_is_refused(poc: Org) -> None:
    behind(poc)
    poc.github.fail_next(BLOCKED, "create_check_run", after=1)
    poc.pull_request()
    poc.sweep()
    assert [run.output.title for run in charter_runs(poc.github.repos[1])] == ["Charter complete on main"]


def test_it_is_told_once_while_the_cause_stays(poc: Org) -> None:
    for _ in range(3):
        poc.github.fail_next(BLOCKED, "blob_shas")
        poc.pull_request(at=poc.now)
        poc.now += timedelta(hours=1)
    assert len(charter_runs(poc.github.repos[1])) == 1
    assert poc.state(KEY).dead


def test_another_cause_is_told(poc: Org) -> None:
    behind(poc)
    for method, failure in (("blob_shas", BLOCKED), ("merge_base", TOO_LONG)):
        poc.github.fail_next(failure, method)
        poc.pull_request()
    assert "451" in charter_runs(poc.github.repos[1])[0].output.title
    assert "too long" in newest(poc).output.title


def test_a_verdict_stays_when_a_later_look_cannot_judge(poc: Org) -> None:
    poc.github.repos[1].write(GOOD, HEAD)
    poc.pull_request()
    poc.github.fail_next(BLOCKED, "permission")
    poc.github.fail_next(NO, "environments")
    poc.push("POC.md")
    poc.github.repos[1].write(LATER, "main")
    poc.github.fail_next(TOO_LONG, "merge_base")
    poc.push("POC.md", at=poc.now + timedelta(minutes=1))
    assert poc.state(KEY).dead
    assert len(charter_runs(poc.github.repos[1])) == 1
    assert newest(poc).output.conclusion == "success"


def test_a_check_that_was_asked_for_again_is_told_why_it_does_not_come(poc: Org) -> None:
    poc.github.repos[1].write(None, HEAD)
    poc.github.repos[1].merge_bases[BASE, HEAD] = FORK_POINT
    poc.pull_request()
    assert "removes the charter" in newest(poc).output.title
    poc.github.fail_next(BLOCKED, "charter_file")
    run = {"id": newest(poc).id, "head_sha": HEAD, "name": CHARTER_CHECK}
    poc.deliver("check_run", action="rerequested", check_run=run, repository=described(POC))
    poc.work()
    assert "451" in newest(poc).output.title


def test_people_hear_within_minutes_what_is_tried_for_hours(poc: Org) -> None:
    for _ in range(TOLD_AFTER):
        poc.github.fail_next(LOST, "blob_shas")
    poc.pull_request()
    for _ in range(TOLD_AFTER - 2):
        poc.work(waited=True)
    assert charter_runs(poc.github.repos[1]) == []
    poc.work(waited=True)
    assert newest(poc).output.title == "Couldn't be judged: no answer from GitHub"
    state = poc.state(KEY)
    assert state.dirty
    assert not state.dead
    assert state.waits_until is not None
    assert f". We try again at {state.waits_until:%H:%M}" in said(poc)


def test_an_error_of_our_own_is_told_without_its_text(poc: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("token ghs_secret")

    monkeypatch.setattr(poc.github, "blob_shas", fail)
    poc.pull_request()
    for _ in range(MAX_ATTEMPTS):
        poc.work(waited=True)
    [run] = charter_runs(poc.github.repos[1])
    assert run.output.title.startswith("Couldn't be judged: an error of POC Governor itself")
    assert "ghs_secret" not in said(poc)


def test_a_commit_that_is_not_visible_yet_gets_its_verdict_within_seconds(poc: Org) -> None:
    poc.github.repos[1].write(GOOD, HEAD)
    poc.github.fail_next(UNSEEN, "create_check_run")
    poc.pull_request()
    waits_until = poc.state(KEY).waits_until
    assert waits_until is not None
    assert waits_until - poc.now < timedelta(seconds=5)
    poc.work(waited=True)
    [run] = charter_runs(poc.github.repos[1])
    assert run.output.title == "Charter complete"
    assert poc.github.made("find_check_run") == []


# What the policy says


@pytest.mark.parametrize(
    ("policy", "head", "method", "conclusion"),
    [
        pytest.param(None, GOOD, "create_check_run", "failure", id="by default"),
        pytest.param(
            NEUTRAL, GOOD, "create_check_run", "neutral", id="neutral, and POC.md is as on the base"
        ),
        pytest.param(NEUTRAL, LATER, "merge_base", "failure", id="neutral, and POC.md may be changed"),
        pytest.param(NEUTRAL, None, "merge_base", "failure", id="neutral, and POC.md may be deleted"),
        pytest.param(NEUTRAL, GOOD, "blob_shas", "failure", id="neutral, and POC.md can't be read"),
    ],
)
def test_a_commit_that_may_touch_the_charter_is_never_neutral(
    poc: Org, policy: str | None, head: str | None, method: str, conclusion: str
) -> None:
    if policy:
        poc.push_policy(policy)
    poc.github.repos[1].write(head, HEAD)
    poc.github.fail_next(TOO_LONG, method)
    poc.pull_request()
    assert newest(poc).output.conclusion == conclusion
    assert "Couldn't be judged" in said(poc)


def test_observing_is_neutral_whatever_happens(poc: Org) -> None:
    poc.observe()
    behind(poc)
    poc.github.fail_next(TOO_LONG, "merge_base")
    poc.pull_request()
    assert newest(poc).output.conclusion == "neutral"
    assert "is observing here" in said(poc)


def test_a_merge_queues_head_is_told_too(poc: Org) -> None:
    group = {"head_sha": NEXT, "base_sha": BASE}
    poc.github.fail_next(BLOCKED, "blob_shas")
    poc.deliver("merge_group", action="checks_requested", merge_group=group, repository=described(POC))
    poc.work()
    [run] = charter_runs(poc.github.repos[1])
    assert (run.head_sha, run.output.conclusion) == (NEXT, "failure")
    poc.github.repos[1].write(GOOD, NEXT)
    poc.sweep()
    assert newest(poc).output.title == "Charter complete"
    assert not poc.state(merge_group_key(1, NEXT, BASE)).dead


# Heads without a check


def unchecked(world: Org) -> list[tuple[str, int, str]]:
    found = CheckRuns(Database(world.services.engine)).unchecked()
    return [(each.full_name, each.number, each.reason) for each in found]


def test_a_head_that_cannot_be_written_to_is_named_and_checked_once_it_can(poc: Org) -> None:
    poc.github.repos[1].write(GOOD, HEAD)
    for _ in range(2):
        poc.github.fail_next(NO, "create_check_run")
    poc.pull_request()
    assert unchecked(poc) == [("acme/poc-triage", 5, NO.message)]
    [line] = [each for each in _inside(poc.services.engine, settings()) if CHARTER_CHECK in each.what]
    assert (line.mark, line.what) == (Mark.WRONG, "POC charter on acme/poc-triage#5")
    assert line.says == f"not on 1111111: {NO.message}. `sweep` tries again"
    poc.sweep()
    assert unchecked(poc) == []
    assert newest(poc).output.conclusion == "success"


def test_a_head_without_the_permission_is_named(poc: Org) -> None:
    poc.grant(**{name: level for name, level in PERMISSIONS.items() if name != "checks"})
    poc.github.repos[1].write(GOOD, HEAD)
    poc.sweep()
    poc.pull_request()
    [(_, number, reason)] = unchecked(poc)
    assert number == 5
    assert reason.endswith("not written: checks: write is not granted")


def test_a_head_that_waits_for_its_first_look_is_not_named_yet(poc: Org) -> None:
    poc.github.repos[1].write(GOOD, HEAD)
    poc.pull_request()
    assert unchecked(poc) == []


def test_a_commit_that_never_shows_is_named(poc: Org) -> None:
    poc.github.repos[1].write(GOOD, HEAD)
    for _ in range(2 * MOST_GLANCES):
        poc.github.fail_next(UNSEEN, "create_check_run")
    poc.pull_request()
    for _ in range(MOST_GLANCES):
        poc.work(waited=True)
    assert unchecked(poc) == [("acme/poc-triage", 5, UNSEEN.message)]
