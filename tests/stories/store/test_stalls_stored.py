"""What a stall is decided by: read for many POCs with as many questions as for one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, event

from service.rules.gate.lifecycle import State
from service.rules.stall.waiting_on import Party, PausePeriod, WaitingOn, Wants
from service.rules.values import activity
from service.rules.values.actions import EscalationRecord
from service.rules.values.activity import Activity
from service.rules.values.github import Issue, IssueState, RepositoryRef
from service.store.database import Database
from service.store.poc_records import StoredStall
from service.store.pocs import StoredPoc
from service.store.store import Store
from tests.harness.github import repository
from tests.harness.pocs import poc_id_of

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
POC, OTHER, CENTRAL, UNKNOWN = 9001, 9002, 9003, 9004


def at(hour: int) -> datetime:
    return NOW + timedelta(hours=hour)


@pytest.fixture
def records(engine: Engine) -> Store:
    return Store(Database(engine))


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements that are executed meanwhile."""
    statements: list[str] = []

    def note(*said: object) -> None:
        statements.append(str(said[2]))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_the_last_of_everything_is_read(records: Store) -> None:
    records.repositories.listed(7, [repository(CENTRAL, full_name="acme/central")])
    poc_id = poc_id_of(records, POC)
    records.pocs.change(poc_id, state=str(State.BUILDING), state_since=NOW)
    owner = WaitingOn(Party.OWNER, Wants.WORK, at(0), ("jane-doe",))
    reviewer = WaitingOn(Party.REVIEWER, Wants.REVIEW, at(1), ("bob-m",), None, 12)
    for waiting_on in (owner, reviewer):
        records.waiting.passed(poc_id, waiting_on)
    longest = PausePeriod(date(2026, 11, 2), date(2026, 12, 24), "the vendor")
    for number, rest in enumerate(
        (longest, PausePeriod(date(2026, 11, 20), date(2026, 11, 30), "a holiday"))
    ):
        records.waiting.rested(poc_id, f"comment:{number}:0", rest, actor="jane-doe", at=NOW)
    escalation = EscalationRecord(2, 1, reopened=False)
    records.stall_issues.begin(poc_id, 7, NOW.date(), 5, home_repository_id=CENTRAL, escalation=escalation)
    issue = Issue(4, IssueState.OPEN, (), "", NOW, "https://github.test/acme/central/issues/4")
    records.stall_issues.opened(poc_id, issue, "digest", escalation, assignee="bob-m")
    records.pocs.change(poc_id_of(records, OTHER), state=str(State.SHIPPED), state_since=NOW)

    stored = records.poc_records.stalls([OTHER, POC, UNKNOWN])

    assert (stored[POC].standing.state, stored[POC].turn, stored[POC].rest) == (
        State.BUILDING,
        reviewer,
        longest,
    )
    assert stored[POC].issue == records.stall_issues.find(poc_id)
    found = stored[POC].issue
    assert found is not None
    assert (found.number, found.home, found.episode, found.assignee) == (
        4,
        RepositoryRef(CENTRAL, "acme/central"),
        2,
        "bob-m",
    )
    assert stored[OTHER] == StoredStall(StoredPoc(State.SHIPPED, state_since=NOW))
    assert stored[UNKNOWN] == StoredStall(StoredPoc())


DEEDS: tuple[Activity, ...] = (
    activity.commit(POC, "a", "jane-doe", at(1)),
    activity.merged(POC, 7, "Jane-Doe", at(4)),
    activity.reviewed(POC, 7, 1, "alice-k", at(6)),
    activity.requested(POC, 7, "bob-m", "", at(7)),
)


@pytest.mark.parametrize(
    ("people", "hours"),
    [
        pytest.param(["jane-doe"], 4, id="one person"),
        pytest.param(["JANE-DOE"], 4, id="logins have no case"),
        pytest.param(["jane-doe", "alice-k"], 6, id="of two the later"),
        pytest.param(["nobody"], None, id="somebody who did nothing"),
        pytest.param([], None, id="no one"),
        pytest.param([""], None, id="a bot's request is nobody's deed"),
    ],
)
def test_when_one_of_some_people_last_acted(records: Store, people: list[str], hours: int | None) -> None:
    records.timeline.remember(POC, DEEDS)
    records.timeline.remember(OTHER, [activity.commit(OTHER, "b", "jane-doe", at(9))])
    stored = records.poc_records.stalls([POC])[POC]
    assert stored.acted_at(people) == (None if hours is None else at(hours))
    assert stored.activity_at == at(6)


def test_a_hundred_pocs_take_as_many_questions_as_one(records: Store, engine: Engine) -> None:
    asked = []
    for ids in ([POC], range(POC, POC + 100)):
        with counted(engine) as statements:
            assert len(records.poc_records.stalls(list(ids))) == len(ids)
        asked.append(len(statements))
    assert asked == [5, 5]
