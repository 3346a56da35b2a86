"""Happenings and the facts that they are recorded as."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.values import activity
from service.rules.values.activity import Activity, ActivityKind
from service.rules.values.github import EventKind, EventRecord, is_bot

AT = datetime(2026, 11, 20, 10, 15, 30, tzinfo=UTC)
ONE_OF_EACH = [
    activity.commit(1, "c" * 40, "jane-doe", AT),
    activity.charter(1, "c" * 40, "jane-doe", AT),
    activity.opened(1, 7, "jane-doe", AT),
    activity.offered_again(1, 7, "jane-doe", AT),
    activity.drafted(1, 7, "jane-doe", AT),
    activity.merged(1, 7, "jane-doe", AT),
    activity.reviewed(1, 7, 70011, "alice-k", AT),
    activity.requested(1, 7, "alice-k", "jane-doe", AT),
    activity.requested(1, 7, "alice-k", "jane-doe", AT, taken_back=True),
    activity.requested(1, 7, activity.team("acme/poc-triage", "security"), "jane-doe", AT),
    activity.deployed(1, "support-prod", "c" * 40, "jane-doe", AT),
    activity.measured(1, "c" * 40, 7, "jane-doe", AT),
    activity.signed(1, "review:70011", 7, "alice-k", AT),
]


@pytest.mark.parametrize("happening", ONE_OF_EACH, ids=lambda each: each.id)
def test_what_was_recorded_is_read_as_it_happened(happening: Activity) -> None:
    [fact] = activity.facts_of(1, happening)
    assert activity.happening_of(fact) == happening
    assert fact.subject == "repository:1"


def test_no_two_deeds_share_an_id() -> None:
    ids = [each.id for each in ONE_OF_EACH]
    assert len(set(ids)) == len(ids)


@given(
    st.builds(
        Activity,
        id=st.text(),
        at=st.datetimes(timezones=st.just(UTC)),
        actor=st.text(min_size=1).filter(lambda login: not is_bot(login)),
        deed=st.sampled_from(ActivityKind),
        number=st.none() | st.integers(),
        asked=st.text(),
        taken_back=st.booleans(),
    )
)
def test_whatever_happens_is_read_as_it_happened(happening: Activity) -> None:
    [fact] = activity.facts_of(1, happening)
    assert activity.happening_of(fact) == happening
    assert fact.detail.isascii()


@pytest.mark.parametrize("actor", ["", "renovate[bot]", "Dependabot[Bot]"])
def test_a_bot_does_nothing_but_ask_and_draft(actor: str) -> None:
    assert activity.facts_of(1, activity.commit(1, "c" * 40, actor, AT)) == ()
    assert activity.facts_of(1, activity.merged(1, 7, actor, AT)) == ()
    told = activity.facts_of(
        1, activity.requested(1, 7, "alice-k", actor, AT), activity.drafted(1, 7, actor, AT)
    )
    assert [fact.actor for fact in told] == ["", ""]


@pytest.mark.parametrize("detail", ["", "commit"])
def test_what_was_recorded_without_a_deed_was_a_commit(detail: str) -> None:
    fact = EventRecord("1:push", "repository:1", EventKind.ACTIVITY, AT, "jane-doe", detail)
    assert activity.happening_of(fact) == Activity("1:push", AT, "jane-doe", ActivityKind.COMMIT)


@pytest.mark.parametrize(
    ("message", "merge"),
    [
        ("Merge branch 'main' into charter", True),
        ("Merge branches 'a' and 'b'", True),
        ("Merge remote-tracking branch 'origin/main'", True),
        ("Merge pull request #7 from acme/charter\n\nCharter", True),
        ("Merge tag 'v1'", True),
        ("Merge commit '59b20b8'", True),
        ("Merge the two scorers", False),
        ("Merges branch names", False),
        ("Work\n\nMerge branch 'main'", False),
        ("", False),
    ],
)
def test_a_commit_that_takes_in_another_branch(message: str, merge: bool) -> None:
    assert activity.is_merge(message) is merge


def test_a_deployment_of_the_same_commit_to_the_same_place_is_no_news() -> None:
    again = activity.deployed(1, "Support-Prod", "c" * 40, "jane-doe", AT + timedelta(days=1))
    assert again.id == activity.deployed(1, "support-prod", "c" * 40, "alice-k", AT).id
    assert again.id != activity.deployed(1, "staging", "c" * 40, "alice-k", AT).id
