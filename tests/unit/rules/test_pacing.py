"""When the next content write may go out: within GitHub's limits, and no later than needed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.rules import queue as rate_limits
from service.rules.queue import APART, LIMITS, MARGIN, next_slot

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TICK = timedelta(milliseconds=500)
FEW = ((3, timedelta(seconds=6)), (5, timedelta(seconds=20)))
"""Limits that a short list reaches, both of them."""


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def every(seconds: float, times: int, start: float = 0) -> list[datetime]:
    return [at(start + n * seconds) for n in range(times)]


def keeps(moments: Sequence[datetime], limits: Sequence[tuple[int, timedelta]] = LIMITS) -> bool:
    """Whether moments are far enough apart, and every window that slides over them holds few enough."""
    moments = sorted(moments)
    apart = all(later - earlier >= APART for earlier, later in pairwise(moments))
    return apart and all(
        sum(begin <= moment < begin + within for moment in moments) <= most
        for begin in moments
        for most, within in limits
    )


@pytest.mark.parametrize(
    ("taken", "planned", "now", "expected"),
    [
        pytest.param([], [], 0, 0, id="the first goes out at once"),
        pytest.param([at(0)], [], 0, 1, id="the second a second later"),
        pytest.param([at(0)], [], 0.4, 1, id="that second is counted from the first"),
        pytest.param([at(0)], [], 1, 1, id="after a second it need not wait"),
        pytest.param([at(0), at(2)], [], 0.5, 1, id="between two of them there is room"),
        pytest.param([at(0), at(1.9)], [], 0.5, 2.9, id="or too little"),
        pytest.param([at(3)], [], 2.5, 4, id="one that another machine's clock made in the future"),
        pytest.param(
            every(0.5, 80), [], 40, 60, id="eighty in a minute, and the next a minute after the first"
        ),
        pytest.param(every(0.5, 79), [], 40, 40, id="seventy-nine leave room for one"),
        pytest.param(
            every(1, 500), [], 500, 3600, id="five hundred in an hour, and the next an hour after the first"
        ),
        pytest.param(every(1, 499), [], 500, 500, id="four hundred and ninety-nine leave room for one"),
        pytest.param(every(1, 500), [], 3599, 3600, id="until that hour is over"),
        pytest.param(every(1, 500), [], 3600, 3600, id="and not longer"),
        pytest.param([], [at(5)], 0, 0, id="well before one that is planned there is room"),
        pytest.param([], [at(5)], 2.5, 8, id="close to it there is none on either side"),
        pytest.param([], [at(-1)], 0, 2, id="one whose moment has come may still be on its way"),
        pytest.param([], every(3, 200), 0, 600, id="those that are planned stand in line"),
        pytest.param([], every(3, 500), 0, 3602, id="an hour that is planned full is left with a margin"),
    ],
)
def test_the_next_slot(taken: list[datetime], planned: list[datetime], now: float, expected: float) -> None:
    assert next_slot(taken, at(now), planned) == at(expected)


def test_six_hundred_at_one_moment_take_a_little_more_than_an_hour() -> None:
    taken: list[datetime] = []
    for _ in range(600):
        taken.append(next_slot(taken, NOW))
    assert taken == [*every(1, 500), *every(1, 100, start=3600)]
    planned: list[datetime] = []
    for _ in range(600):
        planned.append(next_slot([], NOW, planned))
    assert keeps(planned)
    assert planned[-1] - NOW < timedelta(minutes=66)


_ticks = st.integers(0, 60)


@given(waits=st.lists(st.integers(0, 30), max_size=25), back=st.lists(_ticks, max_size=25))
@settings(max_examples=300)
def test_whatever_is_asked_when_no_window_holds_too_many_and_nobody_waits_for_nothing(
    waits: list[int], back: list[int]
) -> None:
    taken: list[datetime] = []
    now = NOW
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rate_limits, "LIMITS", FEW)
        for wait, ahead in zip(waits, back, strict=False):
            # Some ask for a later time than those who come after them.
            now += TICK * wait
            asked = now + TICK * ahead
            slot = next_slot(taken, asked)
            assert slot >= asked
            assert keeps([*taken, slot], FEW)
            sooner = (asked + TICK * n for n in range(int((slot - asked) / TICK)))
            assert [moment for moment in sooner if keeps([*taken, moment], FEW)] == []
            taken.append(slot)


@given(
    taken=st.lists(_ticks, unique=True, max_size=12),
    asked=st.lists(_ticks, min_size=1, max_size=12),
    late=st.lists(st.floats(0, 1), min_size=12, max_size=12),
)
@settings(max_examples=300)
def test_plans_hold_though_each_write_comes_late_by_any_part_of_the_margin(
    taken: list[int], asked: list[int], late: list[float]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rate_limits, "LIMITS", FEW)
        made: list[datetime] = []
        for tick in sorted(taken):
            made.append(next_slot(made, NOW - TICK * 70 + TICK * tick))
        planned: list[datetime] = []
        for tick in asked:
            planned.append(next_slot(made, NOW + TICK * tick, planned))
        came = [moment + MARGIN * part for moment, part in zip(planned, late, strict=False)]
        assert keeps([*made, *came], FEW)
