"""Sign-offs, the ship gate, deployments and commands, from delivery to what stands on GitHub."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from service.rules.gate.lifecycle import State
from service.rules.queue.retry import Failure, FailureKind
from service.rules.values.actions import GATE_CHECK, Conclusion
from service.rules.values.github import Commit
from service.rules.values.groups import Level
from service.rules.values.subjects import repository_key
from service.settings import EvidenceLevel
from service.store import subjects
from service.store.database import transaction
from service.sweep import dry_run
from service.worker import reconcile_while_dirty
from tests.fakes import NOW, FakeRepository
from tests.ship.story import CHARTER as WITHOUT_STOP
from tests.test_events import LOST, POC, World, described, settings

MAIN, HEAD, NEXT, MERGED = "b" * 40, "1" * 40, "2" * 40, "c" * 40
"""`MAIN` is the base's commit in every payload."""
SIGNERS = ("alice-k", "bob-m", "carol-s", "dan-w")
LOAD = json.dumps({"metrics": {"http_req_duration": {"p(95)": 212}}})
CHARTER = WITHOUT_STOP.replace("rollback:\n", "stop_if:\n  - accuracy < 80 %\nrollback:\n")


class Shipping:
    """A POC on its way to production; the clock moves a minute with each thing that happens."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ids = itertools.count(501)

    @property
    def repo(self) -> FakeRepository:
        return self.world.github.repos[POC.id]

    def tick(self) -> datetime:
        self.world.now += timedelta(minutes=1)
        return self.world.now

    def commit(
        self, sha: str, accuracy: float | None, charter: str | None = CHARTER, *, like: str = ""
    ) -> None:
        """A commit with a charter and numbers, with the tree of another where it is `like` that one."""
        self.repo.write(charter, sha)
        self.repo.history[sha] = Commit(sha, f"tree-{like or sha}", ())
        self.repo.merge_bases[MAIN, sha] = MAIN
        if accuracy is not None:
            self.repo.put(
                sha, {"load/k6.json": LOAD, "eval/metrics.json": json.dumps({"accuracy": accuracy, "n": 9})}
            )

    def main(
        self, sha: str, accuracy: float | None = None, charter: str | None = CHARTER, *, like: str = ""
    ) -> None:
        """Push to the default branch."""
        self.commit(sha, accuracy, charter, like=like)
        self.repo.write(charter, "main")
        at = self.tick()
        self.world.deliver(
            "push",
            ref="refs/heads/main",
            after=sha,
            commits=[{"modified": ["POC.md"]}],
            repository=described(replace(POC, pushed_at=at, updated_at=at)),
            sender={"login": "jane-doe"},
        )
        self.world.work()

    def pull(self, action: str = "opened", head: str = HEAD, **more: Any) -> None:
        self.world.pull_request(action, head=head, at=self.tick(), **more)

    def review(
        self,
        login: str,
        state: str = "approved",
        *,
        number: int = 5,
        head: str = HEAD,
        at: datetime | None = None,
        review_id: int = 0,
        dismissed_by: str = "",
    ) -> int:
        """Submit a review, or dismiss one."""
        found = review_id or next(self.ids)
        moment = (at or self.tick()).isoformat()
        self.world.deliver(
            "pull_request_review",
            action="dismissed" if dismissed_by else "submitted",
            review={
                "id": found,
                "user": {"login": login},
                "state": state,
                "commit_id": head,
                "submitted_at": moment,
            },
            pull_request={
                "number": number,
                "state": "open",
                "head": {"ref": "work", "sha": head},
                "base": {"ref": "main", "sha": MAIN},
                "user": {"login": "jane-doe"},
                "updated_at": moment,
            },
            repository=described(POC),
            sender={"login": dismissed_by or login},
        )
        self.world.work()
        return found

    def approve(self, *people: str, **more: Any) -> None:
        for login in people:
            self.review(login, **more)

    def say(self, body: str, login: str = "jane-doe", *, number: int = 5, pull: bool = True) -> int:
        comment = next(self.ids)
        moment = self.tick().isoformat()
        issue: dict[str, Any] = {"id": number, "number": number, "updated_at": moment}
        self.world.deliver(
            "issue_comment",
            action="created",
            issue=issue | ({"pull_request": {"url": "x"}} if pull else {}),
            comment={"id": comment, "created_at": moment, "user": {"login": login}, "body": body},
            repository=described(POC),
            sender={"login": login},
        )
        self.world.work()
        return comment

    def ask_to_deploy(self, sha: str, environment: str = "support-prod") -> tuple[bool, str]:
        deployment = next(self.ids)
        run = f"https://api.github.com/repos/acme/poc-triage/actions/runs/{deployment}"
        self.world.deliver(
            "deployment_protection_rule",
            action="requested",
            environment=environment,
            sha=sha,
            deployment_callback_url=f"{run}/deployment_protection_rule",
            deployment={"id": deployment, "sha": sha, "environment": environment},
            repository=described(POC),
            sender={"login": "jane-doe"},
        )
        self.world.work()
        answers = [answer for answer in self.repo.answers if answer.run_id == deployment]
        return (answers[0].approved, answers[0].comment) if answers else (False, "")

    def deployed(self, sha: str, environment: str = "support-prod") -> None:
        deployment, at = next(self.ids), self.tick().isoformat()
        self.world.deliver(
            "deployment_status",
            action="created",
            deployment={"id": deployment, "sha": sha, "environment": environment},
            deployment_status={"id": 1, "state": "success", "environment": environment, "updated_at": at,
                               "created_at": at},
            repository=described(POC),
            sender={"login": "jane-doe"},
        )  # fmt: skip
        self.world.work()

    def gate(self, sha: str = HEAD) -> tuple[Conclusion, str]:
        """What the newest gate on a commit says."""
        runs = [run for run in self.repo.check_runs if (run.name, run.head_sha) == (GATE_CHECK, sha)]
        return runs[-1].output.conclusion, runs[-1].output.title

    def state(self) -> State:
        return self.world.services.store.pocs.find(POC.id).state

    @property
    def said(self) -> list[str]:
        return [comment.body for comment in self.repo.comments]


@pytest.fixture
def ship(database_url: str) -> Iterator[Shipping]:
    """A POC whose charter was signed on #4 and merged, and #5 that brings numbers that meet it."""
    world = World(database_url)
    shipping = Shipping(world)
    world.github.add(POC)
    shipping.commit(MAIN, None)
    shipping.repo.write(CHARTER, "main")
    world.install(POC)
    shipping.commit(HEAD, 0.934)
    shipping.pull()
    yield shipping
    world.services.engine.dispose()


GREEN = (Conclusion.SUCCESS, "Ready to ship")
OPEN = "Not ready to ship: {} signature{} open"


def left(count: int) -> tuple[Conclusion, str]:
    return Conclusion.FAILURE, OPEN.format(count, "s" * (count != 1))


# Sign-offs


def test_four_approvals_after_the_owner_asked_turn_the_gate_green(ship: Shipping) -> None:
    assert ship.gate() == (Conclusion.NEUTRAL, "Numbers met; nobody has asked to ship this")
    ship.say("/poc ship")
    assert ship.gate() == left(4)
    ship.approve("alice-k", "bob-m", "carol-s")
    assert ship.gate() == left(1)
    ship.approve("DAN-W")
    assert ship.gate() == GREEN


def test_approvals_from_before_do_not_count_and_asking_twice_voids_none(ship: Shipping) -> None:
    ship.approve("alice-k", "bob-m")
    ship.say("/poc ship")
    assert ship.gate() == left(4)
    ship.approve("carol-s", "dan-w", "mallory")
    ship.say("/poc ship")
    assert ship.gate() == left(2)


def test_an_approval_that_arrives_before_the_command_counts_by_its_time(ship: Shipping) -> None:
    later = ship.world.now + timedelta(minutes=30)
    for login in SIGNERS:
        ship.review(login, at=later)
    ship.say("/poc ship")
    assert ship.gate() == GREEN


@pytest.mark.parametrize(
    ("by_push", "signatures"),
    [pytest.param(False, 1, id="by a person"), pytest.param(True, 0, id="by new commits")],
)
def test_a_dismissal_withdraws_unless_new_commits_did_it(
    ship: Shipping, by_push: bool, signatures: int
) -> None:
    ship.say("/poc ship")
    reviews = {login: ship.review(login) for login in SIGNERS}
    if by_push:
        ship.repo.pushed_away.add(reviews["bob-m"])
    ship.review("bob-m", "dismissed", review_id=reviews["bob-m"], dismissed_by="jane-doe")
    assert ship.gate() == (left(1) if signatures else GREEN)


def test_who_asks_for_changes_has_not_signed(ship: Shipping) -> None:
    ship.say("/poc ship")
    ship.approve(*SIGNERS)
    ship.review("carol-s", "changes_requested")
    assert ship.gate() == left(1)
    ship.review("carol-s")
    assert ship.gate() == GREEN


def test_an_approval_signs_once_for_what_was_approved(ship: Shipping) -> None:
    """A charter that is changed on the default branch afterwards was seen by nobody."""
    ship.say("/poc ship")
    ship.approve(*SIGNERS)
    ship.main(MERGED, charter=CHARTER.replace(">= 92 %", ">= 60 %"))
    ship.commit(HEAD, 0.934, CHARTER)
    ship.repo.merge_bases[MAIN, HEAD] = HEAD
    ship.pull("edited")
    ship.review("jane-doe", "commented")
    assert ship.gate() == left(2)


def test_a_change_asks_those_again_whose_matter_it_is(ship: Shipping) -> None:
    ship.say("/poc ship")
    ship.approve(*SIGNERS)
    ship.commit(NEXT, 0.934, CHARTER.replace("okta-oidc", "basic"))
    ship.pull("synchronize", head=NEXT)
    assert ship.gate(NEXT) == left(2)
    ship.approve("bob-m", "dan-w", head=NEXT)
    assert ship.gate(NEXT) == GREEN


def test_another_place_for_a_number_asks_data_science_again(ship: Shipping) -> None:
    ship.say("/poc ship")
    ship.approve(*SIGNERS)
    ship.commit(NEXT, 0.5, CHARTER.replace("metrics.json $.accuracy", "metrics.json $.other"))
    ship.repo.put(NEXT, {"eval/metrics.json": json.dumps({"accuracy": 0.5, "other": 0.99})})
    ship.pull("synchronize", head=NEXT)
    assert ship.gate(NEXT) == left(1)


def test_a_change_does_not_choose_its_signers(ship: Shipping) -> None:
    swapped = CHARTER.replace("carol-s", "alice-k").replace("dan-w", "alice-k")
    ship.commit(NEXT, 0.934, swapped)
    ship.pull("synchronize", head=NEXT)
    ship.say("/poc ship")
    ship.approve("alice-k", "bob-m", head=NEXT)
    assert ship.gate(NEXT) == left(2)
    ship.approve("carol-s", "dan-w", head=NEXT)
    assert ship.gate(NEXT) == GREEN


def test_who_opened_the_pull_request_has_signed_the_head_that_they_brought(ship: Shipping) -> None:
    ship.commit(NEXT, 0.934)
    ship.pull(number=6, head=NEXT, author="bob-m", sender="bob-m")
    ship.say("/poc ship", number=6)
    assert ship.gate(NEXT) == left(3)


@pytest.mark.parametrize("mover", ["jane-doe", "github-actions[bot]"])
def test_a_head_that_somebody_else_brought_is_not_signed_by_its_author(ship: Shipping, mover: str) -> None:
    ship.commit(NEXT, 0.934)
    ship.pull(number=6, head=NEXT, author="bob-m", sender=mover)
    ship.say("/poc ship", number=6)
    assert ship.gate(NEXT) == left(4)


def test_a_signature_may_still_be_given_after_the_merge(ship: Shipping) -> None:
    ship.say("/poc ship")
    ship.approve("alice-k", "bob-m", "carol-s")
    ship.pull("closed", state="closed", merged=True)
    ship.main(MERGED, 0.934)
    approved, comment = ship.ask_to_deploy(MERGED)
    assert not approved
    assert "dan-w" in comment
    ship.approve("dan-w")
    approved, comment = ship.ask_to_deploy(MERGED)
    assert approved, comment


@pytest.mark.parametrize(("merged", "kept"), [(True, True), (False, False)], ids=["merged", "not merged"])
def test_a_request_that_is_closed_is_taken_back_unless_it_was_merged(
    ship: Shipping, merged: bool, kept: bool
) -> None:
    ship.say("/poc ship")
    ship.pull("closed", state="closed", merged=merged)
    assert (ship.world.services.store.pocs.find(POC.id).request is not None) is kept


def test_the_ship_request_speaks_for_a_head_that_another_pull_request_has_too(ship: Shipping) -> None:
    ship.pull(number=9)
    ship.say("/poc ship", number=9)
    assert ship.gate() == left(4)
    ship.approve(*SIGNERS, number=9)
    assert ship.gate() == GREEN


def test_eased_bounds_count_once_those_who_answer_for_them_have_approved(ship: Shipping) -> None:
    ship.commit(NEXT, 0.9, CHARTER.replace(">= 92 %", ">= 88 %"))
    ship.pull("synchronize", head=NEXT)
    assert ship.gate(NEXT) == (Conclusion.NEUTRAL, "Missing for shipping: 1 of 2 thresholds")
    ship.approve("alice-k", head=NEXT)
    assert ship.gate(NEXT)[1] == "Missing for shipping: 1 of 2 thresholds"
    ship.approve("carol-s", head=NEXT)
    assert ship.gate(NEXT)[1] == "Numbers met; nobody has asked to ship this"


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
    before = ship.world.services.store.pocs.find(POC.id)
    ship.world.github.fail_next(LOST, "post_comment", done=True)
    ship.say(body, login, pull=pull)
    ship.world.work(waited=True)
    assert len(ship.said) == 1
    assert said in ship.said[0]
    assert ship.repo.reactions == set()
    assert ship.world.services.store.pocs.find(POC.id) == before


def test_a_ship_request_goes_to_the_default_branch(ship: Shipping) -> None:
    ship.commit(NEXT, 0.99, CHARTER.replace(">= 92 %", ">= 1 %"))
    ship.pull(number=6, head=NEXT, base_ref="rel")
    ship.say("/poc ship", number=6)
    assert "`main`" in ship.said[0]
    assert ship.world.services.store.pocs.find(POC.id).request is None


def test_one_comment_gets_one_answer_and_a_reaction(ship: Shipping) -> None:
    comment = ship.say("/poc help\n\n/poc nonsense\n\n/poc ship")
    assert len(ship.said) == 1
    assert ship.repo.reactions == {(comment, "+1")}
    assert ship.gate() == left(4)


def test_observing_nobody_is_answered(ship: Shipping) -> None:
    ship.world.observe()
    ship.say("/poc ship")
    assert (ship.said, ship.repo.reactions) == ([], set())
    assert ship.gate()[0] is Conclusion.NEUTRAL


def test_a_dry_run_keeps_nothing_of_what_it_decides(ship: Shipping) -> None:
    before = ship.world.services.store.pocs.find(POC.id)
    ship.world.deliver(
        "issue_comment",
        action="created",
        issue={"id": 5, "number": 5, "updated_at": NOW.isoformat(), "pull_request": {}},
        comment={"id": 9, "created_at": NOW.isoformat(), "user": {"login": "jane-doe"}, "body": "/poc ship"},
        repository=described(POC),
        sender={"login": "jane-doe"},
    )
    list(dry_run(ship.world.services, as_of=None))
    assert ship.world.services.store.pocs.find(POC.id) == before
    ship.world.work()
    assert ship.gate() == left(4)


# Evidence


def test_a_file_that_stays_the_same_gets_old(ship: Shipping) -> None:
    ship.world.now += timedelta(days=15)
    ship.world.sweep()
    assert ship.gate()[1] == "Missing for shipping: 2 of 2 thresholds"
    ship.commit(NEXT, 0.935)
    ship.pull("synchronize", head=NEXT)
    assert ship.gate(NEXT)[1] == "Missing for shipping: 1 of 2 thresholds"


@pytest.mark.parametrize(
    ("files", "says"),
    [
        pytest.param({}, "no such file", id="missing"),
        pytest.param({"eval/metrics.json": "{"}, "JSON", id="not readable"),
        pytest.param(
            {"eval/metrics.json": '{"accuracy": 93.4}'}, "end the evidence line with", id="no ratio"
        ),
        pytest.param({"eval/metrics.json": " " * (6 * 1024 * 1024)}, "5 MB", id="too large"),
    ],
)
def test_what_gives_no_number_is_told_and_is_no_pass(
    ship: Shipping, files: dict[str, str], says: str
) -> None:
    ship.commit(NEXT, None)
    ship.repo.put(NEXT, {"load/k6.json": LOAD, **files})
    ship.pull("synchronize", head=NEXT)
    assert ship.gate(NEXT) == (Conclusion.NEUTRAL, "Missing for shipping: 1 of 2 thresholds")
    assert says in ship.repo.check_runs[-1].output.summary


def test_each_blob_is_read_once_and_its_numbers_are_kept(ship: Shipping) -> None:
    assert len(ship.world.github.made("blob")) == 2
    ship.commit(NEXT, 0.934)
    ship.pull("synchronize", head=NEXT)
    ship.world.sweep()
    assert len(ship.world.github.made("blob")) == 2
    with transaction(ship.world.services.engine) as session:
        rows = session.connection().execute(text("SELECT commit_sha, key, value FROM evidence ORDER BY id"))
        assert [tuple(row) for row in rows] == [
            (sha, key, value)
            for sha in (HEAD, NEXT)
            for key, value in (("latency_p95", "212"), ("accuracy", "0.934"))
        ]


def measured(ship: Shipping, sha: str, *, number: int | None = None, **more: str) -> None:
    """What a workflow run sent about a commit, or about a pull request's test merge."""
    values = {"latency_p95": ("212", "ms", None), "accuracy": ("93.4", "%", "tickets-2026q3")}
    with transaction(ship.world.services.engine) as session:
        for metric, (value, unit, dataset) in values.items():
            session.connection().execute(
                text(
                    "INSERT INTO evidence (repository_id, run_sha, commit_sha, number, level, source,"
                    " source_id, key, metric, value, unit, environment, dataset, load, n, at)"
                    " VALUES (1, :sha, :commit, :number, 'measured', 'https://run', 'run:1', :metric,"
                    " :metric, :value, :unit, :environment, :dataset, '60 req/s', 2140, :at)"
                ),
                {
                    "sha": sha,
                    "commit": None if number else sha,
                    "number": number,
                    "metric": metric,
                    "value": value,
                    "unit": unit,
                    "dataset": dataset,
                    "environment": more.get("environment", "support-staging"),
                    "at": ship.world.now,
                },
            )
        subjects.mark(session, [repository_key(1), "pull_request:1:5"])
    ship.world.work()


@pytest.fixture
def strict(ship: Shipping) -> Shipping:
    """Only what workflows measured counts."""
    demanding = settings().model_copy(update={"evidence_level": EvidenceLevel.MEASURED})
    ship.world.services = replace(ship.world.services, settings=demanding)
    ship.pull("edited")
    return ship


def test_where_numbers_have_to_be_measured_a_file_does_not_do(strict: Shipping) -> None:
    assert strict.gate()[1] == "Missing for shipping: 2 of 2 thresholds"
    assert str(Level.SELF_REPORTED) in strict.repo.check_runs[-1].output.summary
    measured(strict, HEAD)
    assert strict.gate()[1] == "Numbers met; nobody has asked to ship this"


def test_numbers_from_another_environment_do_not_count(strict: Shipping) -> None:
    measured(strict, HEAD, environment="laptop")
    assert strict.gate()[1] == "Missing for shipping: 2 of 2 thresholds"
    assert "support-staging" in strict.repo.check_runs[-1].output.summary


def test_a_test_merge_speaks_for_the_head_that_it_merges(strict: Shipping) -> None:
    strict.repo.history[NEXT] = Commit(NEXT, "tree", (MAIN, HEAD))
    measured(strict, NEXT, number=5)
    assert strict.gate()[1] == "Numbers met; nobody has asked to ship this"


def test_a_test_merge_is_resolved_also_when_the_pull_request_was_merged_at_once(strict: Shipping) -> None:
    strict.repo.history[NEXT] = Commit(NEXT, "tree", (MAIN, HEAD))
    strict.main(MERGED, like=HEAD)
    strict.pull("closed", state="closed", merged=True)
    measured(strict, NEXT, number=5)
    assert strict.gate(MERGED)[1] == "Numbers met; nobody has asked to ship this"


def test_what_was_measured_before_a_squash_counts_on_the_branch_and_not_on_another_head(
    strict: Shipping,
) -> None:
    measured(strict, HEAD)
    strict.main(MERGED, like=HEAD)
    strict.world.sweep()
    assert strict.gate(MERGED)[1] == "Numbers met; nobody has asked to ship this"
    strict.commit(NEXT, None, like=HEAD)
    strict.pull(number=6, head=NEXT)
    assert strict.gate(NEXT)[1] == "Missing for shipping: 2 of 2 thresholds"


# Deployments


def ready(ship: Shipping) -> None:
    """Everything met and signed, and merged."""
    ship.say("/poc ship")
    ship.approve(*SIGNERS)
    ship.pull("closed", state="closed", merged=True)
    ship.main(MERGED, 0.934)


def test_a_deployment_is_held_until_everything_is_met(ship: Shipping) -> None:
    ship.main(MERGED, 0.934)
    assert not ship.ask_to_deploy(MERGED)[0]
    ready(ship)
    assert ship.ask_to_deploy(MERGED)[0]
    assert ship.ask_to_deploy(MERGED, "SUPPORT-PROD")[0]


def test_another_environment_passes_without_anything_being_measured(ship: Shipping) -> None:
    ship.world.github.forget_calls()
    approved, comment = ship.ask_to_deploy(NEXT, "sandbox")
    assert approved
    assert "support-prod" in comment
    assert [call.method for call in ship.world.github.calls] == ["answer_deployment"]


def test_a_commit_that_was_never_asked_for_does_not_ship_with_the_signatures_of_another(
    ship: Shipping,
) -> None:
    ready(ship)
    ship.commit("e" * 40, 0.99)
    ship.repo.merge_bases["e" * 40, MERGED] = MAIN
    approved, comment = ship.ask_to_deploy("e" * 40)
    assert not approved
    assert "default branch" in comment
    assert ship.ask_to_deploy(HEAD)[0]


def test_renaming_the_environment_does_not_switch_the_rule_off(ship: Shipping) -> None:
    ship.pull(number=4, head=MAIN)
    ship.say("/poc sign", "bob-m", number=1, pull=False)
    assert not ship.ask_to_deploy(MAIN)[0]
    ship.main(MERGED, charter=CHARTER.replace("support-prod", "support-prod2"))
    assert not ship.ask_to_deploy(MERGED)[0]
    ship.main("d" * 40, charter=None)
    assert not ship.ask_to_deploy("d" * 40)[0]


def test_without_measured_in_numbers_bind_from_the_first_time_that_all_are_there(ship: Shipping) -> None:
    free = CHARTER.replace("  measured_in: support-staging\n", "")
    ship.main(MERGED, charter=free)
    approved, comment = ship.ask_to_deploy(MERGED)
    assert approved
    assert "not bound yet" in comment
    ship.main("d" * 40, 0.934, free)
    assert not ship.ask_to_deploy("d" * 40)[0]
    ship.main("e" * 40, charter=free)
    assert not ship.ask_to_deploy("e" * 40)[0]


def test_observing_a_deployment_is_approved_with_the_verdict(ship: Shipping) -> None:
    ship.world.observe()
    approved, comment = ship.ask_to_deploy(MAIN)
    assert approved
    assert "rejected" in comment


def test_a_deployment_that_waits_no_more_needs_no_answer(ship: Shipping) -> None:
    ready(ship)
    gone = Failure(FailureKind.GONE, "GitHub says 404, Not Found")
    ship.world.github.fail_next(gone, "answer_deployment")
    ship.ask_to_deploy(MERGED)
    assert not any(state.dead or state.dirty for state in ship.world.states())


def test_a_commit_that_github_does_not_know_is_answered(ship: Shipping) -> None:
    gone = Failure(FailureKind.GONE, "GitHub says 404, Not Found")
    ship.world.github.fail_next(gone, "blob_shas")
    approved, comment = ship.ask_to_deploy("e" * 40)
    assert not approved
    assert "not measured" in comment


# Shipped, stopped, and the states on the way


def test_shipped_is_said_once_and_then_there_is_silence(ship: Shipping) -> None:
    ready(ship)
    assert ship.state() is State.PROPOSED  # nobody signed the start
    ship.deployed(MERGED, "support-staging")
    assert ship.said == []
    ship.world.github.fail_next(LOST, "post_comment", done=True)
    ship.deployed(MERGED)
    ship.world.work(waited=True)
    assert ship.state() is State.SHIPPED
    assert len(ship.said) == 1
    ship.deployed(MERGED)
    ship.world.sweep(as_of=NOW + timedelta(days=90))
    assert len(ship.said) == 1
    assert ship.repo.issues == {}


def test_a_deployment_ships_when_what_it_lacked_arrives_later(ship: Shipping) -> None:
    ship.say("/poc ship")
    ship.approve("alice-k", "bob-m", "carol-s")
    ship.pull("closed", state="closed", merged=True)
    ship.main(MERGED, 0.934)
    ship.deployed(MERGED)
    assert ship.state() is not State.SHIPPED
    ship.approve("dan-w")
    assert ship.state() is State.SHIPPED


def test_the_states_of_a_life(ship: Shipping) -> None:
    assert ship.state() is State.PROPOSED
    for login in SIGNERS:
        ship.say("/poc sign", login, number=1, pull=False)
    assert ship.state() is State.BUILDING
    ship.main(MERGED, 0.5)
    assert ship.state() is State.EVALUATING
    ship.main("d" * 40, 0.934)
    assert ship.state() is State.SHIPPING
    ship.main("e" * 40, 0.934, CHARTER.replace("owner:", "stopped: 2026-11-22 - too slow\nowner:", 1))
    assert ship.state() is State.STOPPED


@pytest.mark.parametrize(
    ("accuracy", "told"), [(0.81, False), (0.79, True)], ids=["above the criterion", "below it"]
)
def test_a_stop_criterion_that_comes_true_is_told_once(ship: Shipping, accuracy: float, told: bool) -> None:
    ship.main(MERGED, accuracy)
    ship.main("d" * 40, accuracy - 0.001)
    ship.world.sweep()
    bodies = [issue.body for issue in ship.repo.issues.values()]
    assert len(bodies) == int(told)
    assert all("@jane-doe" in body and "@carol-s" in body for body in bodies)


def test_looking_again_at_everything_writes_nothing(ship: Shipping) -> None:
    ready(ship)
    ship.deployed(MERGED)
    ship.world.github.forget_calls()
    ship.world.sweep()
    ship.world.now += timedelta(days=1)
    ship.world.sweep()
    assert ship.world.github.writes == []


def test_a_look_that_is_alone_costs_no_call(ship: Shipping) -> None:
    ship.world.github.forget_calls()
    with transaction(ship.world.services.engine) as session:
        subjects.mark(session, ["pull_request:1:5", repository_key(1)])
    for key in ("pull_request:1:5", repository_key(1)):
        reconcile_while_dirty(ship.world.services, key)
    assert ship.world.github.calls == []
