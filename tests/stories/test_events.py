"""The behaviours, from delivery to what stands on GitHub: a real database, and the fake of GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from service.rules.queue import Failure, FailureKind
from service.rules.values.actions import GATE_CHECK, STALL_LABEL, STALL_MARKER, Conclusion
from service.rules.values.github import Installation, IssueState, PullRequest, Repository
from service.rules.values.subjects import digest_key, installation_key, pull_request_key, repository_key
from service.sweep import mark_all
from tests.harness.charters import BAD, GOOD, LATER, STOPPED
from tests.harness.deliveries import described
from tests.harness.github import NOW, PERMISSIONS, repository
from tests.harness.snapshots import Snapshots
from tests.harness.world import (
    BASE,
    FORK_POINT,
    HEAD,
    INSTALLATION,
    LOST,
    NEXT,
    NO,
    OUTSIDE,
    POC,
    World,
    charter_runs,
)

"""A check run of each name."""
PROPOSED = "proposed, signer alice-k has the ball; not stalled"


def issue_state(world: World, number: int = 1) -> str:
    """The state of our issue, as GitHub has it now."""
    return str(world.github.repos[1].issues[number].state)


def registered(world: World) -> None:
    """A POC with a good charter; what its registration cost is forgotten."""
    world.github.add(POC).write(GOOD, "main", BASE, FORK_POINT)
    world.install(POC)
    world.github.forget_calls()


@pytest.fixture
def world(snapshots: Snapshots) -> Iterator[World]:
    with snapshots.of(World) as made:
        yield made


@pytest.fixture
def poc(snapshots: Snapshots) -> Iterator[World]:
    with snapshots.of(World, registered) as made:
        yield made


# Registration


@pytest.mark.parametrize(
    ("found", "charter", "outcome"),
    [
        pytest.param(
            repository(full_name="acme/x", topics=["poc"]),
            None,
            "POC by topic `poc`, none; not stalled",
            id="by topic",
        ),
        pytest.param(repository(), None, "POC by its name, `poc-triage`, none; not stalled", id="by name"),
        pytest.param(
            repository(full_name="acme/x"),
            GOOD,
            "POC by its `POC.md`, proposed, signer alice-k has the ball; not stalled",
            id="by a charter of its own",
        ),
        pytest.param(repository(full_name="acme/x"), "# Other\n", "not a POC", id="not by any POC.md"),
        pytest.param(repository(full_name="acme/x"), None, None, id="nothing speaks for it"),
        pytest.param(repository(archived=True), GOOD, None, id="archived"),
        pytest.param(repository(fork=True), GOOD, None, id="a fork"),
        pytest.param(repository(topics=["poc", "not-a-poc"]), GOOD, None, id="opted out"),
    ],
)
def test_registration(world: World, found: Repository, charter: str | None, outcome: str | None) -> None:
    """What is found to be no POC with others is not looked at by itself."""
    world.github.add(found).write(charter, "main")
    world.install(found)
    assert {state.key: state.outcome for state in world.states()}.get(repository_key(1)) == outcome
    assert world.github.writes == []


def test_what_can_be_no_poc_is_not_even_read(world: World) -> None:
    world.install(repository(archived=True), repository(2, fork=True), repository(3, topics=["not-a-poc"]))
    assert world.github.made("charter_file", "charter_files") == []


def test_of_a_repository_that_is_no_poc_no_bytes_are_kept(world: World) -> None:
    world.github.add(repository(full_name="acme/x")).write("# Secret plans\n", "main")
    world.install(repository(full_name="acme/x"))
    known = world.services.store.repositories.find(1)
    assert known is not None
    assert known.charter is not None
    assert known.charter.data is None


def test_a_charter_that_arrives_by_a_push_makes_a_poc(world: World) -> None:
    found = repository(full_name="acme/x")
    world.install(found)
    world.github.repos[1].write(GOOD, "main")
    world.push("src/app.py", found=found)
    assert repository_key(1) not in [state.key for state in world.states()]
    world.push("POC.md", found=found)
    assert (
        world.outcome(repository_key(1))
        == "POC by its `POC.md`, proposed, signer alice-k has the ball; not stalled"
    )


def test_a_new_poc_has_its_open_pull_requests_checked(world: World) -> None:
    repo = world.github.add(POC)
    repo.write(GOOD, HEAD)
    repo.pull_requests = [PullRequest(1, 5, HEAD, "main", BASE, "jane-doe", "open", NOW)]
    world.install(POC)
    assert [(run.head_sha, run.output.conclusion) for run in charter_runs(repo)] == [
        (HEAD, Conclusion.SUCCESS)
    ]


def test_a_repository_first_heard_of_through_a_pull_request_is_registered(world: World) -> None:
    world.github.add(POC).write(GOOD, "main", HEAD)
    world.pull_request()
    assert world.outcome(pull_request_key(1, 5)) == "POC charter: success, Charter complete"


def test_a_dormant_poc_gets_no_issue_until_it_is_pushed_to(world: World) -> None:
    asleep = repository(pushed_at=NOW - timedelta(days=200), updated_at=NOW - timedelta(days=200))
    world.install(asleep)
    world.sweep(as_of=NOW + timedelta(days=60))
    assert world.github.repos[1].issues == {}
    world.push("src/app.py", found=asleep)
    world.sweep(as_of=NOW + timedelta(days=60))
    assert len(world.github.repos[1].issues) == 1


# The check run


def test_the_steady_state_costs_one_read_and_one_write(poc: World) -> None:
    poc.github.repos[1].write(GOOD, HEAD, NEXT)
    poc.pull_request()
    assert [call.method for call in poc.github.calls] == ["blob_shas", *OUTSIDE, "create_check_run"]
    poc.github.forget_calls()
    poc.pull_request("synchronize", head=NEXT, at=NOW + timedelta(minutes=1))
    assert [str(call) for call in poc.github.calls] == [
        f"blob_shas {NEXT}",
        f"create_check_run {NEXT} success",
    ]
    poc.github.forget_calls()
    poc.pull_request("edited", head=NEXT, at=NOW + timedelta(minutes=2))
    poc.sweep()
    assert (
        poc.github.made("charter_file", "blob_shas", "blob", "create_check_run", "complete_check_run") == []
    )


@pytest.mark.parametrize(
    ("head", "merge_base", "conclusion", "compares"),
    [
        pytest.param(GOOD, None, Conclusion.SUCCESS, 0, id="untouched"),
        pytest.param(LATER, GOOD, Conclusion.SUCCESS, 1, id="changed on the branch"),
        pytest.param(BAD, GOOD, Conclusion.FAILURE, 1, id="spoilt on the branch"),
        pytest.param(None, None, Conclusion.SUCCESS, 1, id="lacks it: judged by the base's"),
        pytest.param(None, GOOD, Conclusion.FAILURE, 1, id="deleted"),
    ],
)
def test_only_a_difference_is_compared(
    poc: World, head: str | None, merge_base: str | None, conclusion: Conclusion, compares: int
) -> None:
    repo = poc.github.repos[1]
    repo.write(head, HEAD)
    repo.write(merge_base, FORK_POINT)
    repo.merge_bases[BASE, HEAD] = FORK_POINT
    poc.pull_request()
    assert [run.output.conclusion for run in charter_runs(repo)] == [conclusion]
    assert len(poc.github.made("merge_base")) == compares


def test_without_a_charter_a_person_is_asked_for_one_and_a_bot_is_not(world: World) -> None:
    world.install(POC)
    world.pull_request()
    world.pull_request(number=6, head=NEXT, author="dependabot[bot]")
    runs = charter_runs(world.github.repos[1])
    assert [run.output.conclusion for run in runs] == [Conclusion.ACTION_REQUIRED, Conclusion.NEUTRAL]
    assert "https://github.com/acme/poc-triage/new/main?filename=POC.md&value=" in runs[0].output.summary


def test_a_pull_request_of_a_deleted_account_is_judged_as_a_persons(world: World) -> None:
    world.install(POC)
    world.pull_request(author=None)
    (run,) = charter_runs(world.github.repos[1])
    assert run.output.conclusion is Conclusion.ACTION_REQUIRED


def test_a_closed_pull_request_gets_nothing(poc: World) -> None:
    poc.pull_request("closed", state="closed")
    assert poc.outcome(pull_request_key(1, 5)) == "closed"
    assert poc.github.writes == []


def test_events_of_a_repository_that_is_no_poc_cost_no_call(world: World) -> None:
    """But for one a day, which asks whether a branch requires the check run all the same."""
    found = repository(full_name="acme/x")
    world.install(found)
    world.pull_request(repository=found, number=4)
    assert [call.method for call in world.github.made()][-1] == "requires_check"
    world.github.forget_calls()
    world.app.clients.clear()
    world.pull_request(repository=found)
    world.push("src/app.py", found=found)
    assert world.github.calls == []
    assert world.app.clients == []


def test_observing_posts_the_same_text_and_holds_nothing_up(world: World) -> None:
    world.observe()
    world.github.add(POC).write(BAD, "main", HEAD)
    world.install(POC)
    world.pull_request()
    [run] = charter_runs(world.github.repos[1])
    assert (run.output.conclusion, run.output.title) == (
        Conclusion.NEUTRAL,
        "3 lines of the charter need a change (observing)",
    )
    world.sweep(as_of=NOW + timedelta(days=90))
    assert world.github.repos[1].issues == {}


def test_a_re_request_ends_in_a_write_and_appends_no_annotation(world: World) -> None:
    repo = world.github.add(POC)
    repo.write(BAD, "main", HEAD)
    world.install(POC)
    world.pull_request()
    [run] = charter_runs(repo)
    shown = {"id": run.id, "name": "POC charter", "head_sha": HEAD}
    world.deliver("check_run", action="rerequested", check_run=shown, repository=described(POC))
    world.work()
    assert [(again.id, again.completions) for again in charter_runs(repo)] == [(run.id, 2)]
    suite = {"id": 3, "head_sha": HEAD}
    world.deliver("check_suite", action="rerequested", check_suite=suite, repository=described(POC))
    world.work()
    assert [again.completions for again in charter_runs(repo)] == [3]
    world.sweep()
    assert [again.completions for again in charter_runs(repo)] == [3]


def test_a_changed_charter_on_the_base_is_a_new_verdict_and_a_new_run(poc: World) -> None:
    repo = poc.github.repos[1]
    repo.write(GOOD, HEAD, FORK_POINT)
    repo.merge_bases[BASE, HEAD] = FORK_POINT
    poc.pull_request()
    repo.write(STOPPED, "main")
    poc.push("POC.md", at=NOW + timedelta(minutes=1))
    assert [run.output.title for run in charter_runs(repo)] == ["Charter complete", "Stopped on purpose"]


def test_a_ship_date_that_passes_leaves_the_gate_of_the_default_branch_as_it_is(poc: World) -> None:
    poc.push("src/app.py")
    [posted] = poc.github.repos[1].check_runs
    assert (posted.name, posted.output.conclusion) == (GATE_CHECK, Conclusion.NEUTRAL)
    poc.sweep(as_of=NOW + timedelta(days=120))
    assert poc.github.repos[1].check_runs == [posted]


def test_a_merge_queues_head_is_checked(poc: World) -> None:
    poc.github.repos[1].write(GOOD, HEAD)
    group = {"head_sha": HEAD, "base_sha": BASE}
    poc.deliver("merge_group", action="checks_requested", merge_group=group, repository=described(POC))
    poc.work()
    assert [(run.head_sha, run.output.conclusion) for run in charter_runs(poc.github.repos[1])] == [
        (HEAD, Conclusion.SUCCESS)
    ]


# What the charter names outside itself

EVAL = ".github/workflows/eval.yml"


def test_the_facts_about_a_charter_are_asked_for_once_a_day(poc: World) -> None:
    poc.github.repos[1].write(GOOD, HEAD, NEXT)
    poc.pull_request()
    poc.github.forget_calls()
    poc.now = NOW + timedelta(hours=5)  # its daily round is an hour later
    poc.pull_request("synchronize", head=NEXT, at=NOW + timedelta(hours=1))
    poc.pull_request(number=6)
    poc.sweep()
    poc.sweep(as_of=NOW + timedelta(days=3))
    assert poc.github.made(*OUTSIDE) == []
    poc.now = NOW + timedelta(hours=24)
    poc.pull_request("edited", head=NEXT, at=NOW + timedelta(hours=2))
    poc.sweep()
    assert [str(call) for call in poc.github.made(*OUTSIDE)] == [
        "permission jane-doe",
        "is_suspended jane-doe",
        "environments",
        "existing_paths main",
        "account_ids alice-k bob-m carol-s dan-w",
        "permission jane-doe",  # once for the checks, once for the POC's look
        "is_suspended jane-doe",
    ]


def test_a_new_text_of_the_charter_is_asked_about_where_it_stands(poc: World) -> None:
    changed(poc, LATER)
    assert [str(call) for call in poc.github.made("existing_paths")] == [f"existing_paths {HEAD}"]


@pytest.mark.parametrize(
    "charter",
    [
        pytest.param(None, id="none"),
        pytest.param("# Another POC.md\n", id="none declared"),
        pytest.param(STOPPED, id="ended"),
        pytest.param("```yaml\npoc: 1\n\towner: x\n```\n", id="not readable"),
    ],
)
def test_without_a_charter_to_read_nothing_is_asked(world: World, charter: str | None) -> None:
    world.github.add(POC).write(charter, HEAD)
    world.install(POC)
    world.pull_request()
    assert len(charter_runs(world.github.repos[1])) == 1
    assert world.github.made(*OUTSIDE) == []


@pytest.mark.parametrize("permission", ["read", "none", None])
def test_an_owner_without_access_fails_whoever_writes_that_and_nobody_else(
    poc: World, permission: str | None
) -> None:
    repo = poc.github.repos[1]
    repo.permissions = {"john-roe": permission, "jane-doe": permission}
    changed(poc, GOOD.replace("owner: jane-doe", "owner: john-roe"))
    repo.write(GOOD, NEXT)
    poc.pull_request(number=6, head=NEXT)
    assert found(poc) == [("failure", "owner-access"), ("notice", "owner-access")]
    assert [run.output.conclusion for run in charter_runs(repo)] == [Conclusion.FAILURE, Conclusion.SUCCESS]


def test_an_owner_whose_account_is_suspended_cannot_own_whatever_they_may_do(poc: World) -> None:
    poc.github.suspended.add("john-roe")
    changed(poc, GOOD.replace("owner: jane-doe", "owner: john-roe"))
    assert found(poc) == [("failure", "owner-access")]


def test_a_path_that_a_later_commit_brings_is_not_missing_any_more(poc: World) -> None:
    repo = poc.github.repos[1]
    text = GOOD.replace("deploy_process: missing", "deploy_process: deploy/run.sh")
    repo.missing[HEAD] = frozenset({"deploy/run.sh"})
    changed(poc, text)
    repo.write(text, NEXT)
    repo.merge_bases[BASE, NEXT] = FORK_POINT
    poc.pull_request("synchronize", head=NEXT, at=NOW + timedelta(minutes=1))
    assert [run.output.conclusion for run in charter_runs(repo)] == [Conclusion.FAILURE, Conclusion.SUCCESS]
    poc.github.forget_calls()
    poc.pull_request("edited", head=NEXT, at=NOW + timedelta(minutes=2))
    assert poc.github.made(*OUTSIDE) == []


def test_paths_of_an_untouched_charter_are_those_of_its_branch(poc: World) -> None:
    repo = poc.github.repos[1]
    repo.write(GOOD, HEAD)
    repo.missing["main"] = frozenset({EVAL, "load/k6.json"})
    poc.pull_request()
    assert found(poc) == [("notice", "path-missing"), ("notice", "path-missing")]


def test_environments_that_do_not_exist_are_worth_a_notice(poc: World) -> None:
    poc.github.repos[1].environments = frozenset({"Support-Prod"})
    changed(poc, LATER)
    assert ("notice", "environment-unknown") in found(poc)


def test_access_that_was_granted_counts_when_somebody_presses_the_button(poc: World) -> None:
    repo = poc.github.repos[1]
    repo.permissions = {"john-roe": "read"}
    changed(poc, GOOD.replace("owner: jane-doe", "owner: john-roe"))
    repo.permissions = {}
    poc.pull_request("edited", at=NOW + timedelta(minutes=1))
    shown = {"id": charter_runs(repo)[0].id, "name": "POC charter", "head_sha": HEAD}
    poc.deliver("check_run", action="rerequested", check_run=shown, repository=described(POC))
    poc.work()
    assert [run.output.conclusion for run in charter_runs(repo)] == [Conclusion.FAILURE, Conclusion.SUCCESS]


@pytest.mark.parametrize("method", OUTSIDE)
@pytest.mark.parametrize("failure", [LOST, NO], ids=["no answer", "refused"])
def test_what_github_does_not_say_holds_nothing_up(poc: World, method: str, failure: Failure) -> None:
    poc.github.repos[1].write(GOOD, HEAD)
    poc.github.fail_next(failure, method)
    poc.pull_request()
    assert [run.output.conclusion for run in charter_runs(poc.github.repos[1])] == [Conclusion.SUCCESS]
    said = "; not known for now: no answer from GitHub" if failure is LOST else ""
    outcome = poc.outcome(pull_request_key(1, 5)) or ""
    assert outcome == f"POC charter: success, Charter complete{said}"
    poc.github.forget_calls()
    poc.pull_request("edited", at=NOW + timedelta(minutes=1))
    assert poc.github.calls == []
    poc.now = NOW + timedelta(minutes=10)
    poc.pull_request("edited", at=NOW + timedelta(minutes=2))
    assert [call.method for call in poc.github.calls] == (OUTSIDE if failure is LOST else [])


def test_a_failure_does_not_make_the_known_unknown(poc: World) -> None:
    repo = poc.github.repos[1]
    repo.write(GOOD, HEAD)
    repo.permissions = {"jane-doe": "read"}
    repo.missing["main"] = frozenset({EVAL})
    repo.environments = frozenset({"support-staging"})
    poc.pull_request()
    poc.now = NOW + timedelta(days=1)
    for method in OUTSIDE:
        poc.github.fail_next(LOST, method)
    poc.pull_request("edited", at=NOW + timedelta(minutes=1))
    assert len(charter_runs(repo)) == 1
    assert len(found(poc)) == 3
    assert (poc.outcome(pull_request_key(1, 5)) or "").count("not known for now") == 4


def test_a_rate_limit_holds_the_look_up_until_it_is_over(poc: World) -> None:
    poc.github.repos[1].write(GOOD, HEAD)
    until = NOW + timedelta(minutes=20)
    poc.github.fail_next(Failure(FailureKind.RATE_LIMITED, "slow down", until), "environments")
    poc.pull_request()
    assert poc.github.writes == []
    poc.now = until + timedelta(minutes=1)
    poc.work(waited=True)
    assert len(charter_runs(poc.github.repos[1])) == 1


def changed(world: World, text: str) -> None:
    """A pull request that changes the charter to that."""
    repo = world.github.repos[1]
    repo.write(text, HEAD)
    repo.merge_bases[BASE, HEAD] = FORK_POINT
    world.pull_request()


def found(world: World) -> list[tuple[str, str]]:
    """The annotations of all check runs: level and code."""
    runs = charter_runs(world.github.repos[1])
    return [(note.level, note.title) for run in runs for note in run.output.annotations]


# Interruptions


def test_a_check_run_whose_answer_was_lost_is_found_and_not_posted_twice(poc: World) -> None:
    poc.github.repos[1].write(GOOD, HEAD)
    poc.github.fail_next(LOST, "create_check_run", done=True)
    poc.pull_request()
    state = poc.state(pull_request_key(1, 5))
    assert (state.dirty, state.dead, state.last_error) == (True, False, "no answer from GitHub")
    poc.work(waited=True)
    assert len(charter_runs(poc.github.repos[1])) == 1
    assert len(poc.github.made("find_check_run")) == 1
    poc.github.forget_calls()
    poc.pull_request("edited", at=NOW + timedelta(minutes=1))
    assert poc.github.calls == []


@pytest.mark.parametrize("failure", [NO, Failure(FailureKind.GONE, "no such commit")], ids=lambda it: it.kind)
def test_a_check_run_whose_answer_was_lost_is_not_forgotten_where_looking_for_it_is_refused(
    poc: World, failure: Failure
) -> None:
    poc.github.repos[1].write(GOOD, HEAD)
    poc.github.fail_next(LOST, "create_check_run", done=True)
    poc.pull_request()
    poc.github.fail_next(failure, "find_check_run")
    poc.work(waited=True)
    poc.pull_request("edited", at=NOW + timedelta(minutes=1))
    assert [run.output.conclusion for run in charter_runs(poc.github.repos[1])] == [Conclusion.SUCCESS]


def test_a_check_run_that_never_arrived_is_posted(poc: World) -> None:
    poc.github.repos[1].write(GOOD, HEAD)
    poc.github.fail_next(LOST, "create_check_run")
    poc.pull_request()
    assert charter_runs(poc.github.repos[1]) == []
    poc.work(waited=True)
    assert len(charter_runs(poc.github.repos[1])) == 1


def test_a_check_run_that_was_refused_is_not_looked_for_later(poc: World) -> None:
    poc.github.repos[1].write(GOOD, HEAD)
    for _ in range(2):  # nor is it taken that the commit could not be judged
        poc.github.fail_next(NO, "create_check_run")
    poc.pull_request()
    assert poc.state(pull_request_key(1, 5)).dead
    poc.pull_request("edited", at=NOW + timedelta(minutes=1))
    assert poc.github.made("find_check_run") == []
    assert len(charter_runs(poc.github.repos[1])) == 1


def test_a_rate_limit_keeps_the_other_looks_of_the_installation_from_calling(poc: World) -> None:
    poc.github.repos[1].write(GOOD, HEAD, NEXT)
    until = NOW + timedelta(minutes=20)
    poc.github.fail_next(Failure(FailureKind.RATE_LIMITED, "slow down", until), "blob_shas")
    poc.pull_request()
    poc.github.forget_calls()
    poc.pull_request(number=6, head=NEXT)
    assert poc.github.calls == []
    waits = [poc.state(pull_request_key(1, number)).waits_until for number in (5, 6)]
    assert all(at is not None and at >= until for at in waits)
    poc.now = until + timedelta(minutes=1)
    poc.work(waited=True)
    assert len(charter_runs(poc.github.repos[1])) == 2


# The stall issue

FIRST_STEP = NOW + timedelta(days=14)
"""Ten working days later: the owner's limit with this charter."""
DUE = NOW + timedelta(days=60)
"""A Friday, long after any limit."""


def test_the_life_of_a_stall_issue(poc: World) -> None:
    poc.sign_charter()
    repo = poc.github.repos[1]
    poc.sweep(as_of=FIRST_STEP)
    [issue] = repo.issues.values()
    assert issue.title == "Ticket triage assistant is waiting for jane-doe: 10 working days"
    assert issue.body.startswith(STALL_MARKER)
    assert (issue.labels, repo.assignees[1], issue.state) == ((STALL_LABEL,), "jane-doe", IssueState.OPEN)

    poc.github.forget_calls()
    poc.sweep(as_of=FIRST_STEP + timedelta(days=3))
    poc.sweep()
    assert poc.github.writes == []
    assert issue_state(poc) == "open"

    poc.now = FIRST_STEP + timedelta(days=4)
    poc.push("src/app.py")
    assert issue_state(poc) == "closed"
    assert len(repo.issues) == 1

    poc.sweep(as_of=FIRST_STEP + timedelta(days=66))
    assert issue_state(poc) == "open"
    assert "7 December" not in repo.issues[1].body
    assert len(repo.issues) == 1


def test_a_poc_without_a_charter_gets_the_same_issue(world: World) -> None:
    world.install(POC)
    world.sweep(as_of=NOW + timedelta(days=11))
    assert world.github.repos[1].issues == {}
    world.sweep(as_of=NOW + timedelta(days=14))
    [issue] = world.github.repos[1].issues.values()
    assert issue.title == "poc-triage is waiting for a charter: 10 working days"
    assert world.github.repos[1].assignees[1] is None


def test_work_that_no_event_told_of_is_asked_for_before_speaking_up(poc: World) -> None:
    poc.sign_charter()
    poc.github.repos[1].commits["jane-doe"] = DUE - timedelta(days=1)
    poc.sweep(as_of=DUE)
    assert poc.github.repos[1].issues == {}
    assert (poc.outcome(repository_key(1)) or "").endswith(
        "building, owner jane-doe has the ball; not stalled"
    )
    poc.github.forget_calls()
    poc.sweep(as_of=DUE)
    assert poc.github.made("last_commit_by") == []


def test_an_issue_closed_by_a_person_is_left_alone(poc: World) -> None:
    poc.sign_charter()
    poc.sweep(as_of=FIRST_STEP)
    repo = poc.github.repos[1]
    repo.issues[1] = replace(repo.issues[1], state=IssueState.CLOSED)
    poc.issue_event("closed")
    poc.sweep(as_of=FIRST_STEP + timedelta(days=3))
    assert repo.issues[1].state is IssueState.CLOSED
    assert len(repo.issues) == 1


def test_a_label_that_was_taken_off_is_put_back(poc: World) -> None:
    poc.sign_charter()
    poc.sweep(as_of=FIRST_STEP)
    repo = poc.github.repos[1]
    repo.issues[1] = replace(repo.issues[1], labels=("ours-too",))
    poc.github.forget_calls()
    mark_all(poc.services, as_of=FIRST_STEP)
    poc.issue_event("unlabeled")
    assert repo.issues[1].labels == ("ours-too", STALL_LABEL)
    assert [str(call) for call in poc.github.writes] == ["edit_issue 1 label"]


def test_a_deleted_issue_gets_no_successor(poc: World) -> None:
    poc.sweep(as_of=DUE)
    del poc.github.repos[1].issues[1]
    poc.issue_event("deleted")
    poc.sweep(as_of=DUE + timedelta(days=30))
    assert poc.github.repos[1].issues == {}


def test_an_issue_whose_answer_was_lost_is_found_and_not_opened_twice(poc: World) -> None:
    poc.github.fail_next(LOST, "open_issue", done=True)
    poc.sweep(as_of=DUE)
    assert poc.state(repository_key(1)).dirty
    poc.work(waited=True)
    assert not poc.state(repository_key(1)).dirty
    assert len(poc.github.repos[1].issues) == 1
    assert len(poc.github.made("open_issue")) == 1


def test_five_new_issues_a_day_in_one_organization(world: World) -> None:
    found = [repository(number, f"acme/poc-{number}") for number in range(1, 8)]
    world.install(*found)
    world.sweep(as_of=DUE)
    assert sum(len(repo.issues) for repo in world.github.repos.values()) == 5
    world.sweep(as_of=DUE)
    assert sum(len(repo.issues) for repo in world.github.repos.values()) == 5
    world.sweep(as_of=DUE + timedelta(days=3))
    assert sum(len(repo.issues) for repo in world.github.repos.values()) == 7


def test_a_dry_run_says_what_it_would_do_and_does_nothing(poc: World) -> None:
    poc.sign_charter()
    poc.github.forget_calls()
    told = poc.dry_run(FIRST_STEP)
    assert told == {
        digest_key(INSTALLATION): [],
        repository_key(1): [
            "open issue 'Ticket triage assistant is waiting for jane-doe: 10 working days' for jane-doe"
        ],
    }
    assert poc.github.writes == []


# Budgets, permissions, names, removal


@pytest.mark.parametrize("number", [1, pytest.param(101, marks=pytest.mark.slow)])
def test_a_sweep_with_nothing_to_do_costs_a_call_for_a_hundred_repositories(
    world: World, number: int
) -> None:
    for at in range(1, number + 1):
        name = f"acme/poc-{at}" if at % 3 else f"acme/app-{at}"
        world.github.add(repository(at, name)).write(GOOD if at % 3 else None, "main")
    world.install(*(repo.described for repo in world.github.repos.values()))
    world.github.forget_calls()
    world.app.described.clear()
    world.sweep()
    assert {call.method for call in world.github.calls} == {"repositories"}
    assert len(world.github.calls) == -(-number // 100)
    assert world.app.described == [INSTALLATION]


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        pytest.param("checks", "; not written: checks: write is not granted", id="checks"),
        pytest.param("issues", "; not written: issues: write is not granted", id="issues"),
    ],
)
def test_what_was_not_granted_is_not_written_and_said(poc: World, missing: str, said: str) -> None:
    poc.grant(**{name: level for name, level in PERMISSIONS.items() if name != missing})
    poc.github.repos[1].write(GOOD, HEAD)
    poc.sweep()
    poc.pull_request()
    poc.sweep(as_of=DUE)
    key = pull_request_key(1, 5) if missing == "checks" else repository_key(1)
    assert (poc.outcome(key) or "").endswith(said)
    assert poc.state(key).dead is False
    assert {call.method for call in poc.github.writes} == {
        "open_issue" if missing == "checks" else "create_check_run"
    }


def test_a_renamed_repository_stays_the_same_poc(poc: World) -> None:
    renamed = repository(full_name="acme/poc-routing", updated_at=NOW + timedelta(minutes=1))
    poc.github.repos[1].described = renamed
    poc.github.repos[1].write(GOOD, HEAD)
    poc.deliver("repository", action="renamed", repository=described(renamed))
    poc.work()
    assert poc.outcome(repository_key(1)) == f"POC by its name, `poc-routing`, {PROPOSED}"
    poc.github.forget_calls()
    poc.pull_request(repository=renamed, at=NOW + timedelta(minutes=2))
    assert [call.method for call in poc.github.calls] == ["blob_shas", *OUTSIDE, "create_check_run"]


def test_a_rename_that_no_event_told_of_is_found_by_the_sweep(poc: World) -> None:
    poc.github.repos[1].described = repository(
        full_name="acme/poc-new", updated_at=NOW + timedelta(minutes=1)
    )
    poc.sweep()
    assert poc.outcome(repository_key(1)) == f"POC by its name, `poc-new`, {PROPOSED}"


def test_archiving_ends_the_poc_and_writes_nothing(poc: World) -> None:
    poc.sweep(as_of=DUE)
    archived = replace(POC, archived=True, updated_at=NOW + timedelta(minutes=1))
    poc.github.repos[1].described = archived
    poc.github.forget_calls()
    poc.deliver("repository", action="archived", repository=described(archived))
    poc.work()
    assert poc.github.writes == []
    assert not poc.state(repository_key(1)).dead


def test_after_uninstalling_nothing_is_called(poc: World) -> None:
    whole = {"id": INSTALLATION, "account": {"login": "acme"}, "permissions": PERMISSIONS}
    del poc.app.installations[INSTALLATION]
    poc.deliver("installation", action="deleted", installation=whole, repositories=[])
    poc.github.repos[1].write(GOOD, HEAD)
    poc.work()
    poc.pull_request()
    assert poc.github.calls == []
    assert not any(state.dirty or state.dead for state in poc.states())


def test_while_suspended_nothing_is_called(poc: World) -> None:
    suspended = Installation(INSTALLATION, "acme", dict(PERMISSIONS), NOW)
    poc.app.installations[INSTALLATION] = suspended
    whole = {
        "id": INSTALLATION,
        "account": {"login": "acme"},
        "permissions": PERMISSIONS,
        "suspended_at": NOW.isoformat(),
    }
    poc.deliver("installation", action="suspend", installation=whole)
    poc.work()
    poc.pull_request()
    assert poc.github.calls == []
    assert poc.outcome(pull_request_key(1, 5)) == "the installation is suspended"


def test_a_repository_taken_from_the_installation_is_left_alone(poc: World) -> None:
    gone = [{"id": 1, "full_name": "acme/poc-triage"}]
    poc.deliver("installation_repositories", action="removed", repositories_removed=gone)
    poc.work()
    assert poc.outcome(repository_key(1)) == "not covered by an installation any more"
    assert poc.github.calls == []
    assert installation_key(INSTALLATION) in {state.key for state in poc.states()}
