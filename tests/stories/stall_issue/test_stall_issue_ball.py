"""The ball passes: to whom the issue is given, when it closes, and when its steps begin anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from service.rules.values.github import Issue, IssueState
from tests.harness.charters import CHARTER, OWNER, SIGNERS
from tests.harness.deliveries import described, person
from tests.harness.github import NOW
from tests.harness.story import sha
from tests.harness.world import BASE, HEAD, POC
from tests.stories.stall_issue.days import LIMIT, OWNERS_LIMIT, Days

UNSEEN = "erin-x"
"""A colleague whom the charter does not name."""


def test_the_assignee_moves_with_the_ball(unsigned: Days) -> None:
    unsigned.stalled()
    assert unsigned.issue.assignees == ("alice-k",)
    unsigned.sign("alice-k")
    assert unsigned.steps == ["closed"]
    with unsigned.quietly():
        unsigned.through(2 * LIMIT - 1)
    unsigned.on(2 * LIMIT)
    assert unsigned.steps == ["open assign"]
    assert unsigned.issue.assignees == ("bob-m",)
    assert unsigned.issue.title == "Ticket triage is waiting for platform: 5 working days"
    assert "| waiting for data science | 7 |" in unsigned.issue.body
    unsigned.github.forget_calls()
    unsigned.on(3 * LIMIT)
    assert unsigned.steps == ["comment"]
    assert "waiting for platform (`bob-m`)" in unsigned.comments(1)[0]


@pytest.mark.parametrize(
    ("assignees", "co_authors", "who"),
    [
        pytest.param(["Copilot", "erin-x"], (), "owner erin-x has the ball", id="who is assigned"),
        pytest.param(["Copilot"], (UNSEEN,), "owner erin-x has the ball", id="who is a co-author"),
        pytest.param([], (), "proposed; not stalled", id="nobody is known"),
    ],
)
def test_of_an_agents_charter_the_person_who_asked_for_it_has_the_ball(
    story: Days, assignees: list[str], co_authors: tuple[str, ...], who: str
) -> None:
    story.found(None)
    story.commit(HEAD, CHARTER.replace("owner: jane-doe\n", ""))
    story.repo.history[HEAD] = replace(story.repo.history[HEAD], co_authors=co_authors)
    story.pull(author="Copilot", assignees=assignees)
    assert who in story.outcome_now


def test_when_the_last_has_signed_the_issue_closes(unsigned: Days) -> None:
    unsigned.stalled()
    unsigned.sign(*SIGNERS)
    assert unsigned.issue.state == "closed"
    assert "building, owner jane-doe has the ball" in unsigned.outcome_now
    with unsigned.quietly():
        unsigned.through(LIMIT + OWNERS_LIMIT - 1)
    unsigned.on(LIMIT + OWNERS_LIMIT)
    assert unsigned.steps == ["open assign"]


def test_who_cannot_be_assigned_is_spoken_to_all_the_same(unsigned: Days) -> None:
    unsigned.github.unassignable |= {"alice-k", "bob-m"}
    unsigned.stalled()
    assert unsigned.issue.assignees == ()
    assert "**@alice-k has the ball**" in unsigned.issue.body
    unsigned.sign("alice-k")
    unsigned.on(2 * LIMIT)
    assert unsigned.issue.assignees == ()
    assert "**@bob-m has the ball**" in unsigned.issue.body
    with unsigned.quietly():
        unsigned.through(3 * LIMIT - 1)


def ask_for_review(story: Days, **whom: dict[str, str]) -> None:
    """The owner opens a pull request, and asks for a review of it."""
    story.pull(HEAD)
    shown = {
        "number": 5,
        "state": "open",
        "head": {"ref": "work", "sha": HEAD},
        "base": {"ref": "main", "sha": BASE},
        "user": {"login": OWNER},
        "updated_at": story.tick().isoformat(),
    }
    story.deliver(
        "pull_request",
        action="review_requested",
        pull_request=shown,
        repository=described(POC),
        sender=person(OWNER),
        **whom,
    )
    story.work()


@pytest.mark.parametrize("login", [OWNER, UNSEEN], ids=["the owner", "a colleague"])
def test_whoever_works_on_it_keeps_the_owner_from_being_asked(poc: Days, login: str) -> None:
    poc.on(OWNERS_LIMIT - 1)
    poc.work_by(login)
    with poc.quietly():
        poc.through(2 * OWNERS_LIMIT - 2)
    poc.on(2 * OWNERS_LIMIT - 1)
    assert poc.steps == ["open"]
    poc.work_by(login)
    assert poc.issue.state == "closed"


def test_the_owners_work_does_not_excuse_a_signer(unsigned: Days) -> None:
    unsigned.on(LIMIT - 1)
    unsigned.work_by(OWNER)
    unsigned.stalled(LIMIT)
    assert unsigned.issue.assignees == ("alice-k",)
    with unsigned.quietly():
        unsigned.work_by(OWNER)


# An owner who left, a date that passed


def test_product_is_asked_when_the_owner_cannot_write_any_more(poc: Days) -> None:
    poc.on(2)
    poc.repo.permissions = {OWNER: "read"}
    poc.on(3)
    with poc.quietly():
        pass
    poc.on(4)
    assert poc.steps == ["open"]
    assert poc.issue.assignees == ("carol-s",)
    assert f"`{OWNER}`, the owner, can't write" in poc.issue.body
    assert "@carol-s, you sign for product: who takes over?" in poc.issue.body
    assert f"@{OWNER}" not in poc.issue.body
    with poc.quietly():
        poc.through(3 + LIMIT)
    poc.repo.permissions = {}
    poc.on(3 + LIMIT + 1)
    assert poc.issue.state == "closed"
    assert poc.comments(1) == []


def test_another_owner_ends_it_as_well(poc: Days) -> None:
    poc.on(2)
    poc.repo.permissions = {OWNER: None}
    poc.on(3)
    poc.on(4)
    assert poc.issue.state == "open"
    poc.land(sha("new owner"), CHARTER.replace(f"owner: {OWNER}", f"owner: {UNSEEN}"))
    assert poc.issue.state == "closed"


SHIP_BY = date(2027, 2, 26)
"""A Friday."""
LATER = CHARTER.replace("ship_by: 2027-02-26", "ship_by: 2027-04-09")


@pytest.fixture
def overdue(poc: Days) -> Days:
    """Work went on until the ship date had passed; the issue was opened on the Monday after it."""
    poc.now = datetime.combine(SHIP_BY, time(9), UTC)
    poc.work_by()
    with poc.quietly():
        poc.morning(SHIP_BY)
        poc.morning(SHIP_BY + timedelta(days=1))
    poc.morning(SHIP_BY + timedelta(days=3))
    assert poc.steps == ["open"]
    return poc


def test_a_ship_date_that_passes_is_told_on_the_next_working_day(overdue: Days) -> None:
    assert overdue.issue.title == "Ticket triage is past its ship date, 26 February 2027"
    assert overdue.issue.assignees == (OWNER,)


def test_another_ship_date_closes_it_and_the_next_time_it_is_counted(overdue: Days) -> None:
    overdue.land(sha("later"), LATER)
    assert overdue.issue.state == "closed"
    overdue.now = datetime(2027, 4, 9, 9, tzinfo=UTC)
    overdue.work_by()
    overdue.morning(date(2027, 4, 12))
    assert overdue.issue.state == "open"
    assert "second date, +42 calendar days" in overdue.issue.body


def test_while_it_is_open_the_next_holder_gets_it_with_its_steps_from_the_first(overdue: Days) -> None:
    overdue.morning(date(2027, 3, 8))
    assert overdue.steps == ["open", "comment"]
    ask_for_review(overdue, requested_reviewer=person("rita-r"))
    assert overdue.issue.state == "open"
    assert overdue.issue.assignees == ("rita-r",)
    assert "rita-r" in overdue.issue.body
    overdue.github.forget_calls()
    for day in range(9, 15):
        overdue.morning(date(2027, 3, day))
    assert overdue.steps == []
    overdue.morning(date(2027, 3, 15))
    assert overdue.steps == ["comment"]


def test_the_next_holder_does_not_get_it_on_a_day_off(overdue: Days) -> None:
    overdue.morning(date(2027, 3, 6))
    with overdue.quietly():
        ask_for_review(overdue, requested_reviewer=person("rita-r"))
    assert overdue.issue.assignees == (OWNER,)
    overdue.morning(date(2027, 3, 8))
    assert overdue.issue.assignees == ("rita-r",)


def test_when_a_team_gets_it_nobody_keeps_it(overdue: Days) -> None:
    ask_for_review(overdue, requested_team={"slug": "security", "name": "Security"})
    assert "acme/security" in overdue.issue.body
    assert overdue.issue.assignees == ()
    with overdue.quietly():
        overdue.reconciliation()


# An issue that blocks it


def blocked(poc: Days, *assignees: str) -> None:
    """A colleague's issue #12 is named as what the POC waits for."""
    poc.repo.issues[12] = Issue(12, IssueState.OPEN, (), "The network", NOW, "", assignees=assignees)
    poc.say("/poc snooze 14d waits for #12", number=1, on_pull=False)
    poc.repo.reactions.clear()
    poc.github.forget_calls()


def unblock(poc: Days) -> None:
    poc.repo.issues[12] = replace(poc.repo.issues[12], state=IssueState.CLOSED)


def test_who_has_the_issue_that_blocks_it_has_the_ball(poc: Days) -> None:
    blocked(poc, "eve-net")
    assert "blocker eve-net has the ball" in poc.outcome_now
    with poc.quietly():
        poc.through(OWNERS_LIMIT + LIMIT - 1)
    poc.on(OWNERS_LIMIT + LIMIT)
    assert poc.steps == ["open"]
    assert poc.issue.assignees == ("eve-net",)
    poc.github.forget_calls()
    unblock(poc)
    poc.on(OWNERS_LIMIT + LIMIT + 2)
    assert "owner jane-doe has the ball" in poc.outcome_now
    assert poc.steps == ["closed"]


def test_when_what_blocks_it_is_closed_the_snooze_ends(poc: Days) -> None:
    blocked(poc, "eve-net")
    poc.on(2)
    unblock(poc)
    poc.on(4)
    assert "owner jane-doe has the ball" in poc.outcome_now
    with poc.quietly():
        poc.through(OWNERS_LIMIT + 1)
    poc.on(OWNERS_LIMIT + 4)
    assert poc.steps == ["open"]


def test_an_issue_that_nobody_has_is_the_owners_to_give(poc: Days) -> None:
    blocked(poc)
    poc.on(OWNERS_LIMIT + LIMIT)
    assert poc.steps == ["open"]
    assert "**Nobody is assigned to #12**" in poc.issue.body
    assert poc.issue.assignees == (OWNER,)
