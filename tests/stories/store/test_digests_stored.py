"""What a digest is made of, and what was told when, as it is stored."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from service.rules.digest.edition import Channel, ComposedDigest, DigestPlace
from service.rules.digest.week import LastDigest
from service.rules.gate.lifecycle import State
from service.rules.stall.waiting_on import Party, PausePeriod, WaitingOn, Wants
from service.rules.values import activity
from service.rules.values.actions import EscalationRecord
from service.rules.values.github import Installation, Issue, IssueState
from service.rules.values.groups import Group
from service.store.database import Database
from service.store.digests import Digests
from service.store.litter import delete_litter
from service.store.messages import MessageState
from service.store.store import Store
from tests.harness.github import repository
from tests.harness.pocs import poc_id_of

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DAY, TODAY = timedelta(days=1), date(2026, 11, 23)
URL = "https://github.com/acme/poc-1/issues/5"


@pytest.fixture
def records(engine: Engine) -> Store:
    made = Store(Database(engine))
    made.installations.remember(Installation(7, "acme", {}))
    return made


def place(channel: Channel, week: str) -> DigestPlace:
    return DigestPlace(channel, 91 if channel is Channel.CENTRAL else 0, f"{channel}:{week}", public=False)


def compose(
    records: Store, channel: Channel, week: int, *, text: str | None = "text", told: str = "begun:1"
) -> DigestPlace:
    at, where = NOW + week * 7 * DAY, place(channel, f"W{week}")
    records.digests.keep(7, ComposedDigest(f"W{week}", where, at, text, frozenset({told})))
    return where


def test_a_poc_as_a_digest_shows_it(records: Store) -> None:
    found = repository(1, full_name="acme/poc-1")
    records.repositories.listed(7, [found])
    records.repositories.register(
        1, "its name", None, declared=False, at=NOW - 30 * DAY, tell_pull_requests=False
    )
    poc_id = poc_id_of(records, 1)
    records.pocs.change(poc_id, state=str(State.EVALUATING), state_since=NOW - 9 * DAY)
    records.pocs.change(poc_id, stalled_since=date(2026, 11, 9), stall_cause="silent")
    waiting_on = WaitingOn(Party.SIGNER, Wants.SHIP_SIGNATURE, NOW - 20 * DAY, ("dan-w",), Group.SECURITY, 41)
    records.waiting.passed(poc_id, waiting_on)
    for ship_by in (date(2027, 1, 15), date(2027, 2, 26)):
        records.waiting.promised(poc_id, ship_by, NOW)
    records.timeline.remember(1, [activity.seen_commit(1, "jane-doe", NOW - 5 * DAY)])
    escalation = EscalationRecord(1, 2, reopened=False)
    records.stall_issues.begin(poc_id, 7, TODAY, 5, home_repository_id=None, escalation=escalation)
    shown = Issue(5, IssueState.OPEN, ("poc-stalled",), "", NOW, URL)
    records.stall_issues.opened(poc_id, shown, "digest", escalation, assignee=None)
    (line,) = records.digests.pocs(7, TODAY)
    assert (line.id, line.full_name, line.private, line.state) == (1, "acme/poc-1", False, State.EVALUATING)
    assert (line.stalled_since, line.rung, line.issue_url) == (date(2026, 11, 9), 2, URL)
    assert (line.waiting_on, line.ship_by, str(line.slips)) == (
        waiting_on,
        date(2027, 2, 26),
        "second date, +42 calendar days",
    )
    assert (line.acted_at, line.resting) == (NOW - 5 * DAY, False)
    records.stall_issues.became(poc_id, IssueState.CLOSED)
    records.waiting.rested(poc_id, "comment:1:0", PausePeriod(TODAY, TODAY, "why"), actor="jane-doe", at=NOW)
    (line,) = records.digests.pocs(7, TODAY)
    assert (line.rung, line.issue_url, line.resting) == (0, "", True)
    (line,) = records.digests.pocs(7, TODAY + DAY)
    assert not line.resting
    assert records.digests.pocs(8, TODAY) == ()


def test_an_edition_is_kept_as_it_was_composed(records: Store) -> None:
    assert records.digests.find(7, Channel.SLACK, "W0") is None
    where = compose(records, Channel.SLACK, 0)
    assert records.digests.find(7, Channel.SLACK, "W0") == ComposedDigest(
        "W0", where, NOW, "text", frozenset({"begun:1"})
    )
    assert records.digests.find(7, Channel.CENTRAL, "W0") is None
    assert records.digests.find(8, Channel.SLACK, "W0") is None


def test_the_last_that_was_told(records: Store) -> None:
    digests, week = records.digests, timedelta(days=7)
    assert digests.last_told(7, Channel.CENTRAL) is None
    first = compose(records, Channel.CENTRAL, 0)
    assert digests.last_told(7, Channel.CENTRAL) == LastDigest(NOW - week)
    records.messages.begin(*first.message)
    assert digests.last_told(7, Channel.CENTRAL) == LastDigest(NOW - week)
    records.messages.said(*first.message, 1, 99)
    heard = LastDigest(NOW, frozenset({"begun:1"}))
    assert digests.last_told(7, Channel.CENTRAL) == heard
    compose(records, Channel.CENTRAL, 1, text=None)
    refused = compose(records, Channel.CENTRAL, 2)
    records.messages.begin(*refused.message)
    records.messages.refused(*refused.message, "no")
    assert digests.last_told(7, Channel.CENTRAL) == heard
    assert digests.last_told(7, Channel.SLACK) is None


def test_what_slack_may_have_heard_counts_as_told(records: Store) -> None:
    where = compose(records, Channel.SLACK, 0)
    records.messages.begin(*where.message)
    last = records.digests.last_told(7, Channel.SLACK)
    assert last is not None
    assert last.at == NOW
    records.messages.refused(*where.message, "no")
    assert records.digests.last_told(7, Channel.SLACK) == LastDigest(NOW - timedelta(days=7))


def test_what_was_refused_may_be_tried_again(records: Store) -> None:
    messages = records.messages
    assert messages.begin(1, "k") is MessageState.NEW
    messages.refused(1, "k", "no")
    assert not messages.was_begun(1, "k")
    assert not messages.was_said(1, "k")
    assert messages.begin(1, "k") is MessageState.NEW
    assert messages.was_begun(1, "k")
    assert messages.begin(1, "k") is MessageState.PENDING
    messages.said(1, "k", 5, 99)
    assert messages.begin(1, "k") is MessageState.SAID


def test_what_was_told_long_ago_is_deleted(engine: Engine, records: Store) -> None:
    for days in (80, 100):
        edition = ComposedDigest(
            f"W{days}", place(Channel.SLACK, "W"), datetime.now(UTC) - days * DAY, "text"
        )
        records.digests.keep(7, edition)
    delete_litter(engine)
    assert records.digests.find(7, Channel.SLACK, "W80") is not None
    assert records.digests.find(7, Channel.SLACK, "W100") is None


def test_a_digest_of_an_installation_that_is_gone_is_no_matter(engine: Engine, records: Store) -> None:
    where = compose(records, Channel.SLACK, 0)
    records.messages.begin(*where.message)
    records.messages.refused(*where.message, "no")
    (untold,) = Digests(Database(engine)).untold()
    assert (untold.account, untold.reason) == ("acme", "no")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE installation SET deleted_at = now()")
    assert Digests(Database(engine)).untold() == ()
