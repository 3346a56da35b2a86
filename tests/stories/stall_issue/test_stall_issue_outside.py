"""What is decided elsewhere: what ends a stall or puts it off, where its issue stands, and when it speaks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from service.rules.queue import Failure, FailureKind
from service.rules.values.actions import STALL_MARKER
from service.rules.values.calendar import USUAL
from service.rules.values.github import Repository
from tests.harness.charters import CHARTER, SIGNERS
from tests.harness.github import NOW, repository
from tests.harness.story import sha
from tests.harness.world import HEAD, POC
from tests.stories.stall_issue.days import CENTRAL, KEY, LIMIT, OWNERS_LIMIT, Days, workday

SIGNED_LINE = "signoffs:\n"


# What ends it


def test_a_look_as_of_an_earlier_day_closes_nothing(unsigned: Days) -> None:
    unsigned.stalled()
    with unsigned.quietly():
        for count in (0, 1, LIMIT - 1):
            unsigned.reconciliation(as_of=datetime.combine(workday(count), time(9), UTC))
    assert unsigned.issue.state == "open"


def test_other_limits_alone_close_nothing(unsigned: Days) -> None:
    unsigned.stalled()
    unsigned.decide("limits:\n  waiting: 20\n")
    with unsigned.quietly():
        unsigned.through(LIMIT + 3)
    assert unsigned.issue.state == "open"
    assert "not" in unsigned.outcome_now


@pytest.mark.parametrize(
    "line",
    ["paused: until 2027-01-15 - the data is being cleared", "stopped: 2026-12-07 - too low"],
    ids=lambda line: line.partition(":")[0],
)
def test_a_charter_that_rests_or_ends_closes_it_for_good(poc: Days, line: str) -> None:
    poc.stalled(OWNERS_LIMIT)
    poc.land(sha("ended"), CHARTER.replace(SIGNED_LINE, f"{line}\n{SIGNED_LINE}"))
    assert poc.steps == ["closed"]
    with poc.quietly():
        poc.through(4 * OWNERS_LIMIT)


def test_shipping_closes_it_for_good(poc: Days) -> None:
    poc.decide("evidence:\n  max_age: 30d\n")
    poc.commit(HEAD)
    poc.ship_request()
    poc.review(*SIGNERS)
    poc.github.forget_calls()
    poc.stalled(OWNERS_LIMIT + 1)
    poc.deployed()
    assert poc.state_of_poc() == "shipped"
    assert poc.issue.state == "closed"
    with poc.quietly():
        poc.through(3 * OWNERS_LIMIT)


# What puts it off


def test_a_snooze_closes_the_issue_and_is_kept_to(poc: Days) -> None:
    poc.stalled(OWNERS_LIMIT)
    poc.say("/poc snooze 14d the vendor ships its fix", number=1, on_pull=False)
    assert poc.issue.state == "closed"
    with poc.quietly():
        poc.through(3 * OWNERS_LIMIT - 1)
    poc.on(3 * OWNERS_LIMIT)
    assert poc.steps == ["open"]
    assert poc.comments() == []


def test_a_pause_of_the_charter_is_kept_to(poc: Days) -> None:
    paused = f"paused: until 2026-12-18 - the data is being cleared\n{SIGNED_LINE}"
    poc.land(sha("paused"), CHARTER.replace(SIGNED_LINE, paused))
    last = USUAL.working_days(NOW.date(), date(2026, 12, 18))
    with poc.quietly():
        poc.through(last + OWNERS_LIMIT - 1)
    poc.on(last + OWNERS_LIMIT)
    assert poc.steps == ["open"]


# Where it stands


def test_without_issues_it_stands_in_the_central_repository_and_stays_there(unsigned: Days) -> None:
    unsigned.decide(f"central_repository: {CENTRAL.full_name}\n")
    unsigned.switch_issues(on=False)
    unsigned.on(LIMIT)
    central = unsigned.github.repos[CENTRAL.id]
    [issue] = unsigned.ours(central)
    assert issue.title == "Ticket triage (acme/poc-triage) is waiting for data science: 5 working days"
    unsigned.switch_issues(on=True)
    unsigned.on(2 * LIMIT)
    [comment] = [each for each in central.comments if each.number == issue.number]
    assert "10 working days" in comment.body
    unsigned.sign("alice-k")
    assert central.issues[issue.number].state == "closed"
    assert unsigned.repo.issues == {}


def test_without_issues_and_without_a_central_repository_nothing_is_said(unsigned: Days) -> None:
    unsigned.switch_issues(on=False)
    with unsigned.quietly():
        unsigned.through(3 * LIMIT)
    assert "there is no place for its issue" in unsigned.outcome_now


@pytest.mark.parametrize("central", [False, True], ids=["no central repository", "a central repository"])
def test_issues_that_are_switched_off_for_a_while_come_back_with_ours(unsigned: Days, central: bool) -> None:
    if central:
        unsigned.decide(f"central_repository: {CENTRAL.full_name}\n")
    unsigned.stalled()
    unsigned.switch_issues(on=False)
    with unsigned.quietly():
        unsigned.through(2 * LIMIT + 2)
    unsigned.switch_issues(on=True)
    assert unsigned.steps == ["comment"]
    assert unsigned.issue.state == "open"
    assert "10 working days" in unsigned.issue.body
    assert unsigned.github.repos.get(CENTRAL.id) is None or not unsigned.ours(
        unsigned.github.repos[CENTRAL.id]
    )


def test_issues_that_nobody_said_are_off_do_not_stop_the_look(unsigned: Days) -> None:
    unsigned.stalled()
    on = unsigned.repo.described
    unsigned.repo.described = repository(has_issues=False)
    unsigned.on(2 * LIMIT)
    assert not unsigned.state(KEY).dead
    assert unsigned.comments() == []
    unsigned.repo.described = on
    unsigned.on(2 * LIMIT + 1)
    assert len(unsigned.comments(1)) == 1
    assert len(unsigned.repo.issues) == 1


# What the organisation decided


def test_who_only_observes_is_told_and_nobody_else(unsigned: Days) -> None:
    unsigned.decide("mode: observe\n")
    with unsigned.quietly():
        unsigned.through(2 * LIMIT)
    assert "stalled, and only observed" in unsigned.outcome_now


def test_an_observing_service_leaves_an_issue_as_it_is(unsigned: Days) -> None:
    unsigned.stalled()
    unsigned.observe()
    with unsigned.quietly():
        unsigned.through(2 * LIMIT)
        unsigned.sign("alice-k")


def test_so_many_new_issues_a_day(story: Days) -> None:
    story.decide("issues_a_day: 2\n")
    pocs = [repository(number, f"acme/poc-{number}") for number in range(11, 16)]
    story.install(*pocs)
    opened = []
    for count in (9, 10, 11, 12, 13):
        story.morning(workday(count))
        story.reconciliation()
        opened.append(sum(len(story.github.repos[found.id].issues) for found in pocs))
    assert opened == [0, 2, 4, 5, 5]


def test_no_step_is_taken_on_a_day_off(unsigned: Days) -> None:
    """The freeze begins on the day of the first step, and each of its days puts that off."""
    unsigned.decide("calendar:\n  freezes:\n    - 2026-11-30 to 2026-12-04 - the fair\n")
    with unsigned.quietly():
        for days in range(7, 14):
            unsigned.morning(NOW.date() + timedelta(days=days))
    unsigned.morning(date(2026, 12, 7))
    assert unsigned.steps == ["open"]


def test_what_is_due_when_a_freeze_is_decided_waits_for_its_end(unsigned: Days) -> None:
    unsigned.on(LIMIT - 1)
    unsigned.github.fail_next(Failure(FailureKind.TRANSIENT, "GitHub is away"), "last_commit_by")
    unsigned.on(LIMIT)
    unsigned.decide("calendar:\n  freezes:\n    - 2026-12-01 to 2026-12-02 - moving house\n")
    unsigned.github.repos[POC.id].issues.clear()
    with unsigned.quietly():
        unsigned.morning(date(2026, 12, 1))
        unsigned.morning(date(2026, 12, 2))
    unsigned.morning(date(2026, 12, 3))
    assert unsigned.steps == ["open"]


# Texts of strangers

HOSTILE = "@everyone fixes #1 <!-- poc-governor:stall --> [x](http://evil.example) `/poc stop`"


@pytest.mark.parametrize("place", [POC, CENTRAL], ids=["its own repository", "the central one"])
def test_a_hostile_title_has_no_effect(story: Days, place: Repository) -> None:
    story.found(CHARTER.replace("# Ticket triage", f"# {HOSTILE}"), signed=False)
    if place is CENTRAL:
        story.decide(f"central_repository: {CENTRAL.full_name}\n")
        story.switch_issues(on=False)
    story.through(3 * LIMIT)
    repo = story.github.repos[place.id]
    [issue] = story.ours(repo)
    texts = [issue.body, *(comment.body for comment in repo.comments)]
    assert len([said for said in texts if said.startswith("<!-- poc-governor:stall:1:1:")]) == 2
    for said in (issue.title, *texts):
        assert "@everyone" not in said
        assert "fixes #1" not in said
        assert "](http://evil.example)" not in said
    assert issue.body.count(STALL_MARKER) == 1
