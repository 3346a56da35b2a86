"""How long signatures take here, by the record of past turns, and what that means for a ship date."""

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
"""Turns below which nothing is said: one slow colleague would be the forecast."""
SAME_ROUND = 10
"""Working days between two turns of one round: meanwhile the owner answered a review."""
MOST_OF_THEM = 0.8


@dataclass(frozen=True, slots=True)
class PastTurn:
    """A signature that was waited for, and came: by whom, from when, and until when."""

    poc_id: PocId
    wants: Wants
    group: Group
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Took:
    """Working days: half of `turns` took `median` or fewer, 80 % of them `most` or fewer."""

    turns: int
    median: int
    most: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the record says of one signature by its group, and of all of a round; None below five."""

    groups: Mapping[Group, Took]
    start: Took | None
    ship: Took | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """A ship date held against the record; `slowest` is whom to ask first, None where nobody is known."""

    took: Took
    left: int
    """Working days from today to the ship date, 0 where it has passed."""
    ship_by: date
    ask_by: date
    """The last day on which the signatures can be asked for, if they take as long as half of them did."""
    slowest: Group | None

    @property
    def tight(self) -> bool:
        """Whether half of the rounds so far would not have made it."""
        return self.left < self.took.median


NOTHING_KNOWN = Forecast({}, None, None)


def forecast(turns: Iterable[PastTurn], calendar: Calendar) -> Forecast:
    """What past turns say; the order of the turns does not matter."""
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
    """What the record says while start signatures are missing; None where there is no date or no record."""
    if ship_by is None or found.start is None or not missing:
        return None
    known = [group for group in Group if group in missing and group in found.groups]
    slowest = max(known, key=lambda group: found.groups[group].most, default=None)
    left = calendar.working_days(today, ship_by)
    return Outlook(
        found.start, left, ship_by, calendar.take_working_days(ship_by, found.start.median), slowest
    )


def _rounds(turns: Sequence[PastTurn], calendar: Calendar) -> Iterable[int]:
    """The working days of each round of one POC, from the first who was asked to the last who signed."""
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
