"""Which days are working days in an organisation, and how many lie between two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAYS_A_WEEK = 7
SATURDAY, SUNDAY = 5, 6
LONGEST_REST = 366
"""Days after which a calendar without working days is not searched any further."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """Days on which nothing is expected of anybody, both ends included."""

    first: date
    last: date
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Calendar:
    """An organisation's week, its freeze periods, and where its days begin.

    Weekdays count from Monday, 0, as `date.weekday` does. The default is Monday to Friday, in UTC.
    """

    weekend: frozenset[int] = frozenset({SATURDAY, SUNDAY})
    freezes: tuple[Freeze, ...] = ()
    zone: tzinfo = UTC

    def day(self, moment: datetime) -> date:
        """The day on which a moment falls there."""
        return moment.astimezone(self.zone).date()

    def next_day(self, moment: datetime) -> datetime:
        """When the next day begins there."""
        tomorrow = self.day(moment) + timedelta(days=1)
        return datetime.combine(tomorrow, time(), self.zone).astimezone(UTC)

    def is_working_day(self, day: date) -> bool:
        """Whether messages may be sent on that day."""
        return day.weekday() not in self.weekend and not self._frozen(day)

    def working_days(self, after: date, until: date) -> int:
        """Count the working days later than `after`, up to and including `until`; 0 where there are none."""
        if until <= after:
            return 0
        weeks, rest = divmod((until - after).days, DAYS_A_WEEK)
        tail = ((after.weekday() + n) % DAYS_A_WEEK for n in range(1, rest + 1))
        week = DAYS_A_WEEK - len(self.weekend)
        return weeks * week + sum(day not in self.weekend for day in tail) - self._lost(after, until)

    def working_day_from(self, day: date) -> date:
        """That day, or the first working day after it."""
        return self.add_working_days(day - timedelta(days=1), 1)

    def add_working_days(self, day: date, count: int) -> date:
        """The first day by which `count` working days after `day` have passed."""
        rested = 0
        while count and rested < LONGEST_REST:
            day += timedelta(days=1)
            works = self.is_working_day(day)
            rested = 0 if works else rested + 1
            count -= works
        return day

    def take_working_days(self, day: date, count: int) -> date:
        """The last working day after which `count` working days are left until `day`."""
        earliest = day - timedelta(days=count + LONGEST_REST)
        first = day - timedelta(days=count)
        while first > earliest and not (
            self.is_working_day(first) and self.working_days(first, day) >= count
        ):
            first -= timedelta(days=1)
        return first

    def _frozen(self, day: date) -> bool:
        return any(freeze.first <= day <= freeze.last for freeze in self.freezes)

    def _lost(self, after: date, until: date) -> int:
        """The days of the week's working days that freezes take away; freezes may overlap."""
        taken = set()
        for freeze in self.freezes:
            day, last = max(freeze.first, after + timedelta(days=1)), min(freeze.last, until)
            while day <= last:
                if day.weekday() not in self.weekend:
                    taken.add(day)
                day += timedelta(days=1)
        return len(taken)


USUAL = Calendar()
