"""How long signatures took in this organisation so far, and what that means for a ship date."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from math import ceil
from statistics import median_high

from service.rules.stall.waiting_on import Wants
from service.rules.values.calendar import Calendar
from service.rules.values.groups import Group
from service.rules.values.subjects import PocId

FEWEST = 5
"""With fewer turns there is no forecast: one slow colleague would decide it."""
SAME_ROUND = 10
"""Turns at most this many working days apart are one round: in between, the owner answered a review."""
MOST_OF_THEM = 0.8


@dataclass(frozen=True, slots=True)
class PastTurn:
    """A signature that came: for which group, when it was asked for, and when it was given."""

    poc_id: PocId
    wants: Wants
    group: Group
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Took:
    """Working days: half of the `turns` took at most `median`, and 80 % took at most `most`."""

    turns: int
    median: int
    most: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """How long one signature takes, by its group, and how long a whole round takes; None below five turns."""

    groups: Mapping[Group, Took]
    start: Took | None
    ship: Took | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """A ship date compared with past rounds; `slowest` is the group to ask first, None if we don't know."""

    took: Took
    left: int
    """Working days from today to the ship date, 0 if it has passed."""
    ship_by: date
    ask_by: date
    """The last day to ask for the signatures, if they take as long as the median."""
    slowest: Group | None

    @property
    def tight(self) -> bool:
        """Whether half of the past rounds would have been too slow."""
        return self.left < self.took.median


def forecast(turns: Iterable[PastTurn], calendar: Calendar) -> Forecast:
    """The forecast from past turns, in any order."""
    by_group: defaultdict[Group, list[int]] = defaultdict(list)
    rounds: defaultdict[Wants, list[int]] = defaultdict(list)
    ordered = sorted(turns, key=lambda turn: (turn.poc_id, turn.wants, turn.since))
    for (_, wants), found in groupby(ordered, key=lambda turn: (turn.poc_id, turn.wants)):
        of_one = list(found)
        for turn in of_one:
            by_group[turn.group].append(_took(turn.since, turn.until, calendar))
        rounds[wants] += _rounds(of_one, calendar)
    known = {group: took for group in Group if (took := _of(by_group[group]))}
    return Forecast(known, _of(rounds[Wants.START_SIGNATURE]), _of(rounds[Wants.SHIP_SIGNATURE]))


def outlook(
    found: Forecast, missing: Collection[Group], *, ship_by: date | None, today: date, calendar: Calendar
) -> Outlook | None:
    """The outlook while start signatures are missing; None without a ship date or a forecast."""
    if ship_by is None or found.start is None or not missing:
        return None
    known = [group for group in Group if group in missing and group in found.groups]
    slowest = max(known, key=lambda group: found.groups[group].most, default=None)
    left = calendar.working_days(today, ship_by)
    return Outlook(
        found.start, left, ship_by, calendar.take_working_days(ship_by, found.start.median), slowest
    )


def _rounds(turns: Sequence[PastTurn], calendar: Calendar) -> Iterable[int]:
    """The working days of each round of a POC, from the first request to the last signature."""
    first, last = turns[0].since, turns[0].until
    for turn in turns[1:]:
        if _took(last, turn.since, calendar) > SAME_ROUND:
            yield _took(first, last, calendar)
            first = turn.since
        last = turn.until
    yield _took(first, last, calendar)


def _took(since: datetime, until: datetime, calendar: Calendar) -> int:
    return calendar.working_days(calendar.day(since), calendar.day(until))


def _of(days: Sequence[int]) -> Took | None:
    if len(days) < FEWEST:
        return None
    ordered = sorted(days)
    return Took(len(days), median_high(ordered), ordered[ceil(len(days) * MOST_OF_THEM) - 1])
