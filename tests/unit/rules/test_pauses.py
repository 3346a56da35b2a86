"""How much of a pause counts that nobody signed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.stall.stalls import LONGEST_PAUSE, unsigned_part
from service.rules.stall.waiting_on import PausePeriod

TODAY = date(2026, 11, 22)


def rest(first: int, until: int) -> PausePeriod:
    """Days from today, both ends included."""
    return PausePeriod(TODAY + timedelta(days=first), TODAY + timedelta(days=until), "money")


@pytest.mark.parametrize(
    ("pause", "earlier", "until"),
    [
        pytest.param(rest(0, 10), [], 10, id="short"),
        pytest.param(rest(0, 60), [], 60, id="60 days"),
        pytest.param(rest(0, 61), [], 60, id="61 days"),
        pytest.param(rest(0, 3650), [], 60, id="ten years"),
        pytest.param(rest(0, 30), [rest(-30, 0)], 30, id="renewed to 60 days"),
        pytest.param(rest(0, 60), [rest(-30, 0)], 30, id="renewed beyond 60 days"),
        pytest.param(rest(0, 60), [rest(-60, 0)], 0, id="renewed after 60 days"),
        pytest.param(rest(0, 60), [rest(-67, -7)], -7, id="renewed within a week"),
        pytest.param(rest(0, 60), [rest(-68, -8)], 60, id="again after more than a week"),
        pytest.param(rest(0, 60), [rest(-90, -40), rest(-40, -2)], -30, id="renewed twice"),
        pytest.param(rest(0, 60), [rest(-200, -100)], 60, id="long ago"),
    ],
)
def test_what_counts_of_a_pause(pause: PausePeriod, earlier: list[PausePeriod], until: int) -> None:
    assert unsigned_part(pause, earlier).until == TODAY + timedelta(days=until)


@given(st.integers(-5, 4000), st.lists(st.tuples(st.integers(-300, 0), st.integers(0, 100))))
def test_it_is_never_longer_than_was_asked_for_nor_than_sixty_days(
    until: int, earlier: list[tuple[int, int]]
) -> None:
    pause = rest(min(0, until), until)
    part = unsigned_part(pause, [rest(first, first + days) for first, days in earlier])
    assert part.until <= min(pause.until, pause.first + LONGEST_PAUSE)
    assert part.first <= part.until
