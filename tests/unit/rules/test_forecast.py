"""How long signatures took, and what that means for a ship date."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random

import pytest

from service.rules.stall.forecast import (
    Forecast,
    Outlook,
    PastTurn,
    Took,
    forecast,
    outlook,
)
from service.rules.stall.waiting_on import Wants
from service.rules.values.calendar import USUAL, Calendar, Freeze
from service.rules.values.groups import Group
from service.rules.values.subjects import PocId
from service.texts.stall import outlook_on_pull_request, outlook_text, record_lines

MONDAY = date(2026, 3, 2)
START, SHIP = Wants.START_SIGNATURE, Wants.SHIP_SIGNATURE
NOTHING_KNOWN = Forecast({}, None, None)


def turn(poc: int, first: int, days: int, group: Group = Group.SECURITY, wants: Wants = START) -> PastTurn:
    """A turn that begins some days after a Monday, and lasts some days of the calendar."""
    since = datetime.combine(MONDAY + timedelta(days=first), time(9), UTC)
    return PastTurn(PocId(poc), wants, group, since, since + timedelta(days=days))


def weeks(*lengths: int) -> list[PastTurn]:
    """One turn of each of some POCs, in weeks, which have five working days."""
    return [turn(poc, 0, 7 * length) for poc, length in enumerate(lengths)]


def test_four_turns_say_nothing() -> None:
    assert forecast(weeks(1, 2, 3, 4), USUAL) == NOTHING_KNOWN
    assert forecast([], USUAL) == NOTHING_KNOWN


def test_the_median_and_what_four_of_five_stay_within() -> None:
    found = forecast(weeks(1, 2, 3, 4, 9), USUAL)
    assert found.groups == {Group.SECURITY: Took(5, 15, 20)}
    assert found.start == Took(5, 15, 20)
    assert found.ship is None


def test_a_round_is_from_the_first_who_is_asked_to_the_last_who_signs() -> None:
    one_after_the_other = [
        each
        for poc in range(5)
        for each in (
            turn(poc, 0, 7, Group.DATA_SCIENCE),
            turn(poc, 7, 7, Group.PLATFORM),
            turn(poc, 21, 7, Group.SECURITY),  # the owner answered a review for a week
        )
    ]
    found = forecast(one_after_the_other, USUAL)
    assert found.start == Took(5, 20, 20)
    assert found.groups[Group.PLATFORM] == Took(5, 5, 5)


def test_signatures_that_are_asked_for_again_months_later_are_another_round() -> None:
    found = forecast([each for poc in range(5) for each in (turn(poc, 0, 7), turn(poc, 90, 14))], USUAL)
    assert found.start == Took(10, 10, 10)


def test_start_and_ship_are_counted_apart() -> None:
    found = forecast([*weeks(1, 1, 1, 1, 1), *(turn(n, 70, 14, wants=SHIP) for n in range(5))], USUAL)
    assert (found.start, found.ship) == (Took(5, 5, 5), Took(5, 10, 10))


def test_days_off_do_not_count() -> None:
    frozen = Calendar(freezes=(Freeze(MONDAY, MONDAY + timedelta(days=7)),))
    assert forecast(weeks(2, 2, 2, 2, 2), frozen).start == Took(5, 5, 5)


def test_the_order_of_the_turns_does_not_matter() -> None:
    turns = [turn(poc, 10 * n, 3 + n, group) for poc in range(6) for n, group in enumerate(Group)]
    shuffled = turns[:]
    Random(3).shuffle(shuffled)
    assert forecast(shuffled, USUAL) == forecast(turns, USUAL)


KNOWN = Forecast({Group.SECURITY: Took(9, 8, 20), Group.PRODUCT: Took(9, 3, 4)}, Took(9, 17, 31), None)


def out(left: int, slowest: Group | None, ship_by: date = date(2026, 3, 18)) -> Outlook:
    return Outlook(Took(9, 17, 31), left, ship_by, USUAL.take_working_days(ship_by, 17), slowest)


@pytest.mark.parametrize(
    ("ship_by", "missing", "expected"),
    [
        (date(2026, 3, 18), (Group.PRODUCT, Group.SECURITY), out(12, Group.SECURITY)),
        (date(2026, 3, 18), (Group.PRODUCT,), out(12, Group.PRODUCT)),
        (date(2026, 3, 18), (Group.PLATFORM,), out(12, None)),
        (date(2026, 2, 1), (Group.SECURITY,), out(0, Group.SECURITY, date(2026, 2, 1))),
        (None, (Group.SECURITY,), None),
        (date(2026, 3, 18), (), None),
    ],
    ids=["asks-the-slowest", "of-those-missing", "nobody-known", "date-passed", "no-date", "all-signed"],
)
def test_outlooks(ship_by: date | None, missing: Iterable[Group], expected: Outlook | None) -> None:
    assert outlook(KNOWN, tuple(missing), ship_by=ship_by, today=MONDAY, calendar=USUAL) == expected


def test_nothing_is_said_without_a_record() -> None:
    assert (
        outlook(NOTHING_KNOWN, (Group.SECURITY,), ship_by=date(2026, 5, 1), today=MONDAY, calendar=USUAL)
        is None
    )
    assert record_lines(NOTHING_KNOWN) == ()


SEVENTEEN = "The signatures to start took 17 working days here, 80 % within 31 (9 rounds so far)"
TIGHT = (
    "the last day to ask for the ship date, 18 March 2026, was 23 February 2026: "
    "ask security first, because it takes longest."
)
ONE = "The signatures to start took 1 working day here, 80 % within 2 (9 rounds so far)"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            out(12, Group.SECURITY),
            f"{SEVENTEEN}; the ship date leaves 12 working days: ask security now.",
        ),
        (
            replace(out(12, Group.SECURITY), took=Took(9, 1, 2)),
            f"{ONE}; the ship date leaves 12 working days.",
        ),
        (
            out(0, None),
            f"{SEVENTEEN}; no working day is left before the ship date.",
        ),
    ],
    ids=["tight", "enough", "nobody-known"],
)
def test_sentences(found: Outlook, said: str) -> None:
    assert outlook_text(found) == said


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            out(12, Group.SECURITY),
            f"{SEVENTEEN}; {TIGHT}",
        ),
        (
            out(40, None, date(2026, 4, 27)),
            f"{SEVENTEEN}; to have them by the ship date, 27 April 2026, ask by 2 April 2026.",
        ),
    ],
    ids=["tight", "enough"],
)
def test_sentences_that_stay_as_they_are_tomorrow(found: Outlook, said: str) -> None:
    assert outlook_on_pull_request(found) == said
