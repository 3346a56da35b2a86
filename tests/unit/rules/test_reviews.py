"""Which reviews are waited for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.stall.review_requests import open_requests
from service.rules.stall.waiting_on import Request
from service.rules.values.activity import Activity, drafted, offered_again, opened, requested, reviewed

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TEAM = "acme/security"


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def open_at(minutes: int) -> Activity:
    return opened(1, 7, "jane-doe", at(minutes))


def ask(minutes: int, asked: str = "alice-k", number: int = 7) -> Activity:
    return requested(1, number, asked, "jane-doe", at(minutes))


def unask(minutes: int, asked: str = "alice-k") -> Activity:
    return requested(1, 7, asked, "jane-doe", at(minutes), taken_back=True)


def review(minutes: int, login: str = "alice-k", number: int = 7) -> Activity:
    return reviewed(1, number, minutes + 1000, login, at(minutes))


def draft(minutes: int) -> Activity:
    return drafted(1, 7, "jane-doe", at(minutes))


def ready(minutes: int) -> Activity:
    return offered_again(1, 7, "jane-doe", at(minutes))


def waits(minutes: int, asked: str = "alice-k") -> Request:
    return Request((asked,), at(minutes), 7)


CASES = [
    pytest.param([], [], id="nobody was asked"),
    pytest.param([ask(1)], [waits(1)], id="somebody was asked"),
    pytest.param([ask(1), review(2)], [], id="who reviewed is not waited for"),
    pytest.param([ask(1), review(2, "Alice-K")], [], id="logins have no case"),
    pytest.param([review(0), ask(1)], [waits(1)], id="a review before the request does not answer it"),
    pytest.param([ask(1), review(2, "dan-w")], [waits(1)], id="a review by another does not answer it"),
    pytest.param(
        [ask(1), review(2, number=8)], [waits(1)], id="a review of another pull request does not answer it"
    ),
    pytest.param([ask(1), review(2), ask(3)], [waits(3)], id="who is asked again is waited for from then on"),
    pytest.param([ask(1), ask(3)], [waits(3)], id="of two requests the last counts"),
    pytest.param([ask(1), unask(2)], [], id="a request that was removed is over"),
    pytest.param(
        [ask(1), unask(2, "dan-w")], [waits(1)], id="the removal of another's request changes nothing"
    ),
    pytest.param([ask(1), unask(2), ask(3)], [waits(3)], id="removed and asked again is open"),
    pytest.param(
        [ask(2), ask(1, "dan-w")], [waits(1, "dan-w"), waits(2)], id="the longest awaited comes first"
    ),
    pytest.param([ask(1, number=9)], [], id="a pull request that is not open waits for nobody"),
    pytest.param([ask(1, TEAM)], [waits(1, TEAM)], id="a team was asked"),
    pytest.param([ask(1, TEAM), review(2, "dan-w")], [], id="anybody answers for a team"),
    pytest.param(
        [ask(1, TEAM), review(2, "jane-doe")],
        [waits(1, TEAM)],
        id="who asked a team does not answer for it",
    ),
    pytest.param([ask(1, TEAM), unask(2, TEAM)], [], id="a team's request was removed"),
    pytest.param([open_at(0), draft(0), ask(1)], [], id="opened as a draft it waits for nobody"),
    pytest.param([open_at(0), ask(1), draft(2)], [], id="a draft waits for nobody"),
    pytest.param(
        [open_at(0), ask(1), draft(2), ready(3)], [waits(3)], id="a draft that is ready waits from then on"
    ),
    pytest.param(
        [open_at(0), draft(0), ready(3), ask(4)],
        [waits(4)],
        id="asked after it was ready it waits from then on",
    ),
    pytest.param([ask(1), draft(2), ready(3), draft(4)], [], id="a draft again waits for nobody"),
    pytest.param(
        [ask(1), draft(2), ready(3), ready(5)],
        [waits(3)],
        id="reopened while it was ready it waits as before",
    ),
    pytest.param([ask(1), draft(2), review(3), ready(4)], [], id="a review of a draft is a review"),
]


@pytest.mark.parametrize(("told", "expected"), CASES)
def test_who_is_waited_for(told: list[Activity], expected: list[Request]) -> None:
    assert list(waiting(told)) == expected


def waiting(told: list[Activity]) -> tuple[Request, ...]:
    happenings = [each for each in told if not each.taken_back]
    return open_requests(happenings, [each for each in told if each.taken_back], [7, 8])


MOMENTS = st.integers(0, 20)
PEOPLE = st.sampled_from(["alice-k", "dan-w", TEAM])
TOLD = st.lists(
    st.builds(ask, MOMENTS, PEOPLE)
    | st.builds(unask, MOMENTS, PEOPLE)
    | st.builds(review, MOMENTS, st.sampled_from(["alice-k", "dan-w", "jane-doe"]))
    | st.builds(draft, MOMENTS)
    | st.builds(ready, MOMENTS)
)


@given(TOLD, st.randoms())
def test_the_order_in_which_it_is_told_does_not_matter(told: list[Activity], random: Random) -> None:
    shuffled = random.sample(told, len(told))
    assert waiting(shuffled) == waiting(told)


@given(TOLD)
def test_nobody_is_waited_for_who_was_not_asked_or_from_before_that(told: list[Activity]) -> None:
    asked = {each.asked: each.at for each in told if each.asked and not each.taken_back}
    first = {name: min(e.at for e in told if e.asked == name and not e.taken_back) for name in asked}
    for request in waiting(told):
        [name] = request.people
        assert request.since >= first[name]


@given(TOLD)
def test_when_all_have_reviewed_nobody_is_waited_for(told: list[Activity]) -> None:
    assert waiting([*told, review(30), review(30, "dan-w")]) == ()
