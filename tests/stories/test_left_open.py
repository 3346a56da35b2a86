"""What isn't answered yet is looked at by the hourly sweep, for as long as an answer makes sense."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from service.rules.queue import Failure, FailureKind
from service.rules.values.subjects import deployment_key, merge_group_key, pull_request_key
from service.store.litter import delete_litter
from service.sweep import mark_due
from tests.harness.charters import CHARTER
from tests.harness.deliveries import described
from tests.harness.snapshots import Snapshots
from tests.harness.story import Story, sha
from tests.harness.world import BASE, HEAD, NO, POC, charter_runs

GONE = Failure(FailureKind.GONE, "GitHub says 404, Not Found")
DEPLOYMENT = deployment_key(POC.id, 9001)
QUEUED = sha("queued")
QUEUE = merge_group_key(POC.id, QUEUED, BASE)
PULL = pull_request_key(POC.id, 5)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def poc(snapshots: Snapshots) -> Iterator[Story]:
    with snapshots.of(Story, Story.found) as made:
        yield made


def deployment_of_what_may_not_be_read(poc: Story) -> None:
    poc.land(HEAD)
    poc.execute("UPDATE repository SET reread = true")
    poc.github.fail_next(GONE, "charter_file")
    poc.ask_to_deploy(deployment_id=9001)


def deployment_that_is_refused(poc: Story) -> None:
    poc.land(HEAD)
    poc.github.fail_next(NO, "answer_deployment")
    poc.ask_to_deploy(deployment_id=9001)


def queue(poc: Story) -> None:
    poc.commit(QUEUED, CHARTER)
    group = {"head_sha": QUEUED, "base_sha": BASE}
    poc.github.fail_next(NO, "create_check_run")
    poc.github.fail_next(NO, "create_check_run")
    poc.deliver("merge_group", action="checks_requested", merge_group=group, repository=described(POC))
    poc.work()


def command_on_what_was_merged(poc: Story) -> None:
    poc.commit(HEAD)
    poc.pull()
    poc.pull(action="closed", state="closed", merged=True)
    poc.github.fail_next(NO, "post_comment")
    poc.say("/poc help")


def is_answered(poc: Story) -> bool:
    return bool(poc.repo.answers)


def is_checked(poc: Story) -> bool:
    return [run.output.title for run in charter_runs(poc.repo)] == ["Charter complete"]


def is_commented(poc: Story) -> bool:
    return len(poc.comments()) == 1


@dataclass(frozen=True, slots=True)
class Case:
    """What GitHub refuses, under which key, what shows that it was done, and how long that makes sense."""

    told: Callable[[Story], None]
    key: str
    done: Callable[[Story], bool]
    sense: timedelta


CASES = {
    "a deployment of what may not be read": Case(
        deployment_of_what_may_not_be_read, DEPLOYMENT, is_answered, 30 * DAY
    ),
    "a deployment whose answer is refused": Case(
        deployment_that_is_refused, DEPLOYMENT, is_answered, 30 * DAY
    ),
    "a merge queue's head": Case(queue, QUEUE, is_checked, DAY),
    "a command on what was merged": Case(command_on_what_was_merged, PULL, is_commented, DAY),
}


def given_up(poc: Story, case: Case) -> None:
    case.told(poc)
    state = poc.state(case.key)
    assert (state.dirty, state.waits_until, case.done(poc)) == (False, None, False)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_done_by_the_next_sweep_and_then_rests(poc: Story, case: Case) -> None:
    given_up(poc, case)
    poc.later(hours=1)
    assert case.key in mark_due(poc.services)
    poc.work()
    assert case.done(poc)
    poc.later(hours=1)
    assert case.key not in mark_due(poc.services)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_not_looked_at_for_ever(poc: Story, case: Case) -> None:
    given_up(poc, case)
    poc.execute("UPDATE delivery SET received_at = :now")  # by the story's clock
    told = poc.now
    poc.now = told + case.sense - HOUR
    assert case.key in mark_due(poc.services)
    poc.execute(
        "UPDATE subject SET done = wanted, dead_since = CASE WHEN key !~ '^pull_request' THEN now() END"
    )
    poc.now = told + case.sense + DAY + HOUR
    assert case.key not in mark_due(poc.services)


def test_a_command_is_dropped_by_the_last_look(poc: Story) -> None:
    command_on_what_was_merged(poc)
    poc.later(hours=25)
    poc.github.fail_next(NO, "post_comment")
    assert PULL in mark_due(poc.services)
    poc.work()
    assert PULL not in mark_due(poc.services)
    assert poc.rows("SELECT count(*) FROM fact WHERE answered_at IS NULL") == [(0,)]


@pytest.mark.parametrize("key", [DEPLOYMENT, QUEUE, PULL])
@pytest.mark.parametrize(("rested", "dead"), [(1, False), (29, False), (31, False), (1, True), (3, True)])
def test_deployments_and_queues_are_forgotten_a_while_after(
    poc: Story, key: str, rested: int, dead: bool
) -> None:
    poc.execute(
        "INSERT INTO subject (key, wanted, done, attempts, touched, dead_since) VALUES (:key, 1, 1, 0, "
        "now() - make_interval(days => :rested), CASE WHEN :dead THEN now() END)",
        key=key, rested=rested, dead=dead,
    )  # fmt: skip
    delete_litter(poc.services.engine)
    kept = key == PULL or rested < (2 if dead else 30)
    assert (key in {state.key for state in poc.states()}) is kept


@pytest.mark.parametrize(("kind", "days", "kept"), [("deployment-requested", 59, True),
    ("deployment-requested", 61, False), ("commanded", 400, True), ("charter-pushed", 61, True)])  # fmt: skip
def test_a_deployment_that_was_never_answered_is_forgotten(
    poc: Story, kind: str, days: int, kept: bool
) -> None:
    poc.execute(
        "INSERT INTO fact (id, subject, kind, at, actor, detail) VALUES ('old', 'deployment:1:2', :kind, "
        "now() - make_interval(days => :days), '', '{}')",
        kind=kind, days=days,
    )  # fmt: skip
    delete_litter(poc.services.engine)
    assert poc.rows("SELECT count(*) FROM fact WHERE id = 'old'") == [(int(kept),)]
