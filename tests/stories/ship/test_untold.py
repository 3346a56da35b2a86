"""Events that are late or lost: nothing that somebody said or did is forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from service.rules.queue import Failure, FailureKind
from service.rules.values.subjects import pull_request_key, repository_key
from tests.harness.charters import SIGNERS
from tests.harness.story import Said, Story, sha
from tests.harness.world import HEAD, POC

PULL = pull_request_key(POC.id, 5)


def asked_to_ship(story: Story) -> None:
    story.say("/poc ship")


def approved(story: Story) -> None:
    story.review(SIGNERS[0])


@pytest.mark.parametrize("speaks", [asked_to_ship, approved])
@pytest.mark.parametrize("state", ["open", "closed", "merged"])
def test_who_speaks_on_a_pull_request_of_which_no_event_told_has_it_read(
    poc: Story, speaks: Any, state: str
) -> None:
    poc.commit(HEAD)
    poc.pull(state="open" if state == "open" else "closed", merged=state == "merged", told=False)
    poc.github.forget_calls()
    speaks(poc)
    assert str(poc.github.calls[0]) == "pull_request 5"
    assert poc.rows("SELECT state FROM pull_request") == [(state,)]
    assert bool(poc.repo.check_runs) is (state == "open")
    assert poc.rows(
        "SELECT count(*) FROM fact WHERE answered_at IS NULL AND kind IN ('commanded', 'reviewed')"
    ) == [(0,)]


def test_a_command_that_came_before_its_pull_request_is_followed_once(poc: Story) -> None:
    poc.commit(HEAD)
    poc.pull(told=False)
    comment = poc.say("/poc ship")
    assert poc.gate().title == "Not ready to ship: 4 signatures open"
    assert poc.repo.reactions == {(comment, "+1")}
    poc.pull()
    assert poc.repo.reactions == {(comment, "+1")}


def test_all_that_came_before_its_pull_request_counts(poc: Story) -> None:
    poc.commit(HEAD)
    poc.pull(told=False)
    with poc.without_workers():
        poc.say("/poc ship")
        poc.review(*SIGNERS)
    poc.work()
    assert poc.gate() == Said("success", "Ready to ship")


def test_a_pull_request_that_github_does_not_have_is_not_asked_for_again(poc: Story) -> None:
    poc.say("/poc ship", number=77)
    assert poc.outcome(pull_request_key(POC.id, 77)) == "nothing known of this pull request"
    poc.github.forget_calls()
    poc.later(days=1)
    poc.sweep()
    assert "pull_request 77" not in map(str, poc.github.calls)


@pytest.mark.parametrize("kind", [FailureKind.GONE, FailureKind.REFUSED])
def test_what_was_said_while_github_refused_is_heard_afterwards(poc: Story, kind: FailureKind) -> None:
    poc.commit(HEAD)
    poc.pull()
    poc.github.fail_next(Failure(kind, "GitHub says no"), "permission")
    poc.say("/poc ship")
    assert poc.outcome(PULL) == "gave up"
    assert not poc.repo.reactions
    poc.pull(action="edited")
    assert {content for _, content in poc.repo.reactions} == {"+1"}


def test_a_pull_request_of_which_no_event_told_is_found_within_a_day(poc: Story) -> None:
    poc.commit(HEAD)
    poc.pull(told=False)
    poc.sweep()
    assert poc.repo.check_runs == []
    poc.later(days=1)
    poc.sweep()
    assert {run.head_sha for run in poc.repo.check_runs} == {HEAD}


@pytest.mark.parametrize("merged", [True, False])
def test_a_close_of_which_no_event_told_is_found_within_a_day(poc: Story, merged: bool) -> None:
    poc.commit(HEAD)
    poc.ship_request()
    poc.pull(action="closed", state="closed", merged=merged, told=False)
    poc.later(days=1)
    poc.sweep()
    assert poc.rows("SELECT state FROM pull_request") == [("merged" if merged else "closed",)]
    assert poc.rows("SELECT ship_request FROM poc") == [(5 if merged else None,)]


def test_a_pull_request_that_is_no_more_is_closed(poc: Story) -> None:
    poc.commit(HEAD)
    poc.pull()
    poc.repo.pull_requests.clear()
    poc.later(days=1)
    poc.sweep()
    assert poc.rows("SELECT state FROM pull_request") == [("closed",)]


def test_a_head_that_moved_untold_is_judged_within_a_day(poc: Story) -> None:
    poc.commit(HEAD)
    poc.pull()
    poc.pull(poc.commit(sha("next")), action="synchronize", told=False)
    poc.later(days=1)
    poc.sweep()
    assert {run.head_sha for run in poc.repo.check_runs} == {HEAD, sha("next")}


def test_the_list_costs_one_call_a_day(poc: Story) -> None:
    poc.commit(HEAD)
    poc.pull()
    poc.later(days=1)
    poc.github.forget_calls()
    for _ in range(3):
        poc.later(hours=1)
        poc.sweep()
    assert [call.method for call in poc.github.calls].count("open_pull_requests") == 1
    assert "pull_request" not in {call.method for call in poc.github.calls}


def test_nobody_is_asked_to_approve_a_pull_request_that_was_closed_untold(poc: Story) -> None:
    poc.commit(HEAD)
    poc.ship_request()
    poc.review(*SIGNERS[:3])
    while not any("open issue" in action for action in poc.dry_run()[repository_key(POC.id)]):
        poc.later(hours=12)
        assert poc.repo.issues == {}
    poc.later(hours=-12)
    poc.sweep()
    poc.later(hours=12)
    poc.pull(action="closed", state="closed", told=False)
    poc.sweep()
    assert poc.repo.issues == {}
    assert "owner jane-doe has the ball" in (poc.outcome(repository_key(POC.id)) or "")
