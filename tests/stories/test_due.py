"""What the hourly sweep looks at: what time alone may have changed, within the hour, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from service.rules.queue import Failure, FailureKind
from service.rules.values.daily_round import DAY, round_before
from service.rules.values.subjects import pull_request_key, repository_key
from service.sweep import mark_all, mark_due
from tests.harness.charters import CHARTER, SIGNERS, files
from tests.harness.snapshots import Snapshots
from tests.harness.story import Story, sha
from tests.harness.world import HEAD, POC, charter_runs

REPOSITORY, PULL, OTHER = repository_key(POC.id), pull_request_key(POC.id, 5), pull_request_key(POC.id, 6)
SOON, HOUR = timedelta(minutes=1), timedelta(hours=1)
Told = tuple[str, ...]


@pytest.fixture
def poc(snapshots: Snapshots) -> Iterator[Story]:
    with snapshots.of(Story, Story.found) as made:
        yield made


def sweep(story: Story) -> set[str]:
    """The hourly sweep; returns what of the POC was due."""
    due = {key for key in mark_due(story.services) if key.startswith(("repository:", "pull_request:"))}
    story.work()
    return due


def settle(story: Story) -> None:
    """Let what was just told be looked at once more, until all of it rests."""
    for _ in range(3):
        if not sweep(story):
            return
    raise AssertionError("it never rests")


def charter_says(story: Story) -> Told:
    run = charter_runs(story.repo)[-1]
    return run.output.conclusion, run.output.title, run.output.summary


def gate_says(story: Story) -> Told:
    said = story.gate()
    assert said is not None
    return said.conclusion, said.title


def issues(story: Story) -> Told:
    return tuple(issue.title for issue in story.repo.issues.values())


def heads(story: Story) -> Told:
    return tuple(sorted({run.head_sha for run in story.repo.check_runs}))


def owner(story: Story) -> Told:
    return tuple(story.rows("SELECT owner_access FROM poc")[0])


def days(story: Story) -> Told:
    return tuple(map(str, story.rows("SELECT counted_on FROM poc")[0]))


def midnight(year: int, month: int, day: int) -> Callable[[Story], datetime]:
    return lambda _: datetime(year, month, day, tzinfo=UTC)


def next_round(story: Story) -> datetime:
    return round_before(story.now, POC.id) + DAY


def brings(old: str, new: str) -> Callable[[Story], None]:
    """A pull request that writes the charter."""

    def told(story: Story) -> None:
        story.pull(story.commit(HEAD, CHARTER.replace(old, new)))

    return told


def asks_to_ship(story: Story) -> None:
    """A ship request that all have signed."""
    story.commit(HEAD)
    story.ship_request()
    story.review(*SIGNERS)


def waives(story: Story) -> None:
    """A ship request that misses a bound, which was waived for a while by those who answer for it."""
    story.land(sha("waives"), WAIVED, put=MISSED)
    story.sign(*SIGNERS)
    story.pull(story.commit(HEAD, WAIVED, MISSED))
    story.say("/poc ship")
    story.review(*SIGNERS)
    assert gate_says(story) == ("success", "Ready to ship, accuracy waived until 1 December 2026")


def nothing(_: Story) -> None:
    """The charter is signed, and nobody does anything."""


def without_access(story: Story) -> None:
    story.repo.permissions["jane-doe"] = "read"


def untold(story: Story) -> None:
    story.commit(HEAD)
    story.pull(told=False)


def grown_old(story: Story) -> datetime:
    """When the numbers of the files are older than they may be."""
    [(first,)] = story.rows("SELECT min(first_seen_at) FROM blob")
    assert isinstance(first, datetime)
    return first + timedelta(days=14) + SOON


@dataclass(frozen=True, slots=True)
class Case:
    """Something that time alone changes: what was told, when it changes, and where that shows."""

    told: Callable[[Story], None]
    at: Callable[[Story], datetime]
    shows: Callable[[Story], Told]
    meanwhile: Callable[[Story], None] = nothing


MISSED = files(accuracy=0.9)
WAIVED = CHARTER.replace(
    "signoffs:", "waived:\n  - accuracy until 2026-12-01 - the labels come late\nsignoffs:"
)
CASES = {
    "a ship date passes, of a change": Case(
        brings("2027-02-26", "2026-11-25"), midnight(2026, 11, 26), charter_says
    ),
    "a ship date passes, and it is reported": Case(
        lambda story: (story.land(HEAD, CHARTER.replace("2027-02-26", "2026-11-25")), None)[1],
        midnight(2026, 11, 26),
        issues,
    ),
    "a waiver ends": Case(waives, midnight(2026, 12, 2), gate_says),
    "numbers grow old": Case(asks_to_ship, grown_old, gate_says),
    "the owner has no access any more": Case(nothing, next_round, owner, meanwhile=without_access),
    "nor for a change that names them": Case(
        brings("2027-02-26", "2027-02-27"), next_round, charter_says, meanwhile=without_access
    ),
    "a pull request of which no event told": Case(nothing, next_round, heads, meanwhile=untold),
    "a day is counted": Case(nothing, midnight(2026, 11, 24), days),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_time_alone_changes_is_found_by_the_sweep_after(poc: Story, case: Case) -> None:
    case.told(poc)
    at = case.at(poc)
    case.meanwhile(poc)
    settle(poc)
    poc.now = max(poc.now, at - 2 * DAY)
    while poc.now < at - HOUR:  # the last days and rounds before come by, as they would
        settle(poc)
        poc.now = min(at - HOUR, poc.now + DAY / 2)
    settle(poc)
    before = case.shows(poc)
    poc.now = at - SOON
    sweep(poc)
    assert case.shows(poc) == before
    poc.now = at
    sweep(poc)
    assert case.shows(poc) != before


def test_what_nothing_can_change_is_left_alone(poc: Story) -> None:
    poc.commit(HEAD)
    poc.pull()
    settle(poc)
    poc.github.forget_calls()
    poc.now += HOUR
    assert sweep(poc) == set()
    assert {call.method for call in poc.github.calls} <= {"repositories", "blob_shas"}
    assert {REPOSITORY, PULL} <= set(mark_all(poc.services))


def test_a_day_has_a_round_and_a_beginning(poc: Story) -> None:
    poc.commit(HEAD)
    poc.pull()
    poc.backwards = True  # a repository before its pull requests, as the sweep marks them
    settle(poc)
    looks = 0
    for _ in range(24):
        poc.now += HOUR
        looks += len(sweep(poc))
    assert looks == 4


def test_what_was_signed_elsewhere_is_looked_at_by_the_next_sweep(poc: Story) -> None:
    poc.commit(HEAD)
    poc.pull()
    poc.pull(number=6, head=poc.commit("9" * 40))
    settle(poc)
    poc.say("/poc sign", "alice-k", number=6)
    poc.now += HOUR
    sweep(poc)
    poc.review("alice-k", number=6, head="9" * 40)
    poc.now += HOUR
    assert PULL in sweep(poc)


def test_a_question_without_an_answer_is_asked_by_the_next_sweep(poc: Story) -> None:
    settle(poc)
    poc.commit(HEAD, CHARTER.replace("2027-02-26", "2027-02-27"))
    poc.github.fail_next(Failure(FailureKind.TRANSIENT, "no answer"), "environments")
    poc.pull()
    poc.now += HOUR
    poc.github.forget_calls()
    assert PULL in sweep(poc)
    assert "environments" in {call.method for call in poc.github.calls}


def test_a_new_process_looks_at_everything_once(poc: Story) -> None:
    poc.commit(HEAD)
    poc.pull()
    settle(poc)
    [(began,)] = poc.rows("SELECT clock_timestamp()")
    assert {REPOSITORY, PULL} <= set(mark_due(poc.services, began=began))
    poc.work()
    settle(poc)
    assert not {REPOSITORY, PULL} & set(mark_due(poc.services, began=began))


def test_a_look_at_another_time_leaves_the_present_to_the_next_sweep(poc: Story) -> None:
    settle(poc)
    mark_all(poc.services, as_of=poc.now + timedelta(days=3))
    poc.work()
    assert REPOSITORY in sweep(poc)


def test_subjects_are_marked_in_portions(poc: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.sweep.PORTION", 2)
    keys = mark_all(poc.services)
    assert len(keys) > 2
    assert {state.key for state in poc.states() if state.dirty} >= set(keys)
