"""Each test plays on days of its own, because one organisation gets at most five new issues a day."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from service.rules.plan import STALL_LABEL, STALL_MARKER
from service.rules.stall import CHARTER_LIMIT, ISSUES_A_DAY
from service.rules.workdays import add_working_days, is_working_day
from tests.e2e.gateway import Hang, lost, says, swallow
from tests.e2e.stage import Repo, Stage, good_charter, morning

LONG = 30
"""Working days; more than any limit."""
_weeks = itertools.count(LONG, 5)

MakePoc = Callable[..., Repo]


def today() -> date:
    return datetime.now(UTC).date()


@pytest.fixture
def day() -> date:
    """A working day on which no other test sweeps; the rest of its week is this test's as well."""
    return add_working_days(today(), next(_weeks))


@pytest.fixture
def poc(calendar: Stage) -> Iterator[MakePoc]:
    """Make POCs that no later test's sweep meets."""
    made: list[Repo] = []

    def make(charter: str | None = None) -> Repo:
        made.append(calendar.poc(charter=charter))
        return made[-1]

    yield make
    for repo in made:
        repo.retire()


def issue_of(repo: Repo, state: str = "open") -> int:
    """The number of the one issue of a repository."""
    (issue,) = repo.issues()
    assert issue.state == state
    return issue.number


def wait_for_state(stage: Stage, repo: Repo, state: str) -> None:
    stage.until(lambda: [i.state for i in repo.issues()] == [state], f"the issue is {state}")
    stage.settle()


def push_after_the_issue(repo: Repo, content: str) -> None:
    """GitHub's clock has seconds, so that a push is later than an issue only in the next one."""
    second = int(time.time())
    repo.stage.until(lambda: time.time() >= second + 1, "the clock goes on")
    repo.commit("model.py", content)


def test_silent_owner_gets_one_issue_and_a_second_sweep_writes_nothing(
    calendar: Stage, poc: MakePoc, day: date
) -> None:
    repo = poc(good_charter())
    said = calendar.command("sweep", "--as-of", day.isoformat())
    (issue,) = repo.issues()
    assert f"repository:{repo.id}: " in said
    assert issue.state == "open"
    assert issue.labels == (STALL_LABEL,)
    assert issue.assignees == ("jane-doe",)
    assert issue.body.startswith(f"{STALL_MARKER}\n")
    assert "has the ball" in issue.body
    before = calendar.api.calls()
    for as_of in (morning(day), morning(day) + timedelta(hours=5), morning(day + timedelta(days=20)), None):
        calendar.sweep(as_of)
    later = calendar.api.calls()[len(before) :]
    assert [c.json for c in later if c.writes and "access_tokens" not in c.path] == []
    assert issue_of(repo) == issue.number


def test_dry_run_prints_and_writes_nothing(calendar: Stage, poc: MakePoc, day: date) -> None:
    repo = poc(good_charter())
    before = repo.writes()
    said = calendar.command("sweep", "--as-of", day.isoformat(), "--dry-run")
    assert f"would open issue '{repo.name} is waiting for jane-doe" in said
    assert repo.writes() == before
    assert repo.issues() == []
    calendar.sweep(morning(day))
    issue_of(repo)


def test_owners_push_closes_the_issue_and_a_later_stall_reopens_it(
    calendar: Stage, poc: MakePoc, day: date
) -> None:
    repo = poc(good_charter())
    calendar.sweep(morning(day))
    number = issue_of(repo)
    push_after_the_issue(repo, "x = 1\n")
    wait_for_state(calendar, repo, "closed")
    calendar.sweep(morning(day) + timedelta(hours=1))
    assert issue_of(repo) == number
    push_after_the_issue(repo, "x = 2\n")
    wait_for_state(calendar, repo, "closed")


def test_push_of_somebody_else_closes_nothing(calendar: Stage, poc: MakePoc, day: date) -> None:
    repo = poc(good_charter())
    calendar.sweep(morning(day))
    calendar.person("alice-k").write_file(repo.name, "other.py", "x = 1\n")
    calendar.until(lambda: len(calendar.told("push", repo)) == 2, "the push is known")
    calendar.settle()
    calendar.sweep(None)
    issue_of(repo)


def test_issue_closed_by_a_person_stays_closed(calendar: Stage, poc: MakePoc, day: date) -> None:
    repo = poc(good_charter())
    calendar.sweep(morning(day))
    number = issue_of(repo)
    repo.person.edit_issue(repo.name, number, state="closed")
    calendar.until(lambda: calendar.told("issues", repo, "closed"), "it is known")
    calendar.settle()
    before = repo.writes()
    calendar.sweep(morning(day) + timedelta(hours=1))
    assert issue_of(repo, "closed") == number
    assert repo.writes() == before


def test_label_that_was_removed_comes_back(calendar: Stage, poc: MakePoc, day: date) -> None:
    repo = poc(good_charter())
    calendar.sweep(morning(day))
    number = issue_of(repo)
    # By the real clock nobody is silent yet: the look has to wait for the sweep's.
    place = f"^/repos/{repo.full_name}/issues/{number}$"
    calendar.api.fail("GET", place, says(502))
    repo.person.edit_issue(repo.name, number, labels=["question"])
    calendar.until(lambda: [c for c in repo.calls() if c.status == 502], "the event was looked at")
    calendar.sweep(morning(day) + timedelta(hours=1))
    labelled = {STALL_LABEL, "question"}
    calendar.until(lambda: set(repo.person.issues(repo.name)[0].labels) == labelled, "the label is back")


def test_deleted_issue_gets_no_successor(calendar: Stage, poc: MakePoc, day: date) -> None:
    repo = poc(good_charter())
    calendar.sweep(morning(day))
    number = issue_of(repo)
    gone = says(410, "This issue was deleted")
    calendar.api.fail("GET", f"^/repos/{repo.full_name}/issues/{number}$", gone, times=9)
    before = repo.writes()
    repo.deliver("issues.deleted", number=number)
    calendar.settle()
    calendar.sweep(morning(day) + timedelta(hours=1))
    assert repo.writes() == before


def test_opening_whose_answer_got_lost_leads_to_one_issue(calendar: Stage, poc: MakePoc, day: date) -> None:
    repo = poc(good_charter())
    calendar.api.fail("POST", f"^/repos/{repo.full_name}/issues$", lost)
    calendar.sweep(morning(day))
    calendar.settle()
    calendar.sweep(morning(day) + timedelta(hours=1))
    issue_of(repo)
    assert len(repo.issue_writes()) == 1


def test_opening_that_was_killed_leads_to_one_issue(calendar: Stage, poc: MakePoc, day: date) -> None:
    repo = poc(good_charter())
    opening = Hang(done=True)
    calendar.api.fail("POST", f"^/repos/{repo.full_name}/issues$", opening)
    with calendar.start("sweep", "--as-of", day.isoformat()) as sweeping:
        assert opening.reached.wait(60)
        sweeping.kill()
        calendar.kill_worker()
    opening.over.set()
    calendar.sweep(morning(day))
    calendar.settle()
    number = issue_of(repo)
    assert len(repo.issue_writes()) == 1
    repo.person.edit_issue(repo.name, number, state="closed")
    calendar.until(lambda: calendar.told("issues", repo, "closed"), "it is known")
    calendar.settle()
    calendar.sweep(morning(day) + timedelta(hours=1))
    issue_of(repo, "closed")
    calendar.until(lambda: calendar.health()["heartbeat_age"] < 9, "there is a new worker")


def test_missing_charter_becomes_an_issue_after_ten_working_days(calendar: Stage, poc: MakePoc) -> None:
    repo = poc()
    calendar.sweep(morning(add_working_days(today(), CHARTER_LIMIT - 1)))
    assert repo.issues() == []
    calendar.sweep(morning(add_working_days(today(), CHARTER_LIMIT)))
    (issue,) = repo.issues()
    assert "no charter" in issue.body
    assert issue.assignees == ()
    assert issue.title == f"{repo.name} is waiting for a charter: {CHARTER_LIMIT} working days"


def test_one_organisation_gets_five_new_issues_a_day(calendar: Stage, poc: MakePoc, day: date) -> None:
    repos = [poc() for _ in range(ISSUES_A_DAY + 2)]

    def opened() -> int:
        return sum(len(repo.issues()) for repo in repos)

    calendar.sweep(morning(day))
    calendar.sweep(morning(day) + timedelta(hours=6))
    assert opened() == ISSUES_A_DAY
    calendar.sweep(morning(add_working_days(day, 1)))
    assert opened() == len(repos)
    assert {len(repo.issues()) for repo in repos} == {1}


def test_no_issue_on_a_day_off(calendar: Stage, poc: MakePoc, day: date) -> None:
    repo = poc(good_charter())
    off = next(d for n in range(7) if not is_working_day(d := day + timedelta(days=n)))
    calendar.sweep(morning(off))
    assert repo.issues() == []
    calendar.sweep(morning(add_working_days(off, 1)))
    issue_of(repo)


def test_owner_who_cannot_be_assigned_gets_the_issue_all_the_same(
    calendar: Stage, poc: MakePoc, day: date
) -> None:
    repo = poc(good_charter(owner="left-long-ago"))
    calendar.sweep(morning(day))
    (issue,) = repo.issues()
    assert issue.assignees == ()
    assert "left-long-ago" in issue.body
    assert issue.labels == (STALL_LABEL,)


@pytest.mark.parametrize("ended", ["paused", "stopped"])
def test_poc_that_was_ended_on_purpose_gets_no_issue(
    calendar: Stage, poc: MakePoc, day: date, ended: str
) -> None:
    later = day + timedelta(days=30)
    line = f"until {later} - waits for data" if ended == "paused" else f"{today()} - accuracy too low"
    repo = poc(good_charter(**{ended: line}))
    calendar.sweep(morning(day))
    assert repo.issues() == []
    assert repo.issue_writes() == []


def test_two_sweeps_at_once_open_one_issue(calendar: Stage, poc: MakePoc, day: date) -> None:
    repo = poc(good_charter())
    with ThreadPoolExecutor() as together:
        for sweeping in [together.submit(calendar.sweep, morning(day)) for _ in range(2)]:
            sweeping.result()
    issue_of(repo)
    assert len(repo.issue_writes()) == 1


def test_dormant_poc_gets_no_issue(calendar: Stage, day: date) -> None:
    name = calendar.name()
    calendar.hooks.fail("POST", "", swallow, body=f'/{name}"'.encode())
    repo = calendar.repository(name)
    calendar.until(lambda: calendar.told("repository", repo), "its creation was not heard of")
    pushed = (datetime.now(UTC) - timedelta(days=100)).isoformat()
    repo.deliver("repository.edited", repository=repo.described(pushed_at=pushed))
    calendar.settle()
    calendar.sweep(morning(day))
    assert repo.issues() == []
    repo.retire()


def test_archived_poc_keeps_its_issue_as_it_is(calendar: Stage, poc: MakePoc, day: date) -> None:
    repo = poc(good_charter())
    calendar.sweep(morning(day))
    issue_of(repo)
    before = repo.writes()
    repo.retire()
    calendar.sweep(morning(day) + timedelta(hours=1))
    assert repo.writes() == before


def test_renamed_poc_gets_its_issue_where_it_is_now(calendar: Stage, poc: MakePoc, day: date) -> None:
    repo = poc(good_charter())
    name = calendar.name()
    calendar.hooks.fail("POST", "", swallow, body=f'/{name}"'.encode())
    repo.person.edit_repo(repo.name, name=name)
    calendar.until(lambda: calendar.told("repository", repo, "edited"), "nobody told of it")
    repo.name = name
    calendar.sweep(morning(day))
    issue_of(repo)
    assert f"GET /repositories/{repo.id}" in [str(call) for call in repo.calls()]


def test_issue_that_a_person_marked_as_ours_is_not_taken_for_ours(
    calendar: Stage, poc: MakePoc, day: date
) -> None:
    repo = poc(good_charter())
    forged = {"title": "Mine", "body": f"{STALL_MARKER}\nmine", "labels": [STALL_LABEL]}
    calendar.person("alice-k").call("POST", f"/repos/{repo.full_name}/issues", forged)
    calendar.sweep(morning(day))
    mine = {issue.author: issue.title for issue in repo.issues()}
    assert mine["alice-k"] == "Mine"
    assert "poc-governor[bot]" in mine
