"""What is said to whom: the ball moves, each step is said once, and what people wrote stays.

The emulator knows no reactions: the gateway takes these.
"""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from service.demo.person import Issue
from service.rules.policy.model import NO_POLICY
from service.rules.values.actions import STALL_MARKER
from service.texts.markdown import STALL_END
from tests.e2e.conftest import CENTRAL, MakePoc
from tests.harness.emulator import SIGNERS, Repo, Stage, good_charter, later, stamp
from tests.harness.gateway import Call, says
from tests.harness.stalls import OWNER_STALLED, STALLED, issue_of, wait_for_state

LIMIT = NO_POLICY.limits.waiting
OWNER_LIMIT = 10
"""15 % of the working days to a ship date that is three months ahead."""


@pytest.fixture(scope="module", autouse=True)
def _what_the_emulator_lacks(calendar: Stage) -> None:
    calendar.api.fail("POST", "/comments/[0-9]+/reactions$", says(201), times=1000)


def the_issue(repo: Repo) -> Issue:
    (issue,) = repo.issues()
    return issue


def said_in(repo: Repo, number: int) -> list[str]:
    """What the service commented, without its marker."""
    said = repo.person.comments(repo.name, number)
    return [text.partition("\n")[2] for text in said if text.startswith("<!-- poc-governor:stall:")]


def mentioned(text: str) -> list[str]:
    return re.findall(r"@([\w-]+) \(", text)


def sign(repo: Repo, number: int, *people: str) -> None:
    """Sign the charter that stands on the default branch, in the POC's issue."""
    repo.stage.next_second()
    for login in people:
        repo.say(number, "/poc sign", login)


def turns(repo: Repo) -> list[str]:
    """Whom it waited for, from the first."""
    waited: list[tuple[str, list[str]]] = repo.stage.rows(
        "SELECT party, people FROM turn t JOIN poc p ON p.id = poc_id WHERE repository_id = %s ORDER BY t.id",
        repo.id,
    )
    return [f"{party} {', '.join(people)}".strip() for party, people in waited]


@pytest.mark.slow
def test_the_ball_goes_from_signer_to_signer_to_owner_and_the_one_issue_with_it(
    calendar: Stage, poc: MakePoc
) -> None:
    repo = poc(good_charter())
    calendar.sweep(later(STALLED))
    number = the_issue(repo).number
    assert the_issue(repo).assignees == ("alice-k",)

    sign(repo, number, "alice-k")
    wait_for_state(calendar, repo, "closed")
    calendar.sweep(later(STALLED))
    again = the_issue(repo)
    assert (again.number, again.state, again.assignees) == (number, "open", ("bob-m",))
    assert "**@bob-m has the ball**: sign the charter for platform" in again.body

    sign(repo, number, "bob-m", "carol-s", "dan-w")
    wait_for_state(calendar, repo, "closed")
    calendar.sweep(later(STALLED))
    assert the_issue(repo).state == "closed"  # an owner has longer than a signer
    calendar.sweep(later(OWNER_STALLED))
    last = the_issue(repo)
    assert (last.number, last.state, last.assignees) == (number, "open", ("jane-doe",))
    assert "**@jane-doe has the ball**: build and measure" in last.body
    assert said_in(repo, number) == []
    assert turns(repo) == ["unnamed", *(f"signer {login}" for login in SIGNERS), "owner jane-doe"]


def test_the_second_and_third_step_are_one_comment_each_to_owner_and_lead(
    calendar: Stage, poc: MakePoc
) -> None:
    repo = poc(good_charter())
    calendar.sweep(later(LIMIT))
    number = issue_of(repo)
    assert said_in(repo, number) == []
    for hours in (0, 6):
        calendar.sweep(later(2 * LIMIT) + timedelta(hours=hours))
    (second,) = said_in(repo, number)
    assert second.startswith(
        "**10 working days of waiting for data science (`alice-k`)**; the limit is 5 working days."
    )
    assert mentioned(second) == ["jane-doe", "alice-x"]
    for days in (3 * LIMIT, 3 * LIMIT + 1, 6 * LIMIT):
        calendar.sweep(later(days))
    _, third = said_in(repo, number)
    assert third.startswith(
        "**15 working days of waiting for data science (`alice-k`): it's time to decide.**"
    )
    assert mentioned(third) == ["jane-doe", "alice-x"]
    assert the_issue(repo).assignees == ("alice-k",)
    assert issue_of(repo) == number


@pytest.mark.slow
def test_after_the_owner_product_is_brought_in(calendar: Stage, poc: MakePoc) -> None:
    repo = poc(good_charter(), signers=SIGNERS)
    for step in (1, 2, 3):
        calendar.sweep(later(step * OWNER_LIMIT))
    said = said_in(repo, issue_of(repo))
    assert [mentioned(text) for text in said] == [["jane-doe", "carol-s"]] * 2


@pytest.mark.slow
def test_what_people_write_around_our_block_stays(calendar: Stage, poc: MakePoc) -> None:
    repo = poc(good_charter())
    calendar.sweep(later(LIMIT))
    issue = the_issue(repo)
    above, below = "Note: Dan is on leave.\n\n", "\n- [ ] ask **Eve**, fixes nothing\n"
    within = issue.body.replace("has the ball", "has had it for ages")
    repo.person.edit_issue(repo.name, issue.number, body=f"{above}{within}{below}", title="Ours")
    calendar.until(lambda: calendar.told("issues", repo, "edited"), "it is known")
    calendar.settle()
    calendar.sweep(later(2 * LIMIT))
    edited = the_issue(repo)
    assert edited.number == issue.number
    assert edited.body.startswith(above + STALL_MARKER)
    assert edited.body.partition(STALL_END)[2].rstrip("\n") == f"\n{below}".rstrip("\n")
    assert "**@alice-k has the ball**" in edited.body
    assert "(10 working days on " in edited.body
    assert edited.body.count(STALL_MARKER) == edited.body.count(STALL_END) == 1
    assert edited.title == "Ticket triage assistant is waiting for data science: 10 working days"


@pytest.mark.slow
def test_a_locked_issue_is_edited_and_nothing_more_is_said(calendar: Stage, poc: MakePoc) -> None:
    repo = poc(good_charter())
    calendar.sweep(later(LIMIT))
    number = issue_of(repo)
    locked = says(403, "Unable to create comment because issue is locked.")
    calendar.api.fail("POST", f"^/repos/{repo.full_name}/issues/{number}/comments$", locked, times=9)
    for hours in (0, 6):
        calendar.sweep(later(2 * LIMIT) + timedelta(hours=hours))
    assert "(10 working days on " in the_issue(repo).body
    assert [call.status for call in repo.writes() if call.path.endswith("/comments")] == [403]


@pytest.mark.slow
def test_an_owner_who_is_gone_is_told_to_product_the_next_day(calendar: Stage, poc: MakePoc) -> None:
    repo = poc(good_charter(owner="left-long-ago"), signers=SIGNERS)
    calendar.sweep(later(1))
    issue = the_issue(repo)
    assert issue.title == "Ticket triage assistant is waiting for a new owner"
    assert issue.assignees == ("carol-s",)
    assert "`left-long-ago`, the owner, can't write to this POC's repository." in issue.body
    assert "@carol-s, you sign for product" in issue.body
    assert "@left-long-ago" not in issue.body


@pytest.mark.slow
def test_a_date_that_passed_is_said_and_counted(calendar: Stage, poc: MakePoc) -> None:
    ship_by = later(3).date()
    repo = poc(good_charter(ship_by=str(ship_by)), signers=SIGNERS)
    calendar.sweep(later(3))
    assert repo.issues() == []
    calendar.sweep(later(4))
    shown = f"{ship_by.day} {ship_by:%B} {ship_by.year}"
    assert the_issue(repo).title == f"Ticket triage assistant is past its ship date, {shown}"
    # Another date is a fact of its own: the issue closes, and the delay is counted from then on.
    calendar.next_second()
    moved = later(6).date()
    repo.commit("POC.md", good_charter(ship_by=str(moved)))
    wait_for_state(calendar, repo, "closed")
    calendar.sweep(later(7))
    slip = (moved - ship_by).days
    assert f"(second date, +{slip} calendar day{'s' if slip > 1 else ''})" in the_issue(repo).title


@pytest.mark.slow
def test_where_issues_are_off_it_stands_in_the_central_repository(calendar: Stage, poc: MakePoc) -> None:
    central = calendar.repository("waiting-room", org=CENTRAL)
    calendar.govern(CENTRAL, f"policy: 1\ncentral_repository: {central.full_name}\n")
    repo = poc(good_charter(), org=CENTRAL)
    repo.person.edit_repo(repo.name, has_issues=False)
    calendar.until(lambda: calendar.told("repository", repo, "edited"), "it is known")
    calendar.settle()

    calendar.sweep(later(LIMIT))
    (issue,) = central.issues()
    assert issue.title.startswith(f"Ticket triage assistant ({repo.full_name}) is waiting for data science")
    assert f"<!-- poc-governor:repository {repo.id} -->" in issue.body
    assert issue.assignees == ("alice-k",)
    calendar.sweep(later(2 * LIMIT))
    (second,) = said_in(central, issue.number)
    assert second.startswith(f"`{repo.full_name}`: **10 working days")

    calendar.next_second()
    central.say(issue.number, "/poc sign", "alice-k")
    wait_for_state(calendar, central, "closed")
    assert turns(repo)[-1] == "signer bob-m"
    assert repo.issue_writes() == []


# What it costs


def asked(calls: list[Call], ending: str) -> int:
    return len([call for call in calls if call.path.endswith(ending)])


@pytest.mark.slow
def test_history_is_read_once_and_the_owner_asked_about_once_a_day(calendar: Stage, poc: MakePoc) -> None:
    repo = poc(good_charter())
    # All of a registration, with the history that is read once; then the charter, which brings one call about
    # its owner.
    assert [call.path.rpartition("/")[2] for call in repo.calls() if not call.writes] == [
        *("POC.md", "pulls"),
        *("commits", "commits", "pulls", "deployments"),
        *("POC.md", "permission"),
    ]
    seen = len(repo.calls())
    for as_of in (None, None, later(1), later(LIMIT - 1)):
        calendar.sweep(as_of)
    repo.deliver("repository.edited", repository=repo.described(updated_at=stamp(seconds=1)))
    calendar.settle()
    assert repo.calls()[seen:] == []  # a sweep without news costs no call about a POC

    calendar.sweep(later(LIMIT))
    told = [f"{call.method} {call.path.rpartition('/')[2]}" for call in repo.calls()[seen:]]
    # Whether the signer was at work where no event told of it, whether the issue is there already; the issue.
    assert told == ["GET commits", "GET issues", "POST issues"]
    calendar.settle()
    seen = len(repo.calls())
    calendar.sweep(later(LIMIT + 1))
    assert repo.calls()[seen:] == []


@pytest.mark.slow
def test_the_owner_is_asked_about_again_on_another_day(calendar: Stage, poc: MakePoc) -> None:
    repo = poc(good_charter())
    assert asked(repo.calls(), "/collaborators/jane-doe/permission") == 1
    a_day_passes = "UPDATE poc SET owner_asked_at = owner_asked_at - interval '25 hours'"
    assert calendar.rows(f"{a_day_passes} WHERE repository_id = %s RETURNING 1", repo.id) == [(1,)]
    for _ in range(2):
        calendar.sweep(None)
    assert asked(repo.calls(), "/collaborators/jane-doe/permission") == 2
