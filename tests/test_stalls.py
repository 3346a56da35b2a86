"""Stalls as stories: days go by, people do something or nothing, and what the one issue says of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from service.rules.block import STALL_END
from service.rules.calendar import USUAL
from service.rules.facts import Issue, IssueState, Repository
from service.rules.plan import STALL_LABEL, STALL_MARKER, stall_opening
from service.rules.reception import repository_key
from service.rules.retry import Failure, FailureKind
from tests.fakes import NOW, FakeRepository, repository
from tests.ship.story import CHARTER, OWNER, SIGNERS, Story, sha
from tests.test_events import LOST, NO, POC, described

HOME = repository(90, full_name="acme/.github")
CENTRAL = repository(91, full_name="acme/poc-portfolio", topics=["not-a-poc"])
LIMIT = 10
"""Working days of the owner: 15 % of those between the charter's merge and its ship date."""
SIGNERS_LIMIT = 5
UNSEEN = "erin-x"
"""A colleague whom the charter does not name."""
BOT = {"login": "renovate[bot]", "type": "Bot"}


def workday(count: int) -> date:
    """The day that so many working days after the beginning is."""
    return USUAL.add_working_days(NOW.date(), count)


class Days(Story):
    """A POC through its days: each morning at nine everything is looked at."""

    def morning(self, day: date) -> None:
        self.now = self.github.now = datetime.combine(day, time(9), UTC)
        self.execute("UPDATE subject SET not_before = NULL WHERE not_before <= :now")
        self.sweep()

    def until(self, count: int) -> None:
        """Let the days pass, each with its morning, to the one so many working days after the first."""
        while self.now.date() < workday(count):
            self.morning(self.now.date() + timedelta(days=1))

    def stalled(self, count: int = LIMIT) -> None:
        """The first step was just taken."""
        self.until(count)
        assert self.steps == ["open"]
        self.github.forget_calls()

    @property
    def issue(self) -> Issue:
        """The one issue of the POC that is not deleted."""
        [ours] = self.ours(self.repo)
        return ours

    def ours(self, repo: FakeRepository) -> list[Issue]:
        return [
            each
            for each in repo.issues.values()
            if STALL_LABEL in each.labels and each.state is not IssueState.GONE and not each.full_name
        ]

    @property
    def steps(self) -> list[str]:
        """What people were told of since the last count; that an issue was edited tells nobody."""
        told = []
        for call in self.github.writes:
            match call.method, call.about:
                case "open_issue", _:
                    told.append("open")
                case "edit_issue", (_, *what) if {"open", "closed", "assign"} & set(map(str, what)):
                    told.append(" ".join(str(each) for each in what if each not in ("title", "body")))
                case "post_comment", _:
                    told.append("comment")
        return told

    @property
    def outcome_now(self) -> str:
        return self.outcome(repository_key(POC.id)) or ""

    def change_issue(self, **changes: Any) -> None:
        """Somebody changes the issue on GitHub."""
        self.repo.issues[self.issue.number] = replace(self.issue, **changes)

    def close(self) -> None:
        self.change_issue(state=IssueState.CLOSED)
        self.tick()
        self.issue_event("closed")

    def delete(self) -> None:
        number = self.issue.number
        self.change_issue(state=IssueState.GONE, labels=(), body="")
        self.tick()
        self.issue_event("deleted", number)

    def work_by(self, login: str = OWNER) -> None:
        """A commit on a branch."""
        self.tell_push({"login": login})

    def tell_push(self, sender: dict[str, str], **commit: Any) -> None:
        after, at = sha(f"{self.tick():%d%H%M%S}"), self.now
        commits = [{"id": after, "distinct": True, "message": "Work", "modified": ["model.py"], **commit}]
        self.deliver(
            "push",
            ref="refs/heads/work",
            after=after,
            commits=commits,
            repository=described(replace(self.repo.described, pushed_at=at, updated_at=at)),
            sender=sender,
        )
        self.work()

    def decide(self, policy: str) -> None:
        """Let the organisation have a policy, and a repository for what has no other place."""
        for found in (HOME, CENTRAL):
            self.github.add(found)
        self.github.repos[HOME.id].trees["main"] = {"poc-policy.yml": f"policy: 1\n{policy}".encode()}
        self.install(HOME, CENTRAL)
        self.sweep()

    def switch_issues(self, *, on: bool) -> None:
        """Let the POC's repository have issues, or none."""
        self.repo.described = replace(self.repo.described, has_issues=on, updated_at=self.tick())
        self.deliver("repository", action="edited", repository=described(self.repo.described))
        self.work()


@pytest.fixture
def story(database_url: str) -> Iterator[Days]:
    made = Days(database_url)
    yield made
    made.services.engine.dispose()


@pytest.fixture
def poc(story: Days) -> Days:
    """A POC that four have signed, and on which nobody has worked yet: the ball is its owner's."""
    story.found()
    return story


# The three steps


@pytest.mark.parametrize("twice", [False, True], ids=["each delivery once", "each delivery twice"])
def test_each_step_is_said_once_however_often_it_is_looked_at(poc: Days, twice: bool) -> None:
    poc.told_twice = twice
    poc.until(LIMIT - 1)
    assert poc.github.writes == []
    for step, count in (("open", LIMIT), ("comment", 2 * LIMIT), ("comment", 3 * LIMIT)):
        poc.until(count)
        for _ in range(3):
            poc.later(hours=1)
            poc.issue_event("reopened")  # which says nothing new
            poc.sweep()
        assert poc.steps == [step]
        poc.github.forget_calls()
    poc.until(5 * LIMIT)
    assert poc.github.writes == []
    second, third = poc.comments(1)
    assert "20 working days of waiting for `jane-doe`" in second
    assert "@carol-s (product)" in second
    assert "now it takes a decision" in third


@pytest.mark.parametrize("done", [False, True], ids=["it was not done", "its answer was lost"])
@pytest.mark.parametrize("method", ["open_issue", "post_comment", "edit_issue"])
def test_a_step_that_was_cut_short_is_gone_on_with(poc: Days, method: str, done: bool) -> None:
    first = method == "open_issue"
    poc.until(LIMIT - 1 if first else 2 * LIMIT - 1)
    poc.github.fail_next(LOST, method, done=done)
    poc.until(LIMIT if first else 2 * LIMIT)
    assert poc.state(repository_key(POC.id)).dirty
    poc.work(waited=True)
    poc.until(3 * LIMIT - 1)
    assert len(poc.ours(poc.repo)) == 1
    assert len(poc.comments(1)) == 1
    assert "by 21 December 2026 that made 20 working days" in poc.issue.body


def test_an_unchanged_state_writes_nothing_from_step_to_step(poc: Days) -> None:
    poc.stalled()
    before = poc.issue
    poc.until(2 * LIMIT - 1)
    assert poc.github.writes == []
    assert poc.issue == before


# Who has the ball


def test_the_assignee_moves_with_the_ball(story: Days) -> None:
    story.found(signed=False)
    story.stalled(SIGNERS_LIMIT)
    assert story.issue.title == "Ticket triage is waiting for data science: 5 working days"
    assert story.repo.assignees == {1: "alice-k"}
    story.tick()
    story.sign("alice-k")
    assert story.steps == ["closed"]
    story.github.forget_calls()
    story.until(2 * SIGNERS_LIMIT - 1)
    assert story.github.writes == []
    story.until(2 * SIGNERS_LIMIT)
    assert story.steps == ["open assign"]
    assert story.issue.assignees == ("bob-m",)
    assert story.issue.title == "Ticket triage is waiting for platform: 5 working days"
    assert "| waiting for data science | 7 |" in story.issue.body
    story.github.forget_calls()
    story.until(3 * SIGNERS_LIMIT)
    assert story.steps == ["comment"]
    assert "waiting for platform (`bob-m`)" in story.comments(1)[0]


def test_when_the_last_has_signed_the_issue_closes(story: Days) -> None:
    story.found(signed=False)
    story.stalled(SIGNERS_LIMIT)
    story.sign(*SIGNERS)
    assert story.issue.state == "closed"
    assert "building, owner jane-doe has the ball" in story.outcome_now
    story.github.forget_calls()
    story.until(SIGNERS_LIMIT + LIMIT - 1)
    assert story.steps == []
    story.until(SIGNERS_LIMIT + LIMIT)
    assert story.steps == ["open assign"]


@pytest.mark.parametrize("login", [OWNER, UNSEEN], ids=["the owner", "a colleague"])
def test_whoever_works_on_it_keeps_the_owner_from_being_asked(poc: Days, login: str) -> None:
    poc.until(LIMIT - 1)
    poc.work_by(login)
    poc.until(2 * LIMIT - 2)
    assert poc.steps == []
    poc.until(2 * LIMIT - 1)
    assert poc.steps == ["open"]
    poc.work_by(login)
    assert poc.issue.state == "closed"


def test_the_owners_work_does_not_excuse_a_signer(story: Days) -> None:
    story.found(signed=False)
    story.until(SIGNERS_LIMIT - 1)
    story.work_by(OWNER)
    story.stalled(SIGNERS_LIMIT)
    assert story.repo.assignees == {1: "alice-k"}


def test_bots_labels_edits_and_our_own_words_wake_nothing(poc: Days) -> None:
    poc.stalled()
    for _ in range(3):
        poc.later(hours=1)
        poc.tell_push(BOT, author={"username": "renovate[bot]"})
        poc.tell_push(BOT | {"login": "poc-governor[bot]"}, author={"username": "poc-governor[bot]"})
        poc.issue_event("labeled")
        poc.issue_event("edited")
        poc.pull_request("labeled", sender=UNSEEN)
        comment = {"id": 9, "created_at": poc.now.isoformat(), "body": "/poc stop it", "user": BOT}
        shown = {"id": 1, "number": 1, "updated_at": poc.now.isoformat()}
        poc.deliver(
            "issue_comment", action="created", comment=comment, issue=shown, repository=described(POC)
        )
        poc.work()
        poc.sweep()
    assert poc.github.writes == []
    poc.until(2 * LIMIT)
    assert poc.steps == ["comment"]


# What people do to the issue


def test_what_people_write_around_our_part_stays(poc: Days) -> None:
    poc.stalled()
    ours = poc.issue.body
    poc.change_issue(body=f"Bob is on it.\n\n{ours}\n- [x] ask security\n")
    poc.until(2 * LIMIT)
    body = poc.issue.body
    assert body.startswith(f"Bob is on it.\n\n{STALL_MARKER}")
    assert body.endswith(f"{STALL_END}\n\n- [x] ask security\n")
    assert body.count(STALL_MARKER) == 1
    assert "20 working days" in body
    assert ours not in body


def test_a_part_of_ours_that_was_taken_out_comes_back_in_front(poc: Days) -> None:
    poc.stalled()
    poc.change_issue(body="All of it is mine now.\n")
    poc.until(2 * LIMIT)
    assert poc.issue.body.startswith(stall_opening(POC.id))
    assert poc.issue.body.endswith("All of it is mine now.\n")
    assert poc.steps == ["comment"]


def test_a_deleted_issue_gets_one_successor_at_the_next_step(poc: Days) -> None:
    poc.stalled()
    poc.delete()
    poc.until(2 * LIMIT - 1)
    assert poc.steps == []
    poc.until(2 * LIMIT)
    assert poc.steps == ["open"]
    assert poc.issue.number == 2
    poc.github.forget_calls()
    poc.delete()
    poc.until(5 * LIMIT)
    assert poc.steps == []


def test_a_successor_climbs_on(poc: Days) -> None:
    poc.stalled()
    poc.delete()
    poc.until(3 * LIMIT)
    assert poc.steps == ["open", "comment"]
    assert "now it takes a decision" in poc.comments(2)[0]


def test_an_issue_that_moves_within_the_installation_is_followed(poc: Days) -> None:
    other = move(poc)
    assert other.issues[4].title.startswith("Ticket triage (acme/poc-triage) is waiting for")
    assert poc.steps == []
    poc.until(2 * LIMIT)
    [comment] = other.comments
    assert (comment.number, poc.repo.comments) == (4, [])
    assert "20 working days" in other.issues[4].body
    poc.work_by()
    assert other.issues[4].state == "closed"
    poc.until(3 * LIMIT)
    assert other.issues[4].state == "open"
    assert len(poc.repo.issues) == 1


def test_an_issue_that_moves_out_of_sight_is_gone(poc: Days) -> None:
    other = move(poc, covered=False)
    poc.until(2 * LIMIT)
    assert poc.steps == ["open"]
    assert other.issues[4].title.endswith("10 working days")
    assert poc.repo.issues[2].state == "open"


def move(poc: Days, *, covered: bool = True) -> FakeRepository:
    """Transfer the issue to another repository, in which it gets the number 4."""
    elsewhere = repository(3, full_name="acme/app" if covered else "other/app")
    other = FakeRepository(elsewhere)
    if covered:
        poc.github.repos[elsewhere.id] = other
        poc.install(elsewhere)
    poc.stalled()
    moved = replace(poc.issue, number=4, full_name=elsewhere.full_name)
    poc.repo.issues[1] = moved
    other.issues[4] = moved
    poc.tick()
    poc.issue_event("transferred")
    return other


def test_a_locked_conversation_does_not_stop_the_look(poc: Days) -> None:
    poc.stalled()
    poc.change_issue(locked=True)
    poc.until(2 * LIMIT - 1)
    poc.github.fail_next(NO, "post_comment")
    poc.until(2 * LIMIT)
    assert "20 working days" in poc.issue.body
    assert not poc.state(repository_key(POC.id)).dead
    poc.github.forget_calls()
    poc.until(3 * LIMIT - 1)
    assert poc.github.writes == []
    poc.work_by()
    assert poc.issue.state == "closed"


def test_who_closes_it_has_seen_it_and_it_comes_back_once(poc: Days) -> None:
    poc.stalled()
    poc.close()
    poc.until(2 * LIMIT - 1)
    assert poc.steps == []
    poc.until(2 * LIMIT)
    assert poc.steps == ["comment", "open"]
    poc.github.forget_calls()
    poc.close()
    poc.until(6 * LIMIT)
    assert poc.github.writes == []


def test_an_issue_that_was_closed_comes_back_for_the_next_stall(poc: Days) -> None:
    poc.stalled()
    poc.close()
    poc.work_by()
    poc.until(2 * LIMIT - 1)
    assert poc.steps == []
    poc.until(2 * LIMIT)
    assert poc.steps == ["open"]
    assert "10 working days" in poc.issue.title
    assert poc.comments(1) == []


# Where it stands


def test_without_issues_it_stands_in_the_central_repository(poc: Days) -> None:
    poc.decide(f"central_repository: {CENTRAL.full_name}\n")
    poc.switch_issues(on=False)
    poc.until(LIMIT)
    central = poc.github.repos[CENTRAL.id]
    [issue] = poc.ours(central)
    assert issue.title == "Ticket triage (acme/poc-triage) is waiting for jane-doe: 10 working days"
    assert poc.repo.issues == {}
    poc.switch_issues(on=True)
    poc.until(2 * LIMIT)
    [comment] = [each for each in central.comments if each.number == issue.number]
    assert "20 working days" in comment.body
    poc.work_by()
    assert central.issues[issue.number].state == "closed"
    assert poc.repo.issues == {}


def test_without_issues_and_without_a_central_repository_nothing_is_said(poc: Days) -> None:
    poc.switch_issues(on=False)
    poc.until(3 * LIMIT)
    assert poc.github.writes == []
    assert "there is no place for its issue" in poc.outcome_now


def test_issues_that_are_switched_off_for_a_while_come_back_with_ours(poc: Days) -> None:
    poc.stalled()
    poc.switch_issues(on=False)
    poc.until(2 * LIMIT + 2)
    assert not poc.state(repository_key(POC.id)).dead
    poc.switch_issues(on=True)
    poc.until(2 * LIMIT + 3)
    assert poc.issue.state == "open"
    assert len(poc.comments(1)) == 1


# An owner who left, a date that passed


def test_product_is_asked_once_when_the_owner_cannot_write_any_more(poc: Days) -> None:
    poc.until(2)
    poc.repo.permissions = {OWNER: "read"}
    poc.until(3)
    poc.github.forget_calls()
    poc.until(4)
    assert poc.steps == ["open"]
    assert poc.repo.assignees == {1: "carol-s"}
    assert f"`{OWNER}`, the owner, cannot write" in poc.issue.body
    assert "@carol-s, you sign for product: who takes over?" in poc.issue.body
    assert f"@{OWNER}" not in poc.issue.body
    poc.github.forget_calls()
    poc.until(3 + SIGNERS_LIMIT)
    assert poc.github.writes == []
    poc.repo.permissions = {}
    poc.until(3 + SIGNERS_LIMIT + 1)
    assert poc.issue.state == "closed"
    assert poc.comments(1) == []


def test_another_owner_ends_it_as_well(poc: Days) -> None:
    poc.until(2)
    poc.repo.permissions = {OWNER: None}
    poc.until(4)
    assert poc.issue.state == "open"
    poc.land(sha("new owner"), CHARTER.replace(f"owner: {OWNER}", f"owner: {UNSEEN}"))
    assert poc.issue.state == "closed"


SHIP_BY = date(2027, 2, 26)
"""A Friday."""
LATER = CHARTER.replace("ship_by: 2027-02-26", "ship_by: 2027-04-09")


def overdue(poc: Days) -> None:
    """Work goes on until the ship date has passed."""
    poc.now = datetime.combine(SHIP_BY, time(9), UTC)
    poc.work_by()
    poc.github.forget_calls()
    poc.morning(SHIP_BY)
    poc.morning(SHIP_BY + timedelta(days=1))
    assert poc.github.writes == []
    poc.morning(SHIP_BY + timedelta(days=3))
    assert poc.steps == ["open"]


def test_a_ship_date_that_passes_is_told_on_the_next_working_day(poc: Days) -> None:
    overdue(poc)
    assert poc.issue.title == "Ticket triage is past its ship date, 26 February 2027"
    assert "10 working days" not in poc.issue.body


def test_another_ship_date_closes_it_and_the_next_time_it_is_counted(poc: Days) -> None:
    overdue(poc)
    poc.tick()
    poc.land(sha("later"), LATER)
    assert poc.issue.state == "closed"
    poc.now = datetime(2027, 4, 9, 9, tzinfo=UTC)
    poc.work_by()
    poc.morning(date(2027, 4, 12))
    assert poc.issue.state == "open"
    assert "second date, +42 days" in poc.issue.body


# What puts it off


def test_a_snooze_closes_the_issue_and_is_kept_to(poc: Days) -> None:
    poc.stalled()
    poc.say("/poc snooze 14d the vendor ships its fix", number=1, on_pull=False)
    assert poc.issue.state == "closed"
    poc.github.forget_calls()
    poc.until(2 * LIMIT + LIMIT - 1)
    assert poc.steps == []
    poc.until(2 * LIMIT + LIMIT)
    assert poc.steps == ["open"]
    assert poc.comments() == []


def test_a_pause_of_the_charter_is_kept_to(poc: Days) -> None:
    paused = CHARTER.replace("signoffs:", "paused: until 2026-12-18 - the data is being cleared\nsignoffs:")
    poc.land(sha("paused"), paused)
    poc.github.forget_calls()
    last = USUAL.working_days(NOW.date(), date(2026, 12, 18))
    poc.until(last + LIMIT - 1)
    assert poc.steps == []
    poc.until(last + LIMIT)
    assert poc.steps == ["open"]


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
    poc.until(LIMIT + SIGNERS_LIMIT - 1)
    assert poc.steps == []
    poc.until(LIMIT + SIGNERS_LIMIT)
    assert poc.steps == ["open"]
    assert poc.issue.assignees == ("eve-net",) or poc.repo.assignees[poc.issue.number] == "eve-net"
    poc.github.forget_calls()
    unblock(poc)
    poc.until(LIMIT + SIGNERS_LIMIT + 2)
    assert "owner jane-doe has the ball" in poc.outcome_now
    assert poc.steps == ["closed"]


def test_when_what_blocks_it_is_closed_the_snooze_ends(poc: Days) -> None:
    blocked(poc, "eve-net")
    poc.until(2)
    unblock(poc)
    poc.until(4)
    assert "owner jane-doe has the ball" in poc.outcome_now
    poc.until(3 + LIMIT - 2)
    assert poc.steps == []
    poc.until(4 + LIMIT)
    assert poc.steps == ["open"]


def test_an_issue_that_nobody_has_is_the_owners_to_give(poc: Days) -> None:
    blocked(poc)
    poc.until(LIMIT + SIGNERS_LIMIT)
    assert poc.steps == ["open"]
    assert "**Nobody is assigned to #12**" in poc.issue.body
    assert poc.repo.assignees[poc.issue.number] == OWNER


# What the organisation decided


def test_who_only_observes_is_told_and_nobody_else(poc: Days) -> None:
    poc.decide("mode: observe\n")
    poc.github.forget_calls()
    poc.until(3 * LIMIT)
    assert poc.github.writes == []
    assert "stalled, and only observed" in poc.outcome_now


def test_an_observing_service_leaves_an_issue_as_it_is(poc: Days) -> None:
    poc.stalled()
    poc.observe()
    poc.until(3 * LIMIT)
    poc.work_by()
    assert poc.github.writes == []


def test_so_many_new_issues_a_day(story: Days) -> None:
    story.decide("issues_a_day: 2\n")
    pocs = [repository(number, f"acme/poc-{number}") for number in range(11, 16)]
    story.install(*pocs)
    opened = []
    for count in range(LIMIT - 1, LIMIT + 4):
        story.until(count)
        opened.append(sum(len(story.github.repos[found.id].issues) for found in pocs))
    assert opened == [0, 2, 4, 5, 5]


def test_no_step_is_taken_on_a_day_off(poc: Days) -> None:
    """The freeze begins on the first step's day, and each of its days puts that off."""
    poc.decide("calendar:\n  freezes:\n    - 2026-12-07 to 2026-12-11 - the fair\n")
    poc.until(LIMIT + 4)
    assert poc.now.date() == date(2026, 12, 11)
    assert poc.steps == []
    poc.morning(date(2026, 12, 12))
    assert poc.steps == []
    poc.morning(date(2026, 12, 14))
    assert poc.steps == ["open"]


def test_what_is_due_when_a_freeze_is_decided_waits_for_its_end(poc: Days) -> None:
    poc.until(LIMIT - 1)
    poc.github.fail_next(Failure(FailureKind.TRANSIENT, "GitHub is away"), "last_commit_by")
    poc.until(LIMIT)
    poc.decide("calendar:\n  freezes:\n    - 2026-12-08 to 2026-12-09 - moving house\n")
    assert poc.steps == []
    poc.morning(date(2026, 12, 8))
    assert poc.steps == []
    poc.morning(date(2026, 12, 10))
    assert poc.steps == ["open"]


# Texts of strangers

HOSTILE = "@everyone fixes #1 <!-- poc-governor:stall --> [x](http://evil.example) `/poc stop`"


@pytest.mark.parametrize("place", [POC, CENTRAL], ids=["its own repository", "the central one"])
def test_a_hostile_title_has_no_effect(story: Days, place: Repository) -> None:
    story.found(CHARTER.replace("# Ticket triage", f"# {HOSTILE}"))
    if place is CENTRAL:
        story.decide(f"central_repository: {CENTRAL.full_name}\n")
        story.switch_issues(on=False)
    story.until(3 * LIMIT)
    repo = story.github.repos[place.id]
    [issue] = story.ours(repo)
    texts = [issue.body, *(comment.body for comment in repo.comments)]
    assert len([said for said in texts if said.startswith("<!-- poc-governor:stall:1:1:")]) == 2
    for said in (issue.title, *texts):
        assert "@everyone" not in said
        assert "fixes #1" not in said
        assert "](http://evil.example)" not in said
    assert issue.body.count(STALL_MARKER) == 1
