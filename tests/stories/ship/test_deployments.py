"""The deployment protection rule: which deployments wait for the verdict, and what GitHub is answered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.rules.queue import MOST_GLANCES, Failure, FailureKind
from tests.harness.charters import CHARTER, PRODUCTION, SIGNERS, STAGING, UNBOUND, files
from tests.harness.github import DeploymentAnswer, repository
from tests.harness.story import Story, sha
from tests.harness.world import HEAD, LOST, NO

SQUASHED = sha("squashed")
GONE = Failure(FailureKind.GONE, "GitHub says 404, Not Found")
UNSEEN = Failure(FailureKind.UNSEEN, "GitHub says 422, no deployment waits")


@pytest.fixture
def ready(poc: Story) -> Story:
    """A ship request that lacks nothing."""
    poc.commit(HEAD, tree="shared")
    poc.ship_request()
    poc.review(*SIGNERS)
    assert poc.gate().conclusion == "success"
    return poc


def answered(answer: DeploymentAnswer | None) -> tuple[bool, str]:
    assert answer is not None
    return answer.approved, answer.comment


# The target environment


def test_a_ship_requests_head_that_lacks_nothing_is_approved(ready: Story) -> None:
    approved, comment = answered(ready.ask_to_deploy())
    assert approved
    assert "2 of 2 thresholds" in comment


def test_another_case_of_letters_is_the_same_environment(ready: Story) -> None:
    assert answered(ready.ask_to_deploy(environment=PRODUCTION.upper()))[0]
    ready.commit(sha("bad"), put=files(accuracy=0.5))
    assert not answered(ready.ask_to_deploy(sha("bad"), PRODUCTION.upper()))[0]


def test_a_commit_that_misses_a_bound_is_rejected_and_told_why(poc: Story) -> None:
    poc.land(HEAD, put=files(accuracy=0.914))
    approved, comment = answered(poc.ask_to_deploy())
    assert not approved
    assert "missed by 0.6 points" in comment


def test_the_answer_speaks_of_the_commit_that_is_deployed(ready: Story) -> None:
    ready.land(sha("main"), put=files(accuracy=0.2))
    assert answered(ready.ask_to_deploy(HEAD))[0]
    assert not answered(ready.ask_to_deploy(sha("main")))[0]


def test_what_nobody_asked_to_ship_is_rejected(poc: Story) -> None:
    poc.land(HEAD)
    approved, comment = answered(poc.ask_to_deploy())
    assert not approved
    assert "/poc ship" in comment


def test_what_not_all_have_signed_is_rejected(poc: Story) -> None:
    poc.commit(HEAD)
    poc.ship_request()
    poc.review(*SIGNERS[:3])
    approved, comment = answered(poc.ask_to_deploy())
    assert not approved
    assert "security" in comment


def test_a_squashed_commit_ships_with_what_was_measured_on_the_branch(ready: Story) -> None:
    ready.upload(HEAD)
    ready.land(SQUASHED, put={}, tree="shared")
    ready.pull(action="closed", state="closed", merged=True)
    assert answered(ready.ask_to_deploy(SQUASHED))[0]


def test_a_commit_of_another_branch_that_meets_everything_is_not_what_was_asked_for(ready: Story) -> None:
    ready.land(sha("main"), tree="of main")
    ready.commit(sha("elsewhere"), tree="of another branch")
    ready.repo.merge_bases[sha("elsewhere"), sha("main")] = sha("fork")
    approved, _ = answered(ready.ask_to_deploy(sha("elsewhere")))
    assert not approved


def test_a_commit_behind_the_default_branchs_head_is_contained(ready: Story) -> None:
    ready.land(sha("first"), tree="first")
    ready.land(sha("second"), tree="second")
    ready.repo.merge_bases[sha("first"), sha("second")] = sha("first")
    assert answered(ready.ask_to_deploy(sha("first")))[0]


def test_a_commit_that_github_does_not_know_is_rejected(ready: Story) -> None:
    assert not answered(ready.ask_to_deploy(sha("unknown")))[0]


@pytest.mark.parametrize(
    ("was", "now", "why"),
    [
        pytest.param("target:", "stopped: 2026-11-20 - no demand\ntarget:", "topped", id="stopped"),
        pytest.param("target:", "paused: until 2026-12-10 - data\ntarget:", "aused", id="paused"),
        pytest.param("https://ci.example.com/deploy", "missing", "deploy_process", id="infra missing"),
        pytest.param("  drilled: 2026-11-12 in 4 min\n", "", "drill", id="rollback not drilled"),
        pytest.param("  - accuracy >=", "  - fast enough\n  - accuracy >=", "error", id="errors"),
    ],
)
def test_the_default_branchs_charter_decides_whatever_the_commit_brings(
    ready: Story, was: str, now: str, why: str
) -> None:
    ready.land(sha("main"), CHARTER.replace(was, now))
    approved, comment = answered(ready.ask_to_deploy())
    assert not approved
    assert why in comment


def test_a_commit_does_not_bring_its_own_bounds(ready: Story) -> None:
    loose = CHARTER.replace("accuracy >= 92 %", "accuracy >= 60 %")
    ready.commit(sha("loose"), loose, files(accuracy=0.7))
    ready.pull(sha("loose"), action="synchronize")
    assert not answered(ready.ask_to_deploy(sha("loose")))[0]


# What passes with a note


def test_another_environment_is_approved_with_a_note_and_costs_one_call(poc: Story) -> None:
    poc.land(HEAD, put={})
    poc.github.forget_calls()
    approved, comment = answered(poc.ask_to_deploy(environment=STAGING))
    assert approved
    assert PRODUCTION in comment
    assert [call.method for call in poc.github.calls] == ["answer_deployment"]


def test_without_a_charter_it_is_approved_with_a_note(story: Story) -> None:
    story.found(None, signed=False)
    approved, comment = answered(story.ask_to_deploy())
    assert approved
    assert "no charter" in comment


def test_a_repository_that_is_no_poc_is_not_held_up(story: Story) -> None:
    plain = repository(full_name="acme/website")
    story.github.add(plain).write(None, "main")
    story.install(plain)
    approved, comment = answered(story.ask_to_deploy())
    assert approved
    assert "no charter" in comment


@pytest.mark.parametrize(("put", "would"), [(files(), "approved"), ({}, "rejected")])
def test_observing_approves_and_says_what_the_verdict_would_be(
    poc: Story, put: dict[str, str], would: str
) -> None:
    poc.commit(HEAD, put=put)
    poc.ship_request()
    poc.review(*SIGNERS)
    poc.observe()
    approved, comment = answered(poc.ask_to_deploy())
    assert approved
    assert f"only observed: enforcing would have {would} it" in comment


# An environment that platform signed for stays protected


def test_renaming_the_target_does_not_open_the_door_until_platform_signs(poc: Story) -> None:
    poc.land(sha("main"), put={})
    renamed = CHARTER.replace("environment: support-prod", "environment: support-live")
    poc.land(sha("renamed"), renamed, put={})
    assert not answered(poc.ask_to_deploy(sha("renamed"), PRODUCTION))[0]
    poc.sign("bob-m")
    assert answered(poc.ask_to_deploy(sha("renamed"), PRODUCTION))[0]
    assert not answered(poc.ask_to_deploy(sha("renamed"), "support-live"))[0]


NO_STAGING = ("  measured_in: support-staging\n", "")
STRICTER = ("evidence:", "  - recall >= 99 %\nevidence:")
BROKEN = ("  - accuracy >=", "  - fast enough\n  - accuracy >=")
RENAMED = ("environment: support-prod", "environment: support-live")
STRANGERS = [(login, f"new-{place}") for place, login in enumerate(SIGNERS)]


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param([NO_STAGING, STRICTER], id="measured_in is gone, beside a stricter line"),
        pytest.param([(">= 92 %", ">= 10 %")], id="a bound is looser"),
        pytest.param([(">= 92 %", ">= 10 %"), *STRANGERS], id="a bound is looser, for other signers"),
        pytest.param([RENAMED], id="another environment"),
        pytest.param([RENAMED, BROKEN], id="another environment, in a charter with errors"),
        pytest.param([RENAMED, *STRANGERS], id="another environment, for other signers"),
        pytest.param([("  environment: support-prod\n", "")], id="no environment"),
    ],
)
def test_what_nobody_signed_does_not_loosen_what_deployments_are_held_to(
    poc: Story, edits: list[tuple[str, str]]
) -> None:
    poc.commit(HEAD, put=files(accuracy=0.914))
    poc.ship_request()
    poc.review(*SIGNERS)
    eased = CHARTER
    for old, new in edits:
        eased = eased.replace(old, new)
    poc.land(sha("main"), eased)
    poc.sign(*(new for _, new in STRANGERS))
    assert not answered(poc.ask_to_deploy())[0]


def test_the_answer_names_who_has_not_signed_what_got_easier(poc: Story) -> None:
    poc.land(HEAD, CHARTER.replace(*NO_STAGING).replace(*STRICTER), put=files(accuracy=0.914))
    assert "made easier, and not signed by platform (`bob-m`)" in answered(poc.ask_to_deploy())[1]
    poc.sign("bob-m", "alice-k", "carol-s")
    assert "eased" not in answered(poc.ask_to_deploy())[1]


def test_numbers_of_the_ship_request_bind_what_is_deployed_later(story: Story) -> None:
    story.found(UNBOUND)
    story.commit(HEAD, UNBOUND)
    story.ship_request()
    story.land(sha("main"), UNBOUND.replace(*STRICTER), put={})
    assert "not bound yet" not in answered(story.ask_to_deploy())[1]


def test_deleting_the_charter_does_not_open_the_door(poc: Story) -> None:
    poc.land(sha("main"))
    poc.land(sha("bare"), None)
    assert not answered(poc.ask_to_deploy(sha("bare")))[0]


# The way back


@pytest.fixture
def live(ready: Story) -> Story:
    """A POC that shipped, and the charter and the commits after that."""
    ready.deployed(HEAD)
    ready.pull(action="closed", state="closed", merged=True)
    ready.land(sha("later"), put=files(accuracy=0.5))
    return ready


PAUSED = CHARTER.replace("target:", "paused: until 2026-12-20 - summer\ntarget:")
TIGHTER = CHARTER.replace(">= 92 %", ">= 99 %")
STOPPED = CHARTER.replace("target:", "stopped: 2026-11-20 - no demand\ntarget:")


@pytest.mark.parametrize(
    ("charter", "days", "missing"),
    [
        pytest.param(CHARTER, 20, "too old", id="its numbers have aged"),
        pytest.param(PAUSED, 0, "paused until", id="paused"),
        pytest.param(TIGHTER, 0, "missed by", id="a bound is tighter"),
        pytest.param(CHARTER.replace("dan-w", "erin-x"), 0, "not signed", id="another signer"),
        pytest.param(CHARTER.replace("https://ci.example.com/deploy", "missing"), 0, "missing", id="infra"),
        pytest.param(CHARTER.replace("  - accuracy", "  - fast\n  - accuracy"), 0, "", id="errors"),
    ],
)
def test_what_shipped_may_ship_again(live: Story, charter: str, days: int, missing: str) -> None:
    live.land(sha("now"), charter, put=files(accuracy=0.5))
    live.later(days=days)
    for back in (HEAD, live.commit(sha("revert"), charter, tree="shared")):
        approved, comment = answered(live.ask_to_deploy(back))
        assert approved
        assert "a rollback is always allowed" in comment
        assert missing in comment
    assert not answered(live.ask_to_deploy(sha("now")))[0]


def test_each_commit_that_shipped_may_ship_again(live: Story) -> None:
    live.land(sha("second"), tree="second")
    assert "rollback" not in answered(live.ask_to_deploy(sha("second")))[1]
    live.deployed(sha("second"))
    live.later(days=20)
    for back in (HEAD, sha("second")):
        assert answered(live.ask_to_deploy(back))[0]
    assert len(live.comments(5)) == 1


@pytest.mark.parametrize("again", [None, CHARTER], ids=["stopped", "taken up again"])
def test_nothing_ships_again_after_a_stop(live: Story, again: str | None) -> None:
    live.land(sha("stop"), STOPPED, put={})
    if again:
        live.land(sha("again"), again, put={})
    live.later(days=20)
    assert not answered(live.ask_to_deploy())[0]


def test_what_shipped_to_one_environment_may_not_ship_to_another(live: Story) -> None:
    live.land(sha("renamed"), CHARTER.replace("environment: support-prod", "environment: support-live"))
    live.sign("bob-m")
    live.later(days=20)
    assert not answered(live.ask_to_deploy(HEAD, "support-live"))[0]


def test_what_was_deployed_without_meeting_everything_has_not_shipped(poc: Story) -> None:
    poc.land(HEAD, put=files(accuracy=0.5))
    poc.deployed(HEAD)
    assert not answered(poc.ask_to_deploy())[0]


# Without `measured_in`


@pytest.fixture
def unbound(story: Story) -> Story:
    """A POC whose numbers can only be taken where it will run."""
    story.found(UNBOUND)
    return story


@pytest.mark.parametrize("put", [{}, files(accuracy=None)], ids=["no value", "one of two"])
def test_it_is_approved_with_a_note_until_every_threshold_has_a_value(
    unbound: Story, put: dict[str, str]
) -> None:
    unbound.land(HEAD, UNBOUND, put=put)
    approved, comment = answered(unbound.ask_to_deploy())
    assert approved
    assert "not bound yet" in comment
    assert "`accuracy`" in comment


def test_it_is_answered_by_the_verdict_once_every_threshold_has_a_value(unbound: Story) -> None:
    unbound.land(HEAD, UNBOUND, put={})
    assert answered(unbound.ask_to_deploy())[0]
    unbound.land(sha("measured"), UNBOUND, put=files(accuracy=0.5))
    approved, comment = answered(unbound.ask_to_deploy(sha("measured")))
    assert not approved
    assert "missed" in comment
    unbound.commit(sha("good"), UNBOUND, tree="good")
    unbound.ship_request(sha("good"))
    unbound.review(*SIGNERS, head=sha("good"))
    assert answered(unbound.ask_to_deploy(sha("good")))[0]


def test_once_bound_a_commit_without_numbers_is_rejected(unbound: Story) -> None:
    unbound.land(sha("measured"), UNBOUND)
    unbound.land(HEAD, UNBOUND, put={})
    approved, comment = answered(unbound.ask_to_deploy())
    assert not approved
    assert "not measured" in comment


def test_a_stopped_poc_is_not_deployed_for_want_of_numbers(unbound: Story) -> None:
    unbound.land(HEAD, UNBOUND.replace("target:", "stopped: 2026-11-20 - no demand\ntarget:"), put={})
    assert not answered(unbound.ask_to_deploy())[0]


# GitHub's side


def test_a_run_that_asks_again_after_a_rejection_is_answered_again(poc: Story) -> None:
    poc.land(HEAD, put={})
    assert not answered(poc.ask_to_deploy(run_id=77, deployment_id=9001))[0]
    poc.repo.answers.clear()
    poc.commit(HEAD)
    poc.upload(HEAD)
    poc.pull(HEAD)
    poc.say("/poc ship")
    poc.review(*SIGNERS)
    assert answered(poc.ask_to_deploy(run_id=77, deployment_id=9001))[0]


def test_a_request_that_is_delivered_again_is_answered_once(poc: Story) -> None:
    poc.land(HEAD)
    poc.ask_to_deploy()
    poc.github.forget_calls()
    poc.sweep()
    assert poc.github.made("answer_deployment") == []


@pytest.mark.parametrize("failure", [GONE, NO, UNSEEN], ids=["gone", "403", "422"])
def test_an_answer_that_github_does_not_take_is_not_tried_for_ever(poc: Story, failure: Failure) -> None:
    poc.land(HEAD)
    for _ in range(MOST_GLANCES):
        poc.github.fail_next(failure, "answer_deployment")
    assert poc.ask_to_deploy(deployment_id=9001) is None
    for _ in range(MOST_GLANCES - 1):
        poc.work(waited=True)
    state = poc.state("deployment:1:9001")
    assert not state.dirty
    assert state.dead is (failure is NO)


def test_an_answer_that_came_too_early_is_given_within_seconds(ready: Story) -> None:
    ready.github.fail_next(UNSEEN, "answer_deployment")
    assert ready.ask_to_deploy(deployment_id=9001) is None
    waits_until = ready.state("deployment:1:9001").waits_until
    assert waits_until is not None
    assert waits_until - ready.now < timedelta(seconds=5)
    ready.work(waited=True)
    assert answered(ready.repo.answers[-1])[0]


def test_an_answer_that_came_too_early_holds_up_no_other_of_its_run(ready: Story) -> None:
    """Jobs that ask for an environment without a deployment are one subject: their run."""
    ready.github.fail_next(UNSEEN, "answer_deployment")
    ready.ask_to_deploy(environment=STAGING, run_id=77, deployment_id=77, look=False)
    ready.ask_to_deploy(run_id=77, deployment_id=77)
    assert len(ready.repo.answers) == 1
    for _ in range(MOST_GLANCES):
        ready.work(waited=True)
    assert {each.environment for each in ready.repo.answers} == {STAGING, PRODUCTION}
    assert not ready.state("deployment:1:77").dirty


@pytest.mark.parametrize("method", ["answer_deployment", "commit", "merge_base"])
def test_a_deployment_is_answered_when_github_is_back(ready: Story, method: str) -> None:
    ready.land(SQUASHED, tree="another")
    ready.land(sha("later"), tree="later")
    ready.repo.merge_bases[SQUASHED, sha("later")] = SQUASHED
    ready.github.fail_next(LOST, method)
    assert ready.ask_to_deploy(SQUASHED) is None
    ready.work(waited=True)
    assert answered(ready.repo.answers[-1])[0]


def test_an_answer_that_was_given_and_whose_own_answer_was_lost_is_given_once(ready: Story) -> None:
    ready.github.fail_next(LOST, "answer_deployment", done=True)
    ready.ask_to_deploy(deployment_id=9001)
    for _ in range(MOST_GLANCES):
        ready.work(waited=True)
    assert len(ready.repo.answers) == 1
    assert not ready.state("deployment:1:9001").dirty


def test_two_environments_of_one_run_are_both_answered(ready: Story) -> None:
    first = answered(ready.ask_to_deploy(environment=STAGING, run_id=77, deployment_id=9001))
    second = answered(ready.ask_to_deploy(run_id=77, deployment_id=9002))
    assert [first[0], second[0]] == [True, True]
    assert [answer.environment for answer in ready.repo.answers] == [STAGING, PRODUCTION]
