"""The weekly digest: when, to whom, how often, and what becomes of it where a place does not take it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.ports import GitHubError
from service.reconcile.digest import DIGEST_LABEL
from service.rules.digest.edition import Channel, in_the_way
from service.rules.queue import Failure, FailureKind
from service.rules.stall.stalls import Cause
from service.rules.stall.waiting_on import Party, WaitingOn, Wants
from service.rules.values import activity
from service.rules.values.github import IssueState, PullRequest
from service.rules.values.subjects import digest_key, installation_key, slack_key
from service.store import subjects
from service.store.database import transaction
from tests.harness.github import NOW, FakeRepository, repository
from tests.harness.org import HOME, Org
from tests.harness.pocs import poc_id_of
from tests.harness.snapshots import Snapshots
from tests.harness.world import BASE, HEAD, INSTALLATION, LOST, NO

DAY, WEEK = timedelta(days=1), timedelta(days=7)
CENTRAL = replace(repository(91, full_name="acme/portfolio", topics=["not-a-poc"]), private=True)
OTHER = repository(92, full_name="acme/other", topics=["not-a-poc"])
CENTRALLY = "policy: 1\ncentral_repository: acme/portfolio\n"
FROZEN = CENTRALLY + "calendar:\n  freezes: [2026-11-23, 2026-11-30]\n"
NOT_THERE = Failure(FailureKind.REFUSED, "Slack says 404, no_service: set SLACK_WEBHOOK_URL")
AWAY = Failure(FailureKind.TRANSIENT, "Slack isn't reachable at SLACK_WEBHOOK_URL")


class Announced:
    """Where a digest is announced, with failures on demand."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.failure: Failure | None = None
        self.dies = False

    def announce(self, text: str) -> None:
        if self.dies:
            raise KeyboardInterrupt
        if self.failure:
            raise GitHubError(self.failure)
        self.texts.append(text)


class Told(Org):
    """An organisation that is told of its weeks."""

    def __init__(self, database_url: str) -> None:
        self.slack = Announced()
        super().__init__(database_url)

    def open(self, database_url: str) -> None:
        super().open(database_url)
        self.services = replace(self.services, announcer=self.slack)

    @property
    def central(self) -> FakeRepository:
        return self.github.repos[CENTRAL.id]

    @property
    def comments(self) -> list[str]:
        return [comment.body for comment in self.central.comments]

    @property
    def editions(self) -> dict[Channel, Any]:
        find = self.services.store.digests.find
        return {each: find(INSTALLATION, each, "2026-W48") for each in Channel}

    def tell(self, *, waited: bool = True) -> None:
        """What the hourly sweep does about the digests; whoever waits has waited long enough."""
        with transaction(self.services.engine) as session:
            subjects.mark(session, [digest_key(INSTALLATION), slack_key(INSTALLATION)])
        self.work(waited=waited)

    def begin_poc(self, number: int) -> None:
        """Another POC is registered, which is news."""
        found = repository(number, full_name=f"acme/poc-{number}", pushed_at=self.now, updated_at=self.now)
        self.github.add(found).write(None, "main")
        stub = {"id": found.id, "full_name": found.full_name}
        self.deliver("installation_repositories", action="added", repositories_added=[stub])
        self.work()

    def relist(self) -> None:
        """GitHub's list of repositories is read again."""
        with transaction(self.services.engine) as session:
            subjects.mark(session, [installation_key(INSTALLATION)])
        self.work()

    def heard(self, number: int) -> tuple[int, int]:
        """How often a POC was told as new in the central repository, and in Slack."""
        name = f"acme/poc-{number}"
        texts = (self.comments, self.slack.texts)
        return tuple(sum(name in each.partition("New: ")[2] for each in told) for told in texts)  # type: ignore[return-value]


def begun(made: Told) -> None:
    """An organisation with a central repository, Slack, and a POC that was begun on a Friday."""
    for found in (HOME, CENTRAL, OTHER):
        made.github.add(found)
    made.write_policy(CENTRALLY)
    made.now = NOW - 3 * DAY
    made.install(HOME, CENTRAL, OTHER)
    made.begin_poc(1)
    made.now = NOW


@pytest.fixture
def org(snapshots: Snapshots) -> Iterator[Told]:
    with snapshots.of(Told, begun) as made:
        yield made


@pytest.mark.parametrize(("state", "named"), [("open", True), ("closed", False), ("merged", False)])
def test_nobody_is_named_for_a_pull_request_that_was_closed_untold(
    org: Told, state: str, named: bool
) -> None:
    pull = PullRequest(1, 5, HEAD, "main", BASE, "jane-doe", "open", NOW - 9 * DAY)
    asked = WaitingOn(Party.REVIEWER, Wants.REVIEW, NOW - 9 * DAY, ("bob-m",), number=5)
    store, poc = org.services.store, poc_id_of(org.services.store, 1)
    store.pull_requests.remember([pull])
    store.waiting.passed(poc, asked)
    store.pocs.change(poc, stalled_since=NOW.date() - 5 * DAY, stall_cause=str(Cause.SILENT))
    org.github.repos[1].pull_requests = [replace(pull, state=state, updated_at=NOW - DAY)]
    org.tell()
    assert sum("bob-m" in each for each in (*org.comments, *org.slack.texts)) == (2 if named else 0)


# Once a week, to both


def test_once_a_week_to_the_central_issue_and_to_slack(org: Told) -> None:
    org.sweep()
    org.sweep()
    (issue,) = org.central.issues.values()
    assert issue.labels == (DIGEST_LABEL,)
    assert org.heard(1) == (1, 1)
    assert len(org.comments) == len(org.slack.texts) == 1
    org.begin_poc(2)
    org.now = NOW + WEEK
    org.sweep()
    assert len(org.central.issues) == 1
    assert len(org.comments) == len(org.slack.texts) == 2
    assert (org.heard(1), org.heard(2)) == ((1, 1), (1, 1))


@pytest.mark.parametrize(
    ("days", "policy", "said"),
    [
        pytest.param([-1, 0, 1, 4], CENTRALLY, [0], id="on Monday, and on no other day of the week"),
        pytest.param([-1, 0, 1, 2], FROZEN, [1], id="Monday is off: on Tuesday"),
        pytest.param([2, 3], CENTRALLY, [2], id="nobody looked before Wednesday"),
        pytest.param([-2, -1, 5, 6], CENTRALLY, [], id="never on a weekend"),
        pytest.param([0, 1, 7, 8], FROZEN, [1, 8], id="a week later it is Tuesday again"),
    ],
)
def test_on_the_first_working_day(org: Told, days: list[int], policy: str, said: list[int]) -> None:
    org.push_policy(policy)
    told = []
    for day in days:
        org.now = NOW + day * DAY
        org.begin_poc(10 + day)
        before = len(org.comments), len(org.slack.texts)
        org.tell()
        after = len(org.comments), len(org.slack.texts)
        assert after in (before, (before[0] + 1, before[1] + 1))
        told += [day] if after != before else []
    assert told == said


def test_observing_says_what_enforcing_would_have_done(org: Told) -> None:
    org.push_policy(CENTRALLY + "mode: observe\n")
    org.pull_request()
    org.tell()
    [said] = [text for text in (*org.comments, *org.slack.texts) if "Nothing is held up" in text][:1]
    assert "POC Governor has been observing since 23 November 2026" in said
    assert "Enforcing would have held 1 of 1 commit of the last seven calendar days" in said
    assert "1 rule causes 100 %: no-charter." in said


def test_a_day_that_has_passed_asks_for_a_decision_and_changes_nothing(org: Told) -> None:
    late = 'mode: enforce\nobserve:\n  names: ["lab-*"]\n  until: 2026-11-01\n'
    org.push_policy(CENTRALLY + late)
    org.tell()
    told = "\n".join([*org.comments, *org.slack.texts])
    assert "the policy's `until: 2026-11-01` has passed, and nothing changes by itself" in told
    assert "Nothing is held up" not in told


def test_a_suspended_installation_is_told_nothing(org: Told) -> None:
    known = replace(org.app.installations[INSTALLATION], suspended_at=NOW)
    org.services.store.installations.remember(known)
    org.tell()
    assert org.comments == org.slack.texts == []


def test_a_dry_run_composes_nothing(org: Told) -> None:
    said = org.dry_run()
    assert said[digest_key(INSTALLATION)] == ["open issue 'POCs, week by week' (digest)"]
    assert said[slack_key(INSTALLATION)] == [f"announce slack:{INSTALLATION}:2026-W48"]
    assert org.editions == {Channel.CENTRAL: None, Channel.SLACK: None}


def test_another_central_repository_is_not_told_of_the_same_week(org: Told) -> None:
    org.tell()
    org.push_policy(CENTRALLY.replace("portfolio", "other"))
    org.tell()
    assert org.github.repos[OTHER.id].issues == {}
    org.now += WEEK
    org.begin_poc(2)
    org.tell()
    (comment,) = org.github.repos[OTHER.id].comments
    assert "acme/poc-2" in comment.body
    assert "acme/poc-1]" not in comment.body


# The window


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(0, 7, id="Monday to Monday"),
        pytest.param(0, 8, id="a Monday off: eight days, nothing is lost"),
        pytest.param(2, 7, id="a late one: five days, nothing twice"),
        pytest.param(0, 21, id="the service was away for two weeks"),
    ],
)
def test_each_thing_is_told_once_however_far_two_digests_lie_apart(
    org: Told, first: int, second: int
) -> None:
    moments: list[tuple[timedelta, int]] = [
        (first * DAY - timedelta(hours=5), 2),
        (first * DAY, 0),
        (first * DAY + timedelta(hours=1), 3),
        (second * DAY - timedelta(hours=1), 4),
        (second * DAY, 0),
        (second * DAY + WEEK, 0),
    ]
    for at, number in moments:
        org.now = NOW + at
        if number:
            org.begin_poc(number)
        else:
            org.tell()
    assert [org.heard(number) for number in (2, 3, 4)] == [(1, 1)] * 3


def test_a_quiet_week_is_skipped_and_covered_by_the_next(org: Told) -> None:
    org.tell()
    org.now = NOW + WEEK
    org.tell()
    assert org.outcome(digest_key(INSTALLATION)) == "nothing to report for 2026-W49"
    org.now += DAY
    org.begin_poc(2)
    org.tell()
    assert len(org.comments) == len(org.slack.texts) == 1
    org.now = NOW + 2 * WEEK
    org.tell()
    assert len(org.comments) == len(org.slack.texts) == 2
    assert (org.heard(1), org.heard(2)) == ((1, 1), (1, 1))


@pytest.mark.parametrize("done", [True, False], ids=["its answer was lost", "it did not arrive"])
def test_a_look_that_was_cut_short_says_the_same_later(org: Told, done: bool) -> None:
    org.github.fail_next(LOST, "post_comment", done=done)
    org.slack.failure = AWAY
    org.tell()
    org.now += DAY
    org.begin_poc(2)
    org.slack.failure = None
    org.tell()
    assert len(org.comments) == len(org.slack.texts) == 1
    assert "acme/poc-1" in org.comments[0]
    assert (org.heard(1), org.heard(2)) == ((1, 1), (0, 0))
    org.now = NOW + WEEK
    org.tell()
    assert (org.heard(1), org.heard(2)) == ((1, 1), (1, 1))


def test_what_waits_over_the_weekend_is_not_said_on_it(org: Told) -> None:
    org.now = NOW + 4 * DAY
    org.begin_poc(2)
    org.now += timedelta(hours=1)
    org.github.fail_next(LOST, "post_comment")
    org.slack.failure = AWAY
    org.tell()
    org.slack.failure = None
    for _ in range(2):
        org.now += DAY
        org.tell()
    assert org.comments == org.slack.texts == []
    org.now += DAY
    org.tell()
    assert org.heard(2) == (1, 1)


def test_a_place_that_was_away_for_a_week_hears_of_both_and_the_other_of_one(org: Told) -> None:
    org.slack.failure = NOT_THERE
    org.tell()
    org.now = NOW + WEEK
    org.begin_poc(2)
    org.slack.failure = None
    org.tell()
    assert (len(org.comments), len(org.slack.texts)) == (2, 1)
    assert (org.heard(1), org.heard(2)) == ((1, 1), (1, 1))


def test_what_stopped_waiting_is_told_once(org: Told) -> None:
    records, stalled_on = org.services.store, (NOW - 5 * DAY).date()
    records.pocs.change(poc_id_of(records, 1), stalled_since=stalled_on, stall_cause="no charter")
    org.tell()
    org.now = NOW + 2 * DAY
    org.push("src/app.py", found=org.github.repos[1].described)
    records.timeline.remember(1, [activity.seen_commit(1, "jane-doe", org.now)])
    for weeks in (1, 2):
        org.now = NOW + weeks * WEEK
        records.pocs.change(poc_id_of(records, 1), stalled_since=None, stall_cause=None)
        org.tell()
    assert ["Moves again" in each for each in org.comments] == [False, True]
    assert ["Moves again" in each for each in org.slack.texts] == [False, True]


# Slack


def test_slack_that_is_busy_is_waited_for_and_github_is_not(org: Told) -> None:
    until = NOW + timedelta(seconds=90)
    org.slack.failure = Failure(FailureKind.RATE_LIMITED, "Slack says 429", until)
    org.tell()
    waits = org.state(slack_key(INSTALLATION)).waits_until
    assert waits is not None
    assert until <= waits <= until + timedelta(seconds=30)
    assert len(org.comments) == 1
    known = org.services.store.installations.find(INSTALLATION)
    assert known is not None
    assert known.rate_limited_until is None
    assert org.services.store.digests.untold() == ()


@pytest.mark.parametrize("failure", [NOT_THERE, AWAY], ids=["refused", "away"])
def test_slack_that_does_not_take_it_is_known_and_keeps_nobody_waiting(org: Told, failure: Failure) -> None:
    org.slack.failure = failure
    org.tell()
    assert len(org.comments) == 1
    assert org.state(slack_key(INSTALLATION)).dead is (failure is NOT_THERE)
    (untold,) = org.services.store.digests.untold()
    assert (untold.channel, untold.week, untold.account) == (Channel.SLACK, "2026-W48", "acme")
    assert untold.reason == failure.message
    org.slack.failure = None
    org.tell()
    assert len(org.slack.texts) == 1
    assert org.services.store.digests.untold() == ()


def test_what_slack_may_have_heard_is_not_repeated(org: Told) -> None:
    org.slack.dies = True
    with pytest.raises(KeyboardInterrupt):
        org.tell()
    org.slack.dies = False
    org.tell()
    assert org.slack.texts == []
    org.now += WEEK
    org.begin_poc(2)
    org.tell()
    assert "acme/poc-2" in org.slack.texts[0]
    assert "|acme/poc-1>" not in org.slack.texts[0]


# The central repository


@pytest.mark.parametrize("failure", [NO, LOST], ids=["refused: it is locked", "away"])
def test_a_central_issue_that_takes_nothing_keeps_slack_from_nothing(org: Told, failure: Failure) -> None:
    for _ in range(9):
        org.github.fail_next(failure, "post_comment")
    org.tell()
    assert org.comments == []
    assert len(org.slack.texts) == 1


def test_a_locked_issue_fails_no_look_and_is_known_until_it_is_unlocked(org: Told) -> None:
    org.github.fail_next(NO, "post_comment")
    org.tell()
    state = org.state(digest_key(INSTALLATION))
    assert (state.dirty, state.dead) == (False, False)
    (untold,) = org.services.store.digests.untold()
    assert (untold.channel, untold.repository, untold.reason) == (
        Channel.CENTRAL,
        "acme/portfolio",
        NO.message,
    )
    org.now += WEEK
    org.begin_poc(2)
    org.tell()
    assert (org.heard(1), org.heard(2)) == ((1, 1), (1, 1))
    assert org.services.store.digests.untold() == ()


def test_an_issue_that_may_not_be_opened_is_tried_once_a_look(org: Told) -> None:
    for _ in range(9):
        org.github.fail_next(NO, "open_issue")
    org.tell()
    assert len(org.github.made("open_issue")) == 1
    (untold,) = org.services.store.digests.untold()
    assert untold.reason == NO.message


def test_an_issue_that_was_deleted_gets_a_successor_with_the_next_digest(org: Told) -> None:
    org.tell()
    org.central.issues[1] = replace(org.central.issues[1], state=IssueState.GONE, labels=())
    org.now += WEEK
    org.begin_poc(2)
    org.tell()
    assert sorted(org.central.issues) == [1, 2]
    assert [comment.number for comment in org.central.comments] == [1, 2]
    assert org.heard(1) == org.heard(2) == (1, 1)


def test_an_issue_that_was_transferred_gets_a_successor_where_the_policy_says(org: Told) -> None:
    org.tell()
    org.central.issues[1] = replace(org.central.issues[1], full_name="acme/other")
    org.now += WEEK
    org.begin_poc(2)
    org.tell()
    assert [comment.number for comment in org.central.comments] == [1, 2]


def test_an_issue_that_people_closed_is_commented_on_all_the_same(org: Told) -> None:
    org.tell()
    org.central.issues[1] = replace(org.central.issues[1], state=IssueState.CLOSED)
    org.now += WEEK
    org.begin_poc(2)
    org.tell()
    assert [comment.number for comment in org.central.comments] == [1, 1]
    assert org.central.issues[1].state is IssueState.CLOSED


def test_issues_that_are_switched_off_for_a_while_come_back_with_the_same_one(org: Told) -> None:
    org.tell()
    shown = org.central.issues.pop(1)
    gone = Failure(FailureKind.GONE, "GitHub says 410")
    org.central.described = replace(org.central.described, has_issues=False)
    for method in ("issue", "post_comment"):
        org.github.fail_next(gone, method)
    org.now += WEEK
    org.begin_poc(2)
    org.now += DAY
    org.tell()
    org.central.described = replace(org.central.described, has_issues=True, updated_at=org.now)
    org.central.issues[1] = shown
    org.sweep()
    assert sorted(org.central.issues) == [1]
    assert org.heard(2) == (1, 1)


@pytest.mark.parametrize(
    ("policy", "changes", "says"),
    [
        pytest.param(CENTRALLY, {"archived": True}, "is archived", id="archived"),
        pytest.param(CENTRALLY, {"has_issues": False}, "has issues disabled", id="no issues"),
        pytest.param(
            CENTRALLY.replace("portfolio", "nowhere"), {}, "isn't covered by the installation", id="nowhere"
        ),
        pytest.param(CENTRALLY, {}, None, id="all is well"),
    ],
)
def test_a_central_repository_that_cannot_be_written_to(
    org: Told, policy: str, changes: dict[str, Any], says: str | None
) -> None:
    org.central.described = replace(org.central.described, updated_at=org.now, **changes)
    org.push_policy(policy)
    org.sweep()
    (central,) = org.services.store.digests.centrals()
    found = in_the_way(central)
    assert (found is None) is (says is None)
    if says is not None and found is not None:
        assert says in found
        assert central.full_name in found
        assert "poc-policy.yml" in found
    assert len(org.comments) == (says is None)
    assert len(org.slack.texts) == 1


def test_what_was_composed_for_a_private_repository_is_not_said_in_a_public_one(org: Told) -> None:
    secret = replace(org.github.repos[1].described, private=True, updated_at=org.now)
    org.github.repos[1].described = secret
    org.relist()
    org.github.fail_next(NO, "post_comment")
    org.tell()
    assert "acme/poc-1" in org.editions[Channel.CENTRAL].text
    org.central.described = replace(org.central.described, private=False, updated_at=org.now)
    org.sweep()
    (comment,) = org.comments
    assert "a private repository" in comment
    assert "acme/poc-1" not in comment
