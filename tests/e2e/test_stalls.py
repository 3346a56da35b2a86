"""The one issue of a stalled POC: what opens it, what closes it, and what goes wrong in between.

Nobody signs these charters, unless a test says so: the ball is with the first signer.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from service.rules.policy.model import NO_POLICY
from service.rules.values.actions import STALL_LABEL, STALL_MARKER, stall_opening
from service.rules.values.calendar import USUAL
from tests.e2e.conftest import UNGOVERNED, MakePoc
from tests.harness.emulator import SIGNERS, Repo, Stage, good_charter, later, morning, stamp
from tests.harness.gateway import Hang, lost, says, swallow
from tests.harness.stalls import OWNER_STALLED, STALLED, issue_of, wait_for_state

FIRST_SIGNER = SIGNERS[0]


def today() -> date:
    return datetime.now(UTC).date()


def push_after_the_issue(repo: Repo, login: str) -> None:
    repo.stage.next_second()
    repo.stage.person(login, repo.org).write_file(repo.name, "model.py", f"x = {time.time()}\n")


def close(repo: Repo, number: int) -> None:
    """Close the issue as a person, and wait until it is known."""
    before = len(repo.stage.told("issues", repo, "closed"))
    repo.person.edit_issue(repo.name, number, state="closed")
    repo.stage.until(lambda: len(repo.stage.told("issues", repo, "closed")) > before, "it is known")
    repo.stage.settle()


def test_silent_signer_gets_one_issue_and_a_second_sweep_writes_nothing(
    calendar: Stage, poc: MakePoc
) -> None:
    repo = poc(good_charter())
    said = calendar.command("sweep", "--as-of", f"{later(STALLED):%Y-%m-%d}")
    (issue,) = repo.issues()
    assert f"repository:{repo.id}: " in said
    assert f"signer {FIRST_SIGNER} has the ball" in said
    assert issue.state == "open"
    assert issue.labels == (STALL_LABEL,)
    assert issue.assignees == (FIRST_SIGNER,)
    assert issue.title == "Ticket triage assistant is waiting for data science: 5 working days"
    assert issue.body.startswith(f"{STALL_MARKER}\n<!-- poc-governor:repository {repo.id} -->\n")
    assert f"**@{FIRST_SIGNER} has the ball**: sign the charter for data science" in issue.body
    before = repo.calls()
    for as_of in (later(STALLED), later(STALLED) + timedelta(hours=5), later(STALLED + 2), None):
        calendar.sweep(as_of)
    assert [str(c) for c in repo.calls()[len(before) :] if c.writes] == []
    assert issue_of(repo) == issue.number


@pytest.mark.slow
def test_a_commit_that_no_event_told_of_is_asked_for_before_anything_is_said(
    calendar: Stage, poc: MakePoc
) -> None:
    repo = poc(good_charter(), signers=SIGNERS)
    calendar.hooks.fail("POST", "", swallow, body=f'/{repo.name}"'.encode())
    repo.person.write_file(repo.name, "model.py", "x = 1\n", when=later(OWNER_STALLED) - timedelta(days=1))
    calendar.sweep(later(OWNER_STALLED))
    assert repo.issues() == []


@pytest.mark.slow
def test_dry_run_prints_and_writes_nothing(calendar: Stage, poc: MakePoc) -> None:
    repo = poc(good_charter())
    before = repo.writes()
    said = calendar.command("sweep", "--as-of", f"{later(STALLED):%Y-%m-%d}", "--dry-run")
    assert "would open issue 'Ticket triage assistant is waiting for data science: 5 working days" in said
    assert repo.writes() == before
    assert repo.issues() == []
    calendar.sweep(later(STALLED))
    issue_of(repo)


@pytest.mark.slow
def test_work_closes_the_owners_issue_and_a_later_stall_reopens_it(calendar: Stage, poc: MakePoc) -> None:
    repo = poc(good_charter(), signers=SIGNERS)
    calendar.sweep(later(OWNER_STALLED))
    (issue,) = repo.issues()
    assert issue.assignees == ("jane-doe",)
    push_after_the_issue(repo, "jane-doe")
    wait_for_state(calendar, repo, "closed")
    calendar.sweep(later(OWNER_STALLED) + timedelta(hours=1))
    assert issue_of(repo) == issue.number
    push_after_the_issue(repo, "alice-k")
    wait_for_state(calendar, repo, "closed")


@pytest.mark.slow
def test_bots_labels_and_edits_close_nothing(calendar: Stage, poc: MakePoc) -> None:
    repo = poc(good_charter(), signers=SIGNERS)
    calendar.sweep(later(OWNER_STALLED))
    number, sha = issue_of(repo), repo.person.head(repo.name)
    calendar.next_second()
    bot = "dependabot[bot]"
    commits = [{"id": sha, "author": {"username": bot}, "message": "Bump it", "modified": ["uv.lock"]}]
    repo.deliver("push", branch="bump", before=sha, after=sha, commits=commits, sender=bot, sender_type="Bot")
    repo.person.edit_issue(repo.name, number, title="Seen", labels=[STALL_LABEL, "question"])
    calendar.until(lambda: calendar.told("issues", repo, "edited"), "the edit is known")
    calendar.settle()
    calendar.sweep(None)
    assert issue_of(repo) == number


def test_issue_closed_by_a_person_is_reopened_once_at_the_next_step(calendar: Stage, poc: MakePoc) -> None:
    repo = poc(good_charter())
    calendar.sweep(later(STALLED))
    number = issue_of(repo)
    close(repo, number)
    before = repo.writes()
    calendar.sweep(later(STALLED) + timedelta(hours=1))
    assert issue_of(repo, "closed") == number
    assert repo.writes() == before
    calendar.sweep(later(STALLED + 5))
    assert issue_of(repo) == number
    assert len(repo.person.comments(repo.name, number)) == 1
    close(repo, number)
    before = repo.writes()
    for days in (STALLED + 6, STALLED + 10, STALLED + 20):
        calendar.sweep(later(days))
    assert repo.writes() == before


@pytest.mark.slow
def test_label_that_was_removed_comes_back(calendar: Stage, poc: MakePoc) -> None:
    repo = poc(good_charter())
    calendar.sweep(later(STALLED))
    number = issue_of(repo)
    # By the real clock nobody is silent yet: the look has to wait for the sweep's.
    place = f"^/repos/{repo.full_name}/issues/{number}$"
    calendar.api.fail("GET", place, says(502))
    repo.person.edit_issue(repo.name, number, labels=["question"])
    calendar.until(lambda: [c for c in repo.calls() if c.status == 502], "the event was looked at")
    calendar.sweep(later(STALLED) + timedelta(hours=1))
    labelled = {STALL_LABEL, "question"}
    calendar.until(lambda: set(repo.person.issues(repo.name)[0].labels) == labelled, "the label is back")


@pytest.mark.slow
def test_deleted_issue_gets_one_successor_at_the_next_step(calendar: Stage, poc: MakePoc) -> None:
    repo = poc(good_charter())
    calendar.sweep(later(STALLED))
    delete(repo, issue_of(repo))
    before = repo.writes()
    calendar.sweep(later(STALLED) + timedelta(hours=1))
    assert repo.writes() == before
    calendar.sweep(later(STALLED + 5))
    delete(repo, issue_of(repo))
    before = repo.writes()
    calendar.sweep(later(STALLED + 10))
    assert repo.writes() == before


def delete(repo: Repo, number: int) -> None:
    """Take an issue away: the emulator cannot, so that it only loses what it was found by."""
    gone = says(410, "This issue was deleted")
    repo.stage.api.fail("GET", f"^/repos/{repo.full_name}/issues/{number}$", gone, times=99)
    repo.person.edit_issue(repo.name, number, labels=[], body="")
    repo.deliver("issues.deleted", number=number, updated_at=stamp())
    repo.stage.settle()


@pytest.mark.slow
def test_opening_whose_answer_got_lost_leads_to_one_issue(calendar: Stage, poc: MakePoc) -> None:
    repo = poc(good_charter())
    calendar.api.fail("POST", f"^/repos/{repo.full_name}/issues$", lost)
    calendar.sweep(later(STALLED))
    calendar.settle()
    calendar.sweep(later(STALLED) + timedelta(hours=1))
    issue_of(repo)
    assert len(repo.issue_writes()) == 1


@pytest.mark.slow
def test_opening_that_was_killed_leads_to_one_issue(calendar: Stage, poc: MakePoc) -> None:
    repo = poc(good_charter())
    opening = Hang(done=True)
    calendar.api.fail("POST", f"^/repos/{repo.full_name}/issues$", opening)
    with calendar.start("sweep", "--as-of", f"{later(STALLED):%Y-%m-%d}") as sweeping:
        assert opening.reached.wait(60)
        sweeping.kill()
        calendar.kill_worker()
    opening.over.set()
    calendar.sweep(later(STALLED))
    calendar.settle()
    number = issue_of(repo)
    assert len(repo.issue_writes()) == 1
    close(repo, number)
    calendar.sweep(later(STALLED) + timedelta(hours=1))
    issue_of(repo, "closed")
    calendar.until(lambda: calendar.health()["heartbeat_age"] < 9, "there is a new worker")


@pytest.mark.slow
def test_missing_charter_becomes_an_issue_after_ten_working_days(calendar: Stage, poc: MakePoc) -> None:
    limit, repo = NO_POLICY.limits.charter, poc()
    calendar.sweep(later(limit - 1))
    assert repo.issues() == []
    calendar.sweep(later(limit))
    (issue,) = repo.issues()
    assert "No charter names an owner, so nobody is in charge of this POC." in issue.body
    assert issue.assignees == ()
    assert issue.title == f"{repo.name} is waiting for a charter: {limit} working days"


@pytest.mark.slow
def test_one_organisation_gets_five_new_issues_a_day(calendar: Stage, poc: MakePoc) -> None:
    most = NO_POLICY.issues_a_day
    repos = [poc(org=UNGOVERNED) for _ in range(most + 2)]
    day = later(NO_POLICY.limits.charter + 2)

    def opened() -> int:
        return sum(len(repo.issues()) for repo in repos)

    calendar.sweep(day)
    calendar.sweep(day + timedelta(hours=6))
    assert opened() == most
    calendar.sweep(later(NO_POLICY.limits.charter + 3))
    assert opened() == len(repos)
    assert {len(repo.issues()) for repo in repos} == {1}


@pytest.mark.slow
def test_no_issue_on_a_day_off(calendar: Stage, poc: MakePoc) -> None:
    repo = poc(good_charter())
    off = later(STALLED)
    while USUAL.is_working_day(off.date()):
        off += timedelta(days=1)
    calendar.sweep(off)
    assert repo.issues() == []
    calendar.sweep(morning(USUAL.add_working_days(off.date(), 1)))
    issue_of(repo)


@pytest.mark.slow
def test_who_cannot_be_assigned_gets_the_issue_all_the_same(calendar: Stage, poc: MakePoc) -> None:
    repo = poc(good_charter(data_science="left-long-ago"))
    calendar.sweep(later(STALLED))
    (issue,) = repo.issues()
    assert issue.assignees == ()
    assert "**@left-long-ago has the ball**" in issue.body
    assert issue.labels == (STALL_LABEL,)


@pytest.mark.slow
@pytest.mark.parametrize("ended", ["paused", "stopped"])
def test_poc_that_was_ended_on_purpose_gets_no_issue(calendar: Stage, poc: MakePoc, ended: str) -> None:
    line = (
        f"until {today() + timedelta(days=30)} - waits for data"
        if ended == "paused"
        else f"{today()} - accuracy too low"
    )
    repo = poc(good_charter(**{ended: line}))
    calendar.sweep(later(STALLED))
    assert repo.issues() == []
    assert repo.issue_writes() == []


@pytest.mark.slow
def test_two_sweeps_at_once_open_one_issue(calendar: Stage, poc: MakePoc) -> None:
    repo = poc(good_charter())
    with ThreadPoolExecutor() as together:
        for sweeping in [together.submit(calendar.sweep, later(STALLED)) for _ in range(2)]:
            sweeping.result()
    issue_of(repo)
    assert len(repo.issue_writes()) == 1


@pytest.mark.slow
def test_dormant_poc_gets_no_issue(calendar: Stage) -> None:
    name = calendar.name()
    calendar.hooks.fail("POST", "", swallow, body=f'/{name}"'.encode())
    repo = calendar.repository(name)
    calendar.until(lambda: calendar.told("repository", repo), "its creation was not heard of")
    pushed = (datetime.now(UTC) - timedelta(days=100)).isoformat()
    repo.deliver("repository.edited", repository=repo.described(pushed_at=pushed))
    calendar.settle()
    calendar.sweep(later(STALLED))
    assert repo.issues() == []
    repo.retire()


@pytest.mark.slow
def test_archived_poc_keeps_its_issue_as_it_is(calendar: Stage, poc: MakePoc) -> None:
    repo = poc(good_charter())
    calendar.sweep(later(STALLED))
    issue_of(repo)
    before = repo.writes()
    repo.retire()
    calendar.sweep(later(STALLED) + timedelta(hours=1))
    assert repo.writes() == before


@pytest.mark.slow
def test_renamed_poc_gets_its_issue_where_it_is_now(calendar: Stage, poc: MakePoc) -> None:
    repo = poc(good_charter())
    name = calendar.name()
    calendar.hooks.fail("POST", "", swallow, body=f'/{name}"'.encode())
    repo.person.edit_repo(repo.name, name=name)
    calendar.until(lambda: calendar.told("repository", repo, "edited"), "nobody told of it")
    repo.name = name
    calendar.sweep(later(STALLED))
    issue_of(repo)
    assert f"GET /repositories/{repo.id}" in [str(call) for call in repo.calls()]


@pytest.mark.slow
def test_issue_that_a_person_marked_as_ours_is_not_taken_for_ours(calendar: Stage, poc: MakePoc) -> None:
    repo = poc(good_charter())
    forged = {"title": "Mine", "body": f"{stall_opening(repo.id)}\nmine", "labels": [STALL_LABEL]}
    calendar.person("alice-k").call("POST", f"/repos/{repo.full_name}/issues", forged)
    calendar.sweep(later(STALLED))
    mine = {issue.author: issue.title for issue in repo.issues()}
    assert mine["alice-k"] == "Mine"
    assert "poc-governor[bot]" in mine
