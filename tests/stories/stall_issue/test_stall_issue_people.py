"""What people do to the issue: their words stay, what they close is seen, and where it moves it is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.rules.values.actions import STALL_LABEL, STALL_MARKER, stall_opening
from service.rules.values.github import Issue, IssueState
from service.rules.values.subjects import repository_key
from service.texts.markdown import STALL_END
from tests.harness.deliveries import BOT, person
from tests.harness.github import FakeRepository, repository
from tests.harness.world import POC
from tests.stories.stall_issue.days import LIMIT, OWNERS_LIMIT, Days

ABOVE, BELOW = "Bob is on it.\n\n", "\n- [x] ask security, fixes nothing\n"


# Edited


@pytest.mark.parametrize("when", ["before", "while it is read", "after it was decided"])
def test_what_people_write_around_our_part_stays(unsigned: Days, when: str) -> None:
    unsigned.stalled()
    ours = unsigned.issue.body

    def edit() -> None:
        unsigned.change_issue(body=f"{ABOVE}{ours}{BELOW}")

    if when == "before":
        edit()
    else:
        method = "issue" if when == "while it is read" else "post_comment"
        unsigned.mortal.meanwhile[method] = edit
    unsigned.on(2 * LIMIT)
    body = unsigned.issue.body
    assert body.startswith(f"{ABOVE}{STALL_MARKER}")
    assert body.endswith(f"{STALL_END}\n{BELOW}")
    assert body.count(STALL_MARKER) == 1
    assert "10 working days" in body
    assert ours not in body


def test_a_part_of_ours_that_was_taken_out_comes_back_in_front(unsigned: Days) -> None:
    unsigned.stalled()
    unsigned.change_issue(body="All of it is mine now.\n", title="Mine")
    with unsigned.quietly():
        unsigned.through(2 * LIMIT - 1)
    unsigned.on(2 * LIMIT)
    assert unsigned.issue.body.startswith(stall_opening(POC.id))
    assert unsigned.issue.body.endswith("All of it is mine now.\n")
    assert unsigned.issue.title == "Ticket triage is waiting for data science: 10 working days"
    assert unsigned.steps == ["comment"]


def test_who_else_it_was_given_to_keeps_it(unsigned: Days) -> None:
    unsigned.stalled()
    unsigned.change_issue(assignees=("alice-k", "erin-x"), labels=("help wanted",))
    unsigned.issue_event("unlabeled")
    unsigned.sign("alice-k")
    unsigned.on(2 * LIMIT)
    assert unsigned.issue.assignees == ("erin-x", "bob-m")
    assert unsigned.issue.labels == ("help wanted", STALL_LABEL)


def test_bots_labels_and_words_wake_nothing(poc: Days) -> None:
    poc.stalled(OWNERS_LIMIT)
    with poc.quietly():
        for bot in (BOT, BOT | {"login": "renovate[bot]"}):
            poc.tell_push(bot, author={"username": bot["login"]})
            poc.pull_request("labeled", sender="erin-x")
            poc.say("/poc stop it", bot["login"], number=1, on_pull=False)
            poc.issue_event("edited", sender=person("erin-x"))
        poc.reconciliation()
    assert poc.issue.state == "open"


# Closed and reopened


@pytest.mark.parametrize("told", [True, False], ids=["told of", "told by nobody"])
def test_who_closes_it_has_seen_it_and_it_comes_back_once(unsigned: Days, told: bool) -> None:
    unsigned.stalled()
    if told:
        unsigned.close()
    else:
        unsigned.change_issue(state=IssueState.CLOSED)
    with unsigned.quietly():
        unsigned.through(2 * LIMIT - 1)
    unsigned.on(2 * LIMIT)
    assert unsigned.steps == ["comment", "open"]
    unsigned.close()
    with unsigned.quietly():
        unsigned.through(5 * LIMIT)


def test_a_dry_run_says_what_comes_of_a_closing_that_nobody_told_of(unsigned: Days) -> None:
    unsigned.stalled()
    unsigned.change_issue(state=IssueState.CLOSED)
    unsigned.now += timedelta(days=14)
    actions = unsigned.dry_run()
    assert any(action.startswith("reopen issue #1") for action in actions[repository_key(POC.id)]), actions


def test_one_that_came_back_and_stays_open_takes_the_last_step(unsigned: Days) -> None:
    unsigned.stalled()
    unsigned.close()
    unsigned.on(2 * LIMIT)
    unsigned.github.forget_calls()
    unsigned.on(3 * LIMIT)
    assert unsigned.steps == ["comment"]
    assert "it's time to decide" in unsigned.comments(1)[1]


def test_closed_by_a_person_it_comes_back_at_the_first_step_of_the_next_stall(poc: Days) -> None:
    poc.stalled(OWNERS_LIMIT)
    poc.close()
    poc.work_by()
    with poc.quietly():
        poc.through(2 * OWNERS_LIMIT - 1)
    poc.on(2 * OWNERS_LIMIT)
    assert poc.steps == ["open"]
    assert "10 working days" in poc.issue.title
    assert poc.comments(1) == []


def test_what_a_person_reopens_is_not_closed_again_for_the_same_reason(poc: Days) -> None:
    poc.stalled(OWNERS_LIMIT)
    poc.work_by()
    assert poc.issue.state == "closed"
    poc.change_issue(state=IssueState.OPEN)
    with poc.quietly():
        poc.issue_event("reopened", sender=person("erin-x"))
        poc.through(OWNERS_LIMIT + 3)
    poc.work_by()
    assert poc.issue.state == "closed"


# Deleted


@pytest.mark.parametrize("told", [True, False], ids=["told of", "told by nobody"])
def test_a_deleted_issue_gets_one_successor_at_the_next_step(unsigned: Days, told: bool) -> None:
    unsigned.stalled()
    unsigned.delete(told=told)
    with unsigned.quietly():
        unsigned.through(2 * LIMIT - 1)
    unsigned.on(2 * LIMIT)
    assert unsigned.steps == ["open"]
    assert unsigned.issue.number == 2
    unsigned.delete(told=told)
    unsigned.on(5 * LIMIT)
    assert unsigned.ours(unsigned.repo) == []


def test_a_successor_climbs_on(unsigned: Days) -> None:
    unsigned.stalled()
    unsigned.delete()
    unsigned.through(3 * LIMIT)
    assert unsigned.steps == ["open", "comment"]
    assert "it's time to decide" in unsigned.comments(2)[0]


# Transferred


def move(story: Days, *, covered: bool = True, told: bool = True) -> FakeRepository:
    """Transfer the issue to another repository, in which it gets the number 4."""
    elsewhere = repository(3, full_name="acme/app" if covered else "other/app")
    other = FakeRepository(elsewhere)
    if covered:
        story.github.repos[elsewhere.id] = other
        story.install(elsewhere)
    story.stalled()
    body, moved = story.issue.body, replace(story.issue, number=4, full_name=elsewhere.full_name)
    story.repo.issues[1] = other.issues[4] = moved
    if told:
        story.issue_event("transferred", body=body)
    return other


@pytest.mark.parametrize("told", [True, False], ids=["told of", "told by nobody"])
def test_an_issue_that_moves_within_the_installation_is_followed(unsigned: Days, told: bool) -> None:
    other = move(unsigned, told=told)
    unsigned.on(2 * LIMIT)
    [comment] = other.comments
    assert (comment.number, unsigned.repo.comments) == (4, [])
    issue = other.issues[4]
    assert issue.title == "Ticket triage (acme/poc-triage) is waiting for data science: 10 working days"
    assert "(10 working days on " in issue.body
    unsigned.sign("alice-k")
    assert other.issues[4].state == "closed"
    unsigned.on(3 * LIMIT)
    assert other.issues[4].state == "open"
    assert len(unsigned.repo.issues) == 1


def test_who_closes_it_where_it_moved_to_has_seen_it(unsigned: Days) -> None:
    other = move(unsigned)
    other.issues[4] = replace(other.issues[4], state=IssueState.CLOSED)
    unsigned.issue_event("closed", 4, home=3)
    with unsigned.quietly():
        unsigned.through(2 * LIMIT - 1)
    unsigned.on(2 * LIMIT)
    assert unsigned.steps == ["comment", "open"]


def test_when_it_moved_and_nobody_told_it_is_closed_where_it_stands(unsigned: Days) -> None:
    other = move(unsigned, told=False)
    unsigned.sign("alice-k")
    assert other.issues[4].state == "closed"
    assert len(unsigned.repo.issues) == 1


@pytest.mark.parametrize("told", [True, False], ids=["told of", "told by nobody"])
def test_an_issue_that_moves_out_of_sight_is_gone(unsigned: Days, told: bool) -> None:
    other = move(unsigned, covered=False, told=told)
    unsigned.on(2 * LIMIT)
    assert unsigned.steps == ["open"]
    assert other.issues[4].title.endswith("5 working days")
    [successor] = open_ones(unsigned.repo)
    assert successor.number == 2


def open_ones(repo: FakeRepository) -> list[Issue]:
    return [each for each in repo.issues.values() if each.state is IssueState.OPEN and not each.full_name]
