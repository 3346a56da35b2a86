"""A POC's states as they are stored, its shipping, and what becomes of a ship request."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.rules.values.github import IssueState
from tests.harness.charters import CHARTER, PRODUCTION, SIGNERS, STAGING, UNBOUND, files
from tests.harness.deliveries import described
from tests.harness.story import Said, Story, sha
from tests.harness.world import HEAD, LOST, POC

SHIPPED = "**Shipped to `support-prod` on "


@pytest.fixture
def ready(poc: Story) -> Story:
    """A ship request that lacks nothing."""
    poc.commit(HEAD, tree="shared")
    poc.ship_request()
    poc.review(*SIGNERS)
    assert poc.gate().conclusion == "success"
    return poc


def shipped(story: Story) -> list[str]:
    return [body for body in story.comments(5) if SHIPPED in body]


def stored(story: Story) -> tuple[object, ...]:
    return story.rows("SELECT ship_request, shipped_sha FROM poc")[0]


# The states


@pytest.mark.parametrize("way", ["as it happens", "told_twice", "backwards"])
@pytest.mark.parametrize("charter", [CHARTER, UNBOUND], ids=["measured in staging", "measured in production"])
def test_a_whole_life(story: Story, charter: str, way: str) -> None:
    if way != "as it happens":
        setattr(story, way, True)
    story.found(None, signed=False)
    story.sweep()
    states = [story.state_of_poc()]

    story.commit(HEAD, charter, {})
    story.pull()
    states.append(story.state_of_poc())
    story.review(*SIGNERS)
    story.land(sha("chartered"), charter, put={})
    story.pull(action="closed", state="closed", merged=True)
    states.append(story.state_of_poc())

    story.land(sha("half"), charter, put=files(latency=None, accuracy=0.9))
    states.append(story.state_of_poc())
    story.land(sha("met"), charter)
    states.append(story.state_of_poc())

    story.commit(sha("ship"), charter)
    story.ship_request(sha("ship"), number=6)
    story.review(*SIGNERS, number=6, head=sha("ship"))
    story.deployed(sha("ship"))
    states.append(story.state_of_poc())
    assert states == ["none", "proposed", "building", "evaluating", "shipping", "shipped"]
    assert len(story.comments(6)) == 1
    written = [(run.head_sha, run.name, run.output.digest) for run in story.repo.check_runs]
    assert len(written) == len(set(written))


def test_a_state_is_dated_by_its_beginning(poc: Story) -> None:
    poc.land(HEAD, put={})
    began = poc.rows("SELECT state, state_since FROM poc")
    poc.later(days=2)
    poc.land(sha("next"), put={})
    poc.sweep()
    assert poc.rows("SELECT state, state_since FROM poc") == began


def test_numbers_that_are_gone_again_take_the_state_back(poc: Story) -> None:
    poc.land(HEAD)
    assert poc.state_of_poc() == "shipping"
    poc.land(sha("bare"), put={})
    assert poc.state_of_poc() == "building"


def test_an_unsigned_charter_stays_proposed_whatever_was_measured(story: Story) -> None:
    story.found(signed=False)
    story.land(HEAD)
    assert story.state_of_poc() == "proposed"


def test_a_charter_with_errors_is_proposed(poc: Story) -> None:
    poc.land(HEAD, CHARTER.replace("  - accuracy >=", "  - fast enough\n  - accuracy >="))
    assert poc.state_of_poc() == "proposed"


def test_a_stop_ends_it_and_can_be_taken_back(poc: Story) -> None:
    poc.land(HEAD, CHARTER.replace("target:", "stopped: 2026-11-20 - no demand\ntarget:"))
    assert poc.state_of_poc() == "stopped"
    poc.land(sha("again"))
    assert poc.state_of_poc() == "shipping"


def test_a_pause_changes_no_state(poc: Story) -> None:
    poc.land(HEAD, CHARTER.replace("target:", "paused: until 2026-12-10 - data\ntarget:"))
    assert poc.state_of_poc() == "shipping"


def test_only_the_calendar_does_not_take_a_state_back(poc: Story) -> None:
    poc.land(HEAD)
    poc.later(days=100)
    poc.land(sha("late"), put=files(accuracy=0.95, latency=200))
    assert poc.state_of_poc() == "shipping"


def test_observing_follows_the_states_as_well(poc: Story) -> None:
    poc.observe()
    poc.land(HEAD)
    assert poc.state_of_poc() == "shipping"


def test_a_dry_run_stores_no_state_and_signs_nothing(story: Story) -> None:
    story.found(signed=False)
    with story.without_workers():
        story.land(HEAD)
        story.sign(*SIGNERS)
        story.commit(sha("pull"))
        story.pull(sha("pull"), author="bob-m")
        story.say("/poc ship")
        story.deployed(HEAD)
    before = story.rows("SELECT state, ship_request, shipped_at FROM poc")
    assert len(story.dry_run()) >= 2
    assert story.rows("SELECT state, ship_request, shipped_at FROM poc") == before
    assert story.rows("SELECT count(*) FROM signature") == [(0,)]
    assert story.github.writes == []


# Shipped


def test_a_deployment_of_what_met_everything_ships_it_and_says_so_once(ready: Story) -> None:
    ready.deployed()
    assert ready.state_of_poc() == "shipped"
    assert stored(ready) == (5, HEAD)
    assert len(shipped(ready)) == 1
    ready.deployed()
    ready.land(sha("main"), tree="shared")
    ready.deployed(sha("main"))
    ready.later(days=1)
    ready.sweep()
    assert len(shipped(ready)) == 1
    assert stored(ready) == (5, HEAD)


@pytest.mark.parametrize("environment", [PRODUCTION, PRODUCTION.upper()])
def test_the_environments_name_is_read_in_any_case(ready: Story, environment: str) -> None:
    ready.deployed(environment=environment)
    assert ready.state_of_poc() == "shipped"


def test_a_deployment_elsewhere_ships_nothing(ready: Story) -> None:
    ready.land(sha("main"))
    ready.deployed(environment=STAGING)
    assert (ready.state_of_poc(), shipped(ready)) == ("shipping", [])


@pytest.mark.parametrize(
    ("people", "put"),
    [
        pytest.param(SIGNERS[:3], files(), id="a signature is open"),
        pytest.param(SIGNERS, files(accuracy=0.9), id="a bound is missed"),
        pytest.param(SIGNERS, {}, id="nothing is measured"),
    ],
)
def test_a_deployment_of_what_is_not_ready_ships_nothing(
    poc: Story, people: tuple[str, ...], put: dict[str, str]
) -> None:
    poc.commit(HEAD, put=put)
    poc.ship_request()
    poc.review(*people)
    poc.deployed()
    assert poc.state_of_poc() != "shipped"
    assert shipped(poc) == []


def test_what_a_deployed_commit_lacked_may_come_after_it(poc: Story) -> None:
    poc.commit(HEAD)
    poc.ship_request()
    poc.review(*SIGNERS[:3])
    poc.deployed()
    assert poc.state_of_poc() != "shipped"
    poc.review(SIGNERS[3])
    assert poc.state_of_poc() == "shipped"
    assert len(shipped(poc)) == 1


def test_what_ships_stays_shipped_when_its_numbers_grow_old(ready: Story) -> None:
    ready.deployed()
    ready.later(days=30)
    ready.land(sha("later"), put={})
    ready.sweep()
    assert ready.state_of_poc() == "shipped"


@pytest.mark.parametrize("done", [False, True], ids=["never heard", "heard, and the answer lost"])
def test_that_it_shipped_is_said_once_though_github_was_away(ready: Story, done: bool) -> None:
    ready.github.fail_next(LOST, "post_comment", done=done)
    ready.deployed()
    ready.work(waited=True)
    assert len(shipped(ready)) == 1


def test_observing_ships_and_says_nothing(ready: Story) -> None:
    ready.observe()
    ready.deployed()
    assert (ready.state_of_poc(), shipped(ready)) == ("shipped", [])


def test_shipping_closes_the_stall_issue_and_it_stays_silent(ready: Story) -> None:
    due = timedelta(days=60)
    ready.sweep(as_of=ready.now + due)
    [number] = ready.repo.issues
    assert ready.repo.issues[number].state is IssueState.OPEN
    ready.deployed()
    ready.sweep()
    assert ready.repo.issues[number].state is IssueState.CLOSED
    ready.github.forget_calls()
    ready.later(days=200)
    ready.sweep()
    assert ready.repo.issues[number].state is IssueState.CLOSED
    assert [call for call in ready.github.writes if "issue" in call.method] == []


# The ship request


def test_a_ship_request_that_is_closed_is_taken_back(ready: Story) -> None:
    ready.pull(action="closed", state="closed")
    assert stored(ready)[0] is None
    assert not answer(ready)
    ready.pull(action="reopened")
    assert ready.gate() == Said("neutral", "Numbers met")


def test_a_ship_request_that_is_merged_is_kept(ready: Story) -> None:
    ready.pull(action="closed", state="closed", merged=True)
    assert stored(ready)[0] == 5
    assert answer(ready)


def test_of_a_merge_and_its_sweep_nothing_is_taken_back(ready: Story) -> None:
    """A list of open pull requests may lack it before its event arrives."""
    ready.later(minutes=10)
    ready.repo.pull_requests = []
    ready.deliver("repository", action="edited", repository=described(replace(POC, updated_at=ready.tick())))
    ready.work()
    ready.sweep()
    assert stored(ready)[0] == 5
    ready.pull(action="closed", state="closed", merged=True)
    ready.sweep()
    assert (stored(ready)[0], answer(ready)) == (5, True)


def test_a_close_of_another_pull_request_takes_nothing_back(ready: Story) -> None:
    ready.pull(ready.commit(sha("other")), number=6)
    ready.pull(sha("other"), number=6, action="closed", state="closed")
    assert stored(ready)[0] == 5


def test_the_last_signature_may_come_after_the_merge(poc: Story) -> None:
    poc.commit(HEAD, tree="shared")
    poc.ship_request()
    poc.review(*SIGNERS[:3])
    poc.land(sha("merged"), tree="shared")
    poc.pull(action="closed", state="closed", merged=True)
    assert not answer(poc, sha("merged"))
    poc.review(SIGNERS[3])
    assert answer(poc, sha("merged"))


@pytest.mark.parametrize(("deployed", "state"), [(False, "stopped"), (True, "shipped")])
def test_a_repository_that_is_archived_has_stopped_unless_it_shipped(
    ready: Story, deployed: bool, state: str
) -> None:
    ready.land(sha("main"), tree="shared")
    if deployed:
        ready.deployed()
    for archived, expected in ((True, state), (False, "shipped" if deployed else "shipping")):
        ready.repo.described = replace(POC, archived=archived, updated_at=ready.tick())
        action = "archived" if archived else "unarchived"
        ready.deliver("repository", action=action, repository=described(ready.repo.described))
        ready.work()
        assert ready.state_of_poc() == expected


def answer(story: Story, name: str = HEAD) -> bool:
    """Whether a deployment of a commit would be approved."""
    answered = story.ask_to_deploy(name)
    assert answered is not None
    return answered.approved
