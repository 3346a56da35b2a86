"""The calendar of a POC as spans of days: engineering, waiting for somebody, paused, idle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import assert_never

from service.rules.stall.waiting_on import ISSUE, REVIEW, Party, PausePeriod, WaitingOn
from service.rules.values.activity import ENGINEERING, Activity
from service.rules.values.calendar import Calendar
from service.rules.values.groups import FOUR, FURTHER

LONGEST_GAP = 3
"""Working days between two days of work that still count as work, while the owner is waited for."""
DAY = timedelta(days=1)
LAST_DAYS = 90
"""How many days back an organisation's days are counted."""
FOUR_GROUPS, FURTHER_GROUPS = (tuple(group.words for group in groups) for groups in (FOUR, FURTHER))
GROUPS = (*FOUR_GROUPS, *FURTHER_GROUPS)


class Kind(StrEnum):
    """What a POC did on a day."""

    ENGINEERING = "engineering"
    WAITING = "waiting"
    IDLE = "idle"
    PAUSED = "paused"


DAYS_GO_TO = (
    Kind.ENGINEERING.value, *FOUR_GROUPS, REVIEW, ISSUE, Kind.IDLE.value, Kind.PAUSED.value, *FURTHER_GROUPS
)  # fmt: skip
"""What an organisation's days go to; add new ones at the end, because the order is stored."""


@dataclass(frozen=True, slots=True)
class Span:
    """Days of one kind, both ends included."""

    first: date
    last: date
    kind: Kind
    whom: str = ""
    """Whom it waited for: a group in words, a login, an issue."""

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Totals:
    """Days by kind; `waiting` by whom, longest first."""

    engineering: int
    idle: int
    paused: int
    waiting: tuple[tuple[str, int], ...]


def time_breakdown(
    periods: Sequence[WaitingOn],
    pauses: Sequence[PausePeriod],
    activities: Iterable[Activity],
    *,
    first: date,
    last: date,
    calendar: Calendar,
) -> tuple[Span, ...]:
    """The spans from `first` to `last`, without gaps; they stop earlier if the POC ended."""
    worked = {calendar.day(each.at) for each in activities if each.deed in ENGINEERING}
    bridged = set(_bridged(sorted(worked), calendar))
    paused = {day for each in pauses for day in _days(max(each.first, first), min(each.until, last))}
    found: list[Span] = []
    for day, waiting_on in _holders(periods, first, last, calendar):
        if waiting_on is not None and waiting_on.party is Party.NOBODY and day not in paused:
            break
        kind, whom = _waiting(waiting_on)
        if day in paused:
            kind, whom = Kind.PAUSED, ""
        elif day in worked or (day in bridged and kind is Kind.IDLE):
            kind, whom = Kind.ENGINEERING, ""
        if found and (found[-1].kind, found[-1].whom) == (kind, whom):
            found[-1] = Span(found[-1].first, day, kind, whom)
        else:
            found.append(Span(day, day, kind, whom))
    return tuple(found)


def totals(found: Iterable[Span]) -> Totals:
    """The days of each kind."""
    days: Counter[Kind] = Counter()
    waiting: Counter[str] = Counter()
    for span in found:
        days[span.kind] += span.days
        if span.kind is Kind.WAITING:
            waiting[span.whom] += span.days
    longest = sorted(waiting.items(), key=lambda each: (-each[1], each[0]))
    return Totals(days[Kind.ENGINEERING], days[Kind.IDLE], days[Kind.PAUSED], tuple(longest))


def days_by_party(counted: Totals) -> tuple[int, ...]:
    """The days by what they went to, in the order of `DAYS_GO_TO`: reviewers and issues are not named."""
    days = Counter(
        {
            Kind.ENGINEERING.value: counted.engineering,
            Kind.IDLE.value: counted.idle,
            Kind.PAUSED.value: counted.paused,
        }
    )
    for whom, waited in counted.waiting:
        days[party_of(whom)] += waited
    return tuple(days[each] for each in DAYS_GO_TO)


def party_of(whom: str) -> str:
    """Whom a span waited for, in words that name no person."""
    return whom if whom in GROUPS else ISSUE if "#" in whom else REVIEW


def summary(counted: Totals) -> str:
    """`19 engineering days, 63 waiting: security 41, platform 22`."""
    waited = sum(days for _, days in counted.waiting)
    text = f"{counted.engineering} engineering {'day' if counted.engineering == 1 else 'days'}"
    if waited:
        text += f", {waited} waiting: " + ", ".join(f"{whom} {days}" for whom, days in counted.waiting)
    return text


def _waiting(waiting_on: WaitingOn | None) -> tuple[Kind, str]:
    """The kind of a day without work."""
    if waiting_on is None:
        return Kind.IDLE, ""
    match waiting_on.party:
        case Party.SIGNER | Party.PLATFORM if waiting_on.group:
            return Kind.WAITING, waiting_on.group.words
        case Party.REVIEWER if waiting_on.people:
            return Kind.WAITING, waiting_on.people[0]
        case Party.BLOCKER:
            return Kind.WAITING, waiting_on.about
        case Party.SIGNER | Party.PLATFORM | Party.REVIEWER | Party.OWNER | Party.UNNAMED | Party.NOBODY:
            return Kind.IDLE, ""
        case _:
            assert_never(waiting_on.party)


def _holders(
    periods: Sequence[WaitingOn], first: date, last: date, calendar: Calendar
) -> Iterator[tuple[date, WaitingOn | None]]:
    """Each day with who was waited for at its end."""
    coming = [(calendar.day(waiting_on.since), waiting_on) for waiting_on in periods]
    holder, at = None, 0
    for day in _days(first, last):
        while at < len(coming) and coming[at][0] <= day:
            holder, at = coming[at][1], at + 1
        yield day, holder


def _bridged(worked: Sequence[date], calendar: Calendar) -> Iterator[date]:
    """The days between two days of work that are close enough to count as work."""
    for one, other in pairwise(worked):
        if calendar.working_days(one, other) <= LONGEST_GAP:
            yield from _days(one + DAY, other - DAY)


def _days(first: date, last: date) -> Iterator[date]:
    for count in range((last - first).days + 1):
        yield first + count * DAY


ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def ordinal(count: int) -> str:
    """`second`; from 11 on in digits, as `11th`."""
    return ORDINALS[count - 1] if count <= len(ORDINALS) else f"{count}th"


@dataclass(frozen=True, slots=True)
class ShipDateChanges:
    """The present date is the `count`-th; `days` lie between the first and it, fewer where it came closer."""

    count: int
    days: int
    first: date
    last: date

    def __str__(self) -> str:
        return f"{ordinal(self.count)} date, {self.days:+} calendar days"


def ship_date_changes(dates: Sequence[date]) -> ShipDateChanges | None:
    """How often and how far a POC's ship date moved; None if there was only one date."""
    if len(dates) <= 1:
        return None
    return ShipDateChanges(len(dates), (dates[-1] - dates[0]).days, dates[0], dates[-1])
