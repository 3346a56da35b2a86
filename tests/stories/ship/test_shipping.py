"""The whole way of one POC: sign-offs, the ship gate, deployments and commands, on one pull request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from service.rules.gate.lifecycle import State
from service.rules.queue import Failure, FailureKind
from service.rules.values.github import Commit
from service.rules.values.groups import Level
from service.rules.values.subjects import repository_key
from service.store import subjects
from service.store.database import transaction
from service.worker import reconcile_while_dirty
from tests.harness.charters import CHARTER as WITHOUT_STOP
from tests.harness.charters import PRODUCTION, SIGNERS, STAGING, files
from tests.harness.github import NOW
from tests.harness.pocs import stored_poc
from tests.harness.snapshots import Snapshots
from tests.harness.story import READY, Said, Story, open_signatures, sent
from tests.harness.world import BASE, HEAD, LOST, NEXT, POC

MERGED = "c" * 40
CHARTER = WITHOUT_STOP.replace("rollback:\n", "stop_if:\n  - accuracy < 80 %\nrollback:\n")
MET = Said("neutral", "Numbers met")


class Shipping(Story):
    """A POC with a stop criterion, and numbers that differ from commit to commit."""

    def bring(
        self, name: str, accuracy: float | None, charter: str | None = CHARTER, *, like: str = ""
    ) -> None:
        """A commit with a charter and numbers, with the tree of another where it is `like` that one."""
        put = {} if accuracy is None else files(212, accuracy)
        self.commit(name, charter, put, tree=f"tree of {like or name}")

    def main(
        self, name: str, accuracy: float | None = None, charter: str | None = CHARTER, *, like: str = ""
    ) -> None:
        """Push to the default branch."""
        put = {} if accuracy is None else files(212, accuracy)
        self.land(name, charter, put=put, tree=f"tree of {like or name}")

    def may_deploy(self, name: str, environment: str = PRODUCTION) -> tuple[bool, str]:
        """Ask to deploy; whether it is approved, and what is said to it."""
        answer = self.ask_to_deploy(name, environment)
        return (answer.approved, answer.comment) if answer else (False, "")


def proposed(ship: Shipping) -> None:
    """The charter is on the default branch, and #5 brings numbers that meet it."""
    ship.found(CHARTER, signed=False)
    ship.bring(HEAD, 0.934)
    ship.pull()


@pytest.fixture
def ship(snapshots: Snapshots) -> Iterator[Shipping]:
    with snapshots.of(Shipping, proposed) as made:
        yield made


# Sign-offs


def test_four_approvals_after_the_owner_asked_turn_the_gate_green(ship: Shipping) -> None:
    assert ship.gate() == MET
    ship.say("/poc ship")
    assert ship.gate() == open_signatures(4)
    ship.review("alice-k", "bob-m", "carol-s")
    assert ship.gate() == open_signatures(1)
    ship.review("DAN-W")
    assert ship.gate() == READY


def test_who_asks_for_changes_has_not_signed(ship: Shipping) -> None:
    ship.say("/poc ship")
    ship.review(*SIGNERS)
    ship.review("carol-s", state="changes_requested")
    assert ship.gate() == open_signatures(1)
    ship.review("carol-s")
    assert ship.gate() == READY


def test_an_approval_signs_once_for_what_was_approved(ship: Shipping) -> None:
    """A charter that is changed on the default branch afterwards was seen by nobody."""
    ship.say("/poc ship")
    ship.review(*SIGNERS)
    ship.main(MERGED, charter=CHARTER.replace(">= 92 %", ">= 60 %"))
    ship.bring(HEAD, 0.934, CHARTER)
    ship.repo.merge_bases[BASE, HEAD] = HEAD
    ship.pull(action="edited")
    ship.review("jane-doe", state="commented")
    assert ship.gate() == open_signatures(2)


def test_a_change_asks_those_again_whose_matter_it_is(ship: Shipping) -> None:
    ship.say("/poc ship")
    ship.review(*SIGNERS)
    ship.bring(NEXT, 0.934, CHARTER.replace("okta-oidc", "basic"))
    ship.pull(action="synchronize", head=NEXT)
    assert ship.gate(NEXT) == open_signatures(2)
    ship.review("bob-m", "dan-w", head=NEXT)
    assert ship.gate(NEXT) == READY


def test_another_place_for_a_number_asks_data_science_again(ship: Shipping) -> None:
    ship.say("/poc ship")
    ship.review(*SIGNERS)
    ship.bring(NEXT, 0.5, CHARTER.replace("metrics.json $.accuracy", "metrics.json $.other"))
    ship.repo.put(NEXT, {"eval/metrics.json": json.dumps({"accuracy": 0.5, "other": 0.99})})
    ship.pull(action="synchronize", head=NEXT)
    assert ship.gate(NEXT) == open_signatures(1)


def test_a_change_does_not_choose_its_signers(ship: Shipping) -> None:
    swapped = CHARTER.replace("carol-s", "alice-k").replace("dan-w", "alice-k")
    ship.bring(NEXT, 0.934, swapped)
    ship.pull(action="synchronize", head=NEXT)
    ship.say("/poc ship")
    ship.review("alice-k", "bob-m", head=NEXT)
    assert ship.gate(NEXT) == open_signatures(2)
    ship.review("carol-s", "dan-w", head=NEXT)
    assert ship.gate(NEXT) == READY


def test_who_opened_the_pull_request_has_signed_the_head_that_they_brought(ship: Shipping) -> None:
    ship.bring(NEXT, 0.934)
    ship.pull(number=6, head=NEXT, author="bob-m", sender="bob-m")
    ship.say("/poc ship", number=6)
    assert ship.gate(NEXT) == open_signatures(3)


@pytest.mark.parametrize("mover", ["jane-doe", "github-actions[bot]", "Copilot"])
def test_a_head_that_somebody_else_brought_is_not_signed_by_its_author(ship: Shipping, mover: str) -> None:
    ship.bring(NEXT, 0.934)
    ship.pull(number=6, head=NEXT, author="bob-m", sender=mover)
    ship.say("/poc ship", number=6)
    assert ship.gate(NEXT) == open_signatures(4)


@pytest.mark.parametrize("opener", ["Copilot", "bob-m"])
def test_a_signer_who_asked_an_agent_for_a_change_has_not_signed_by_it(ship: Shipping, opener: str) -> None:
    ship.bring(NEXT, 0.934)
    ship.pull(number=6, head=NEXT, author="Copilot", sender=opener, assignees=["Copilot", "bob-m"])
    ship.say("/poc ship", number=6)
    assert ship.gate(NEXT) == open_signatures(4)
    ship.review("bob-m", number=6, head=NEXT)
    assert ship.gate(NEXT) == open_signatures(3)


def test_a_signature_may_still_be_given_after_the_merge(ship: Shipping) -> None:
    ship.say("/poc ship")
    ship.review("alice-k", "bob-m", "carol-s")
    ship.pull(action="closed", state="closed", merged=True)
    ship.main(MERGED, 0.934)
    approved, comment = ship.may_deploy(MERGED)
    assert not approved
    assert "dan-w" in comment
    ship.review("dan-w")
    approved, comment = ship.may_deploy(MERGED)
    assert approved, comment


def test_the_ship_request_speaks_for_a_head_that_another_pull_request_has_too(ship: Shipping) -> None:
    ship.pull(number=9)
    ship.say("/poc ship", number=9)
    assert ship.gate() == open_signatures(4)
    ship.review(*SIGNERS, number=9)
    assert ship.gate() == READY


def test_eased_bounds_count_once_those_who_answer_for_them_have_approved(ship: Shipping) -> None:
    ship.bring(NEXT, 0.9, CHARTER.replace(">= 92 %", ">= 88 %"))
    ship.pull(action="synchronize", head=NEXT)
    assert ship.gate(NEXT) == Said("neutral", "Missing for shipping: 1 of 2 thresholds")
    ship.review("alice-k", head=NEXT)
    assert ship.gate(NEXT).title == "Missing for shipping: 1 of 2 thresholds"
    ship.review("carol-s", head=NEXT)
    assert ship.gate(NEXT).title == "Numbers met"


# Commands


@pytest.mark.parametrize(
    ("body", "login", "pull", "said"),
    [
        pytest.param("/poc ship", "mallory", True, "needs write access", id="without write access"),
        pytest.param("/poc ship", "bob-m", True, "jane-doe", id="not by the owner"),
        pytest.param("/poc ship", "jane-doe", False, "pull request", id="in an issue"),
        pytest.param("/poc sign", "alice-k", True, "pprov", id="sign on a pull request"),
        pytest.param(
            "/poc sign", "jane-doe", False, "alice-k, bob-m", id="sign by somebody who is not named"
        ),
        pytest.param("/poc frobnicate", "jane-doe", True, "/poc help", id="no such command"),
    ],
)
def test_a_refused_command_says_why_once_and_changes_nothing(
    ship: Shipping, body: str, login: str, pull: bool, said: str
) -> None:
    ship.repo.permissions = {"mallory": "read"}
    before = stored_poc(ship.services.store, POC.id)
    ship.github.fail_next(LOST, "post_comment", done=True)
    ship.say(body, login, on_pull=pull)
    ship.work(waited=True)
    assert len(ship.comments()) == 1
    assert said in ship.comments()[0]
    assert ship.repo.reactions == set()
    assert stored_poc(ship.services.store, POC.id) == before


def test_a_ship_request_goes_to_the_default_branch(ship: Shipping) -> None:
    ship.bring(NEXT, 0.99, CHARTER.replace(">= 92 %", ">= 1 %"))
    ship.pull(number=6, head=NEXT, base_ref="rel")
    ship.say("/poc ship", number=6)
    assert "`main`" in ship.comments()[0]
    assert stored_poc(ship.services.store, POC.id).request is None


def test_one_comment_gets_one_answer_and_a_reaction(ship: Shipping) -> None:
    comment = ship.say("/poc help\n\n/poc nonsense\n\n/poc ship")
    assert len(ship.comments()) == 1
    assert ship.repo.reactions == {(comment, "+1")}
    assert ship.gate() == open_signatures(4)


def test_a_dry_run_keeps_nothing_of_what_it_decides(ship: Shipping) -> None:
    before = stored_poc(ship.services.store, POC.id)
    ship.tell_comment("/poc ship")
    ship.dry_run()
    assert stored_poc(ship.services.store, POC.id) == before
    ship.work()
    assert ship.gate() == open_signatures(4)


# Evidence


def test_a_file_that_stays_the_same_gets_old(ship: Shipping) -> None:
    ship.now += timedelta(days=15)
    ship.sweep()
    assert ship.gate().title == "Missing for shipping: 2 of 2 thresholds"
    ship.bring(NEXT, 0.935)
    ship.pull(action="synchronize", head=NEXT)
    assert ship.gate(NEXT).title == "Missing for shipping: 1 of 2 thresholds"


@pytest.mark.parametrize(
    ("put", "says"),
    [
        pytest.param({}, "no such file", id="missing"),
        pytest.param({"eval/metrics.json": "{"}, "JSON", id="not readable"),
        pytest.param(
            {"eval/metrics.json": '{"accuracy": 93.4}'}, "end the evidence line with", id="no ratio"
        ),
        pytest.param({"eval/metrics.json": " " * (6 * 1024 * 1024)}, "5 MB", id="too large"),
    ],
)
def test_what_gives_no_number_is_told_and_is_no_pass(ship: Shipping, put: dict[str, str], says: str) -> None:
    ship.bring(NEXT, None)
    ship.repo.put(NEXT, files(212, None) | put)
    ship.pull(action="synchronize", head=NEXT)
    assert ship.gate(NEXT) == Said("neutral", "Missing for shipping: 1 of 2 thresholds")
    assert says in ship.repo.check_runs[-1].output.summary


def test_each_blob_is_read_once_and_its_numbers_are_kept(ship: Shipping) -> None:
    assert len(ship.github.made("blob")) == 2
    ship.bring(NEXT, 0.934)
    ship.pull(action="synchronize", head=NEXT)
    ship.sweep()
    assert len(ship.github.made("blob")) == 2
    rows = ship.rows("SELECT commit_sha, key, value FROM evidence ORDER BY id")
    assert rows == [
        (sha, key, value)
        for sha in (HEAD, NEXT)
        for key, value in (("latency_p95", "212"), ("accuracy", "0.934"))
    ]


def measured(ship: Shipping, name: str, *, number: int | None = None, environment: str = STAGING) -> None:
    """What a workflow run sends about a commit, or about a pull request's test merge."""
    latency = sent("latency_p95", "212", "ms", load="60 req/s", environment=environment)
    accuracy = sent("accuracy", "93.4", "%", dataset="tickets-2026q3", n=2140, environment=environment)
    ship.upload(name, latency, accuracy, number=number, environment=environment)


@pytest.fixture
def strict(ship: Shipping) -> Shipping:
    """Only what workflows measured counts."""
    ship.only_measured()
    ship.pull(action="edited")
    return ship


def test_where_numbers_have_to_be_measured_a_file_does_not_do(strict: Shipping) -> None:
    assert strict.gate().title == "Missing for shipping: 2 of 2 thresholds"
    assert str(Level.SELF_REPORTED) in strict.repo.check_runs[-1].output.summary
    measured(strict, HEAD)
    assert strict.gate().title == "Numbers met"


def test_numbers_from_another_environment_do_not_count(strict: Shipping) -> None:
    measured(strict, HEAD, environment="laptop")
    assert strict.gate().title == "Missing for shipping: 2 of 2 thresholds"
    assert "support-staging" in strict.repo.check_runs[-1].output.summary


def test_an_environment_that_a_job_without_one_wrote_is_self_reported(strict: Shipping) -> None:
    latency = sent("latency_p95", "212", "ms", load="60 req/s", environment=STAGING)
    strict.upload(HEAD, latency, environment=None)
    assert strict.gate().title == "Missing for shipping: 2 of 2 thresholds"
    assert "its job has no `environment`" in strict.repo.check_runs[-1].output.summary


def test_a_test_merge_speaks_for_the_head_that_it_merges(strict: Shipping) -> None:
    strict.repo.history[NEXT] = Commit(NEXT, "tree", (BASE, HEAD))
    measured(strict, NEXT, number=5)
    assert strict.gate().title == "Numbers met"


def test_a_test_merge_is_resolved_also_when_the_pull_request_was_merged_at_once(strict: Shipping) -> None:
    strict.repo.history[NEXT] = Commit(NEXT, "tree", (BASE, HEAD))
    strict.main(MERGED, like=HEAD)
    strict.pull(action="closed", state="closed", merged=True)
    measured(strict, NEXT, number=5)
    assert strict.gate(MERGED).title == "Numbers met"


def test_what_was_measured_before_a_squash_counts_on_the_branch_and_not_on_another_head(
    strict: Shipping,
) -> None:
    measured(strict, HEAD)
    strict.main(MERGED, like=HEAD)
    strict.sweep()
    assert strict.gate(MERGED).title == "Numbers met"
    strict.bring(NEXT, None, like=HEAD)
    strict.pull(number=6, head=NEXT)
    assert strict.runs(NEXT) == []


# Deployments


def ready(ship: Shipping) -> None:
    """Everything met and signed, and merged."""
    ship.say("/poc ship")
    ship.review(*SIGNERS)
    ship.pull(action="closed", state="closed", merged=True)
    ship.main(MERGED, 0.934)


def test_a_deployment_is_held_until_everything_is_met(ship: Shipping) -> None:
    ship.main(MERGED, 0.934)
    assert not ship.may_deploy(MERGED)[0]
    ready(ship)
    assert ship.may_deploy(MERGED)[0]
    assert ship.may_deploy(MERGED, "SUPPORT-PROD")[0]


def test_a_commit_that_was_never_asked_for_does_not_ship_with_the_signatures_of_another(
    ship: Shipping,
) -> None:
    ready(ship)
    ship.bring("e" * 40, 0.99)
    ship.repo.merge_bases["e" * 40, MERGED] = BASE
    approved, comment = ship.may_deploy("e" * 40)
    assert not approved
    assert "default branch" in comment
    assert ship.may_deploy(HEAD)[0]


def test_renaming_the_environment_does_not_switch_the_rule_off(ship: Shipping) -> None:
    ship.pull(number=4, head=BASE)
    ship.say("/poc sign", "bob-m", number=1, on_pull=False)
    assert not ship.may_deploy(BASE)[0]
    ship.main(MERGED, charter=CHARTER.replace("support-prod", "support-prod2"))
    assert not ship.may_deploy(MERGED)[0]
    ship.main("d" * 40, charter=None)
    assert not ship.may_deploy("d" * 40)[0]


def test_without_measured_in_numbers_bind_from_the_first_time_that_all_are_there(ship: Shipping) -> None:
    free = CHARTER.replace("  measured_in: support-staging\n", "")
    ship.main(MERGED, charter=free)
    assert not ship.may_deploy(MERGED)[0]
    ship.sign("bob-m")
    approved, comment = ship.may_deploy(MERGED)
    assert approved
    assert "not bound yet" in comment
    ship.main("d" * 40, 0.934, free)
    assert not ship.may_deploy("d" * 40)[0]
    ship.main("e" * 40, charter=free)
    assert not ship.may_deploy("e" * 40)[0]


def test_observing_a_deployment_is_approved_with_the_verdict(ship: Shipping) -> None:
    ship.observe()
    approved, comment = ship.may_deploy(BASE)
    assert approved
    assert "rejected" in comment


def test_a_commit_that_github_does_not_know_is_answered(ship: Shipping) -> None:
    gone = Failure(FailureKind.GONE, "GitHub says 404, Not Found")
    ship.github.fail_next(gone, "blob_shas")
    approved, comment = ship.may_deploy("e" * 40)
    assert not approved
    assert "not measured" in comment


# Shipped, stopped, and the states on the way


def test_shipped_is_said_once_and_then_there_is_silence(ship: Shipping) -> None:
    ready(ship)
    assert ship.state_of_poc() == State.PROPOSED  # nobody signed the start
    ship.deployed(MERGED, "support-staging")
    assert ship.comments() == []
    ship.github.fail_next(LOST, "post_comment", done=True)
    ship.deployed(MERGED)
    ship.work(waited=True)
    assert ship.state_of_poc() == State.SHIPPED
    assert len(ship.comments()) == 1
    ship.deployed(MERGED)
    ship.sweep(as_of=NOW + timedelta(days=90))
    assert len(ship.comments()) == 1
    assert ship.repo.issues == {}


def test_a_deployment_ships_when_what_it_lacked_arrives_later(ship: Shipping) -> None:
    ship.say("/poc ship")
    ship.review("alice-k", "bob-m", "carol-s")
    ship.pull(action="closed", state="closed", merged=True)
    ship.main(MERGED, 0.934)
    ship.deployed(MERGED)
    assert ship.state_of_poc() != State.SHIPPED
    ship.review("dan-w")
    assert ship.state_of_poc() == State.SHIPPED


def test_the_states_of_a_life(ship: Shipping) -> None:
    assert ship.state_of_poc() == State.PROPOSED
    for login in SIGNERS:
        ship.say("/poc sign", login, number=1, on_pull=False)
    assert ship.state_of_poc() == State.BUILDING
    ship.main(MERGED, 0.5)
    assert ship.state_of_poc() == State.EVALUATING
    ship.main("d" * 40, 0.934)
    assert ship.state_of_poc() == State.SHIPPING
    ship.main("e" * 40, 0.934, CHARTER.replace("owner:", "stopped: 2026-11-22 - too slow\nowner:", 1))
    assert ship.state_of_poc() == State.STOPPED


@pytest.mark.parametrize(
    ("accuracy", "told"), [(0.81, False), (0.79, True)], ids=["above the criterion", "below it"]
)
def test_a_stop_criterion_that_comes_true_is_told_once(ship: Shipping, accuracy: float, told: bool) -> None:
    ship.main(MERGED, accuracy)
    ship.main("d" * 40, accuracy - 0.001)
    ship.sweep()
    bodies = [issue.body for issue in ship.repo.issues.values()]
    assert len(bodies) == int(told)
    assert all("@jane-doe" in body and "@carol-s" in body for body in bodies)


def test_looking_again_at_everything_writes_nothing(ship: Shipping) -> None:
    ready(ship)
    ship.deployed(MERGED)
    ship.github.forget_calls()
    ship.sweep()
    ship.now += timedelta(days=1)
    ship.sweep()
    assert ship.github.writes == []


def test_a_look_that_is_alone_costs_no_call(ship: Shipping) -> None:
    ship.github.forget_calls()
    with transaction(ship.services.engine) as session:
        subjects.mark(session, ["pull_request:1:5", repository_key(1)])
    for key in ("pull_request:1:5", repository_key(1)):
        reconcile_while_dirty(ship.services, key)
    assert ship.github.calls == []
