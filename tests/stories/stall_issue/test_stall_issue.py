"""The one issue of a stalled POC: each step said once, whatever happens between two writes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from service.rules.queue import Failure, FailureKind
from service.rules.values.actions import STALL_LABEL, stall_opening
from service.rules.values.github import IssueState
from service.texts.markdown import STALL_END
from tests.harness.deliveries import BOT
from tests.harness.world import LOST, NO, POC
from tests.stories.stall_issue.days import KEY, LIMIT, OWNERS_LIMIT, Days, workday

HOUR = timedelta(hours=1)
BAD_GATEWAY = Failure(FailureKind.TRANSIENT, "GitHub says 502, Bad Gateway")


@pytest.mark.parametrize("twice", [False, True], ids=["each delivery once", "each delivery twice"])
def test_each_step_is_said_once_however_often_it_is_looked_at(unsigned: Days, twice: bool) -> None:
    unsigned.told_twice = twice
    unsigned.through(LIMIT - 1)
    assert unsigned.github.writes == []
    for step, count in (("open", LIMIT), ("comment", 2 * LIMIT), ("comment", 3 * LIMIT)):
        unsigned.through(count)
        for _ in range(2):
            unsigned.issue_event("unlabeled")  # which says nothing new
            unsigned.reconciliation()
        assert unsigned.steps == [step]
        unsigned.github.forget_calls()
    with unsigned.quietly():
        unsigned.through(5 * LIMIT)
    second, third = unsigned.comments(1)
    assert "10 working days of waiting for data science (`alice-k`)" in second
    assert "15 working days of waiting for data science (`alice-k`): it's time to decide" in third


def test_the_first_step_is_one_issue_for_whoever_has_the_ball(unsigned: Days) -> None:
    unsigned.on(LIMIT)
    issue = unsigned.issue
    assert issue.title == "Ticket triage is waiting for data science: 5 working days"
    assert (issue.labels, issue.assignees) == ((STALL_LABEL,), ("alice-k",))
    assert issue.body.startswith(stall_opening(POC.id))
    assert issue.body.endswith(f"{STALL_END}\n")
    assert "**@alice-k has the ball**" in issue.body


def test_an_unchanged_state_writes_nothing_from_step_to_step(unsigned: Days) -> None:
    unsigned.stalled()
    before = unsigned.issue
    with unsigned.quietly():
        unsigned.through(2 * LIMIT - 1)
    assert unsigned.issue == before
    unsigned.on(2 * LIMIT)
    assert [str(call) for call in unsigned.github.writes] == ["post_comment 1", "edit_issue 1 title body"]


def test_our_own_writes_told_back_write_nothing(unsigned: Days) -> None:
    for count in (LIMIT, 2 * LIMIT, 3 * LIMIT):
        unsigned.on(count)
        with unsigned.quietly():
            for action in ("opened", "edited", "assigned", "labeled", "unlabeled", "reopened", "closed"):
                unsigned.issue_event(action, sender=BOT)
            unsigned.tell_push(BOT, author={"username": BOT["login"]})
            unsigned.reconciliation()
        assert unsigned.issue.state == "open"


# Killed, and gone on with


def test_killed_before_each_write_each_step_is_said_once(unsigned: Days) -> None:
    for count, comments in ((LIMIT, 0), (2 * LIMIT, 1), (3 * LIMIT, 2)):
        unsigned.on(count - 1)
        with unsigned.without_workers():
            unsigned.morning(workday(count))
        unsigned.outlive_every_write()
        assert {"after open_issue", "after post_comment"} & unsigned.mortal.survived
        assert len(unsigned.ours(unsigned.repo)) == 1
        assert len(unsigned.comments()) == comments
        with unsigned.quietly():
            unsigned.reconciliation()
    assert "(15 working days on 14 December 2026)" in unsigned.issue.body


@pytest.mark.parametrize("told", ["", "reopened"], ids=["GitHub is silent", "GitHub tells of our writes"])
def test_killed_while_it_is_reopened_it_was_reopened_once(unsigned: Days, told: str) -> None:
    unsigned.stalled()
    unsigned.close()
    unsigned.on(2 * LIMIT - 1)
    with unsigned.without_workers():
        unsigned.morning(workday(2 * LIMIT))
    unsigned.outlive_every_write(told=told)
    assert "after edit_issue" in unsigned.mortal.survived
    assert unsigned.issue.state == "open"
    assert len(unsigned.comments(1)) == 1
    assert "(10 working days on 7 December 2026)" in unsigned.issue.body
    unsigned.close()
    with unsigned.quietly():
        unsigned.through(6 * LIMIT)


@pytest.mark.parametrize("told", [False, True], ids=["GitHub is silent", "GitHub tells of our writes"])
def test_killed_while_it_is_opened_anew_it_has_all_its_steps_again(poc: Days, told: bool) -> None:
    poc.on(OWNERS_LIMIT)
    poc.on(2 * OWNERS_LIMIT)
    with poc.without_workers():
        poc.work_by()
    poc.outlive_every_write(told="closed" if told else "")
    assert poc.issue.state == "closed"
    poc.on(3 * OWNERS_LIMIT - 1)
    assert poc.issue.state == "closed"
    with poc.without_workers():
        poc.morning(workday(3 * OWNERS_LIMIT))
    poc.outlive_every_write(told="reopened" if told else "")
    assert poc.issue.state == "open"
    assert "10 working days" in poc.issue.title
    assert len(poc.comments(1)) == 1
    poc.on(4 * OWNERS_LIMIT)
    _, again = poc.comments(1)
    assert "20 working days of waiting for `jane-doe`" in again


# GitHub is away, or says no


@pytest.mark.parametrize("done", [False, True], ids=["it was not done", "its answer was lost"])
@pytest.mark.parametrize("method", ["open_issue", "post_comment", "edit_issue"])
def test_a_step_without_an_answer_is_gone_on_with(unsigned: Days, method: str, done: bool) -> None:
    count = LIMIT if method == "open_issue" else 2 * LIMIT
    unsigned.on(count - LIMIT)
    unsigned.github.fail_next(LOST, method, done=done)
    unsigned.morning(workday(count))
    assert unsigned.state(KEY).dirty
    unsigned.work(waited=True)
    unsigned.on(2 * LIMIT + 1)
    assert len(unsigned.ours(unsigned.repo)) == 1
    assert len(unsigned.comments(1)) == 1
    assert "(10 working days on 7 December 2026)" in unsigned.issue.body


@pytest.mark.parametrize("method", ["post_comment", "edit_issue"])
def test_who_is_told_to_wait_asks_nothing_until_then(unsigned: Days, method: str) -> None:
    unsigned.stalled()
    until = datetime.combine(workday(2 * LIMIT), time(13), UTC)
    unsigned.github.fail_next(Failure(FailureKind.RATE_LIMITED, "GitHub says 429", until), method)
    unsigned.morning(workday(2 * LIMIT))
    waits = unsigned.state(KEY).waits_until
    assert waits is not None
    assert waits >= until
    unsigned.github.forget_calls()
    unsigned.now = until - HOUR
    unsigned.reconciliation()
    assert unsigned.github.calls == []
    unsigned.now = until + HOUR
    unsigned.reconciliation()
    assert len(unsigned.comments(1)) == 1
    assert "(10 working days on " in unsigned.issue.body


@pytest.mark.parametrize("failure", [BAD_GATEWAY, NO], ids=["502", "403"])
@pytest.mark.parametrize("method", ["open_issue", "issue", "edit_issue", "last_commit_by"])
def test_a_step_that_failed_is_taken_the_next_morning(unsigned: Days, method: str, failure: Failure) -> None:
    count = LIMIT if method == "open_issue" else 2 * LIMIT
    unsigned.on(count - LIMIT)
    unsigned.github.fail_next(failure, method)
    unsigned.morning(workday(count))
    assert unsigned.state(KEY).dead is (failure is NO)
    unsigned.morning(workday(count + 1))
    assert not unsigned.state(KEY).dead
    assert unsigned.issue.state is IssueState.OPEN
    assert len(unsigned.comments(1)) == count // LIMIT - 1
    with unsigned.quietly():
        unsigned.reconciliation()


def test_a_locked_conversation_is_edited_and_does_not_stop_the_look(unsigned: Days) -> None:
    unsigned.stalled()
    unsigned.on(2 * LIMIT - 1)
    unsigned.github.fail_next(NO, "post_comment")
    unsigned.on(2 * LIMIT)
    assert "10 working days" in unsigned.issue.body
    assert not unsigned.state(KEY).dead
    with unsigned.quietly():
        unsigned.through(3 * LIMIT - 1)
    unsigned.sign("alice-k")
    assert unsigned.issue.state == "closed"
