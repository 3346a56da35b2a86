"""The calendar of a POC: every day is one thing, and the spans add up to it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from service.rules.stall.time_spent import Kind, Span, ship_date_changes, summary, time_breakdown, totals
from service.rules.stall.waiting_on import Party, PausePeriod, WaitingOn, Wants
from service.rules.values.activity import ENGINEERING, Activity, ActivityKind
from service.rules.values.calendar import USUAL, Calendar
from service.rules.values.groups import Group

FIRST = date(2026, 11, 2)
"""A Monday."""


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def moment(number: int, hour: int = 9) -> datetime:
    return datetime(2026, 11, 2, hour, tzinfo=UTC) + timedelta(days=number)


def waiting_on(
    party: Party, since: int, *people: str, group: Group | None = None, about: str = ""
) -> WaitingOn:
    return WaitingOn(party, Wants.WORK, moment(since), people, group, None, about)


def did(number: int, deed: ActivityKind = ActivityKind.COMMIT) -> Activity:
    return Activity(f"{deed}:{number}", moment(number), "jane-doe", deed)


OWNER = waiting_on(Party.OWNER, 0, "jane-doe")
SECURITY = waiting_on(Party.SIGNER, 7, "dan-w", group=Group.SECURITY)


def kinds(found: tuple[Span, ...]) -> list[str]:
    return [
        f"{(each.first - FIRST).days}-{(each.last - FIRST).days} {each.kind} {each.whom}".strip()
        for each in found
    ]


def test_work_waiting_pause_and_idleness() -> None:
    found = time_breakdown(
        [OWNER, SECURITY, waiting_on(Party.OWNER, 14, "jane-doe")],
        [PausePeriod(day(16), day(18), "holidays")],
        [did(0), did(3), did(4)],
        first=FIRST,
        last=day(20),
        calendar=USUAL,
    )
    assert kinds(found) == [
        "0-4 engineering",
        "5-6 idle",
        "7-13 waiting security",
        "14-15 idle",
        "16-18 paused",
        "19-20 idle",
    ]
    assert summary(totals(found)) == "5 engineering days, 7 waiting: security 7"


def test_a_day_of_work_is_one_although_somebody_is_waited_for() -> None:
    found = time_breakdown([SECURITY], [], [did(8), did(10)], first=day(7), last=day(11), calendar=USUAL)
    assert kinds(found) == [
        "7-7 waiting security",
        "8-8 engineering",
        "9-9 waiting security",
        "10-10 engineering",
        "11-11 waiting security",
    ]


def test_a_weekend_between_two_days_of_work_is_no_idleness() -> None:
    assert kinds(time_breakdown([OWNER], [], [did(4), did(7)], first=FIRST, last=day(7), calendar=USUAL)) == [
        "0-3 idle",
        "4-7 engineering",
    ]


def test_two_days_of_work_that_are_far_apart_are_two() -> None:
    found = time_breakdown([OWNER], [], [did(0), did(8)], first=FIRST, last=day(8), calendar=USUAL)
    assert kinds(found) == ["0-0 engineering", "1-7 idle", "8-8 engineering"]


def test_a_review_or_a_command_is_no_engineering() -> None:
    assert ActivityKind.REVIEW not in ENGINEERING
    found = time_breakdown(
        [OWNER], [], [did(1, ActivityKind.COMMAND)], first=FIRST, last=day(2), calendar=USUAL
    )
    assert kinds(found) == ["0-2 idle"]


def test_the_calendar_ends_with_the_poc() -> None:
    ended = waiting_on(Party.NOBODY, 3)
    assert kinds(time_breakdown([OWNER, ended], [], [], first=FIRST, last=day(9), calendar=USUAL)) == [
        "0-2 idle"
    ]


def test_a_pause_is_no_end() -> None:
    resting = [
        waiting_on(Party.OWNER, 0, "jane-doe"),
        waiting_on(Party.NOBODY, 2),
        waiting_on(Party.OWNER, 5, "jane-doe"),
    ]
    found = time_breakdown(
        resting, [PausePeriod(day(2), day(4), "")], [], first=FIRST, last=day(6), calendar=USUAL
    )
    assert kinds(found) == ["0-1 idle", "2-4 paused", "5-6 idle"]


def test_a_day_is_the_organisations() -> None:
    late = Activity("commit:1", moment(0, 23), "jane-doe", ActivityKind.COMMIT)
    calendar = Calendar(zone=ZoneInfo("Asia/Tokyo"))
    found = time_breakdown([OWNER], [], [late], first=FIRST, last=day(1), calendar=calendar)
    assert kinds(found) == ["0-0 idle", "1-1 engineering"]


def test_several_who_were_waited_for_come_longest_first() -> None:
    waited = [
        Span(day(0), day(1), Kind.WAITING, "platform"),
        Span(day(2), day(6), Kind.WAITING, "security"),
        Span(day(7), day(7), Kind.ENGINEERING),
    ]
    assert summary(totals(waited)) == "1 engineering day, 7 waiting: security 5, platform 2"


PARTIES = st.sampled_from([
    lambda since: waiting_on(Party.OWNER, since, "jane-doe"),
    lambda since: waiting_on(Party.SIGNER, since, "dan-w", group=Group.SECURITY),
    lambda since: waiting_on(Party.PLATFORM, since, group=Group.PLATFORM),
    lambda since: waiting_on(Party.REVIEWER, since, "erin-x"),
    lambda since: waiting_on(Party.BLOCKER, since, about="#12"),
    lambda since: waiting_on(Party.UNNAMED, since),
])  # fmt: skip
TURNS = st.lists(st.tuples(st.integers(-5, 60), PARTIES), max_size=8).map(
    lambda each: [make(since) for since, make in sorted(each, key=lambda pair: pair[0])]
)
RESTS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 20)).map(
        lambda each: PausePeriod(day(each[0]), day(each[0] + each[1]), "")
    ),
    max_size=3,
)
HAPPENED = st.lists(
    st.tuples(st.integers(-5, 70), st.sampled_from(ActivityKind)).map(lambda each: did(*each))
)


@given(TURNS, RESTS, HAPPENED, st.integers(0, 80))
def test_every_span_adds_up_to_the_calendar(
    turns: list[WaitingOn], rests: list[PausePeriod], happened: list[Activity], length: int
) -> None:
    found = time_breakdown(turns, rests, happened, first=FIRST, last=day(length), calendar=USUAL)
    assert (found[0].first, found[-1].last) == (FIRST, day(length))
    assert all(later.first == earlier.last + timedelta(days=1) for earlier, later in pairwise(found))
    assert all((one.kind, one.whom) != (other.kind, other.whom) for one, other in pairwise(found))
    counted = totals(found)
    waited = sum(days for _, days in counted.waiting)
    assert counted.engineering + counted.idle + counted.paused + waited == length + 1


def test_slips() -> None:
    assert ship_date_changes([]) is ship_date_changes([FIRST]) is None
    assert str(ship_date_changes([FIRST, day(30), day(42)])) == "third date, +42 calendar days"
    assert str(ship_date_changes([FIRST, day(-7)])) == "second date, -7 calendar days"
    assert str(ship_date_changes([day(each) for each in range(11)])) == "11th date, +10 calendar days"
