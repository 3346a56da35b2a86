"""`stop_if`: a kill criterion that becomes true is told once, to the owner and to product."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.reconcile.lifecycle import STOP_LABEL
from service.rules.values.github import Issue
from tests.harness.charters import CHARTER, SIGNERS, files
from tests.harness.deliveries import described
from tests.harness.story import Story, sent, sha
from tests.harness.world import HEAD, LOST, POC

STOPPING = CHARTER.replace("evidence:", "stop_if:\n  - accuracy < 80 % on tickets-2026q3\nevidence:")
BAD = files(accuracy=0.71)


@pytest.fixture
def killer(story: Story) -> Story:
    """A POC that has written down when to stop."""
    story.found(STOPPING)
    return story


def notices(story: Story) -> list[Issue]:
    return [issue for issue in story.repo.issues.values() if STOP_LABEL in issue.labels]


def test_a_criterion_that_becomes_true_is_told_to_owner_and_product(killer: Story) -> None:
    killer.land(HEAD, STOPPING, put=BAD)
    [notice] = notices(killer)
    assert "@jane-doe" in notice.body
    assert "@carol-s" in notice.body
    assert "accuracy < 80 %" in notice.body
    assert killer.repo.assignees[notice.number] == "jane-doe"


def test_it_is_told_once_whatever_happens_after(killer: Story) -> None:
    killer.land(HEAD, STOPPING, put=BAD)
    killer.land(sha("better"), STOPPING)
    killer.land(sha("worse"), STOPPING, put=files(accuracy=0.5))
    killer.later(days=1)
    killer.sweep()
    assert len(notices(killer)) == 1


@pytest.mark.parametrize(
    "put",
    [files(), files(accuracy=0.8), {}, files(accuracy="null")],
    ids=["far", "at the bound", "none", "null"],
)
def test_a_criterion_that_is_not_true_says_nothing(killer: Story, put: dict[str, str]) -> None:
    killer.land(HEAD, STOPPING, put=put)
    assert notices(killer) == []


def test_what_a_branch_holds_stops_nothing(killer: Story) -> None:
    killer.pull(killer.commit(HEAD, STOPPING, BAD))
    assert notices(killer) == []


def test_a_workflow_may_tell_of_it(killer: Story) -> None:
    killer.land(HEAD, STOPPING, put={})
    killer.upload(HEAD, sent("accuracy", "71", "%", dataset="tickets-2026q3", n=2000))
    assert len(notices(killer)) == 1


def test_two_criteria_are_told_apart(story: Story) -> None:
    text = STOPPING.replace("stop_if:\n", "stop_if:\n  - latency_p95 > 2 s at 50 req/s\n")
    story.found(text)
    story.land(HEAD, text, put=files(latency=4000, accuracy=0.5))
    assert len(notices(story)) == 2
    story.sweep()
    assert len(notices(story)) == 2


def test_observing_tells_nobody(killer: Story) -> None:
    killer.observe()
    killer.land(HEAD, STOPPING, put=BAD)
    assert killer.repo.issues == {}


def test_where_issues_are_switched_off_nobody_is_told_until_they_are_on(killer: Story) -> None:
    off = replace(POC, has_issues=False, updated_at=killer.tick())
    killer.repo.described = off
    killer.deliver("repository", action="edited", repository=described(off))
    killer.work()
    with killer.without_workers():
        killer.land(HEAD, STOPPING, put=BAD)
    switched_off = replace(off, updated_at=killer.tick())
    killer.deliver("repository", action="edited", repository=described(switched_off))
    killer.work()
    assert killer.repo.issues == {}
    on = replace(POC, updated_at=killer.tick())
    killer.repo.described = on
    killer.deliver("repository", action="edited", repository=described(on))
    killer.work()
    assert len(notices(killer)) == 1


def test_a_poc_that_was_stopped_is_told_nothing_more(killer: Story) -> None:
    stopped = STOPPING.replace("target:", "stopped: 2026-11-20 - no demand\ntarget:")
    killer.land(HEAD, stopped, put=BAD)
    assert notices(killer) == []


@pytest.mark.parametrize("done", [False, True], ids=["never heard", "heard, and the answer lost"])
def test_an_outage_in_between_tells_it_once(killer: Story, done: bool) -> None:
    killer.github.fail_next(LOST, "open_issue", done=done)
    killer.land(HEAD, STOPPING, put=BAD)
    killer.work(waited=True)
    assert len(notices(killer)) == 1


def test_after_shipping_a_criterion_is_nobodys_question_any_more(killer: Story) -> None:
    killer.commit(HEAD, STOPPING)
    killer.ship_request()
    killer.review(*SIGNERS)
    killer.deployed(HEAD)
    assert killer.state_of_poc() == "shipped"
    killer.land(sha("later"), STOPPING, put=BAD)
    assert notices(killer) == []
