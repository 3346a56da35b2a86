"""The calendar of a POC as bars on a line of days, and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from service.rules.source.text import in_words
from service.rules.stall.time_spent import Kind, Span, party_of, time_breakdown, totals
from service.rules.values.calendar import Calendar
from service.store.portfolio import Calendars
from service.texts.markdown import plural


@dataclass(frozen=True, slots=True)
class Bar:
    """A span of days; `x` and `width` are percents of the line."""

    x: float
    width: float
    kind: str
    """What it is drawn as."""
    says: str


@dataclass(frozen=True, slots=True)
class Axis:
    """The days that a line shows, both ends included."""

    first: date
    last: date

    def at(self, day: date) -> float:
        """Where a day begins, in percents."""
        return round((day - self.first).days * 100 / ((self.last - self.first).days + 1), 2)

    def shows(self, day: date | None) -> bool:
        """Whether a day is on it."""
        return day is not None and self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Strip:
    """One line: the bars, the marks in percents (None where they are not on it), and all of it in words."""

    bars: tuple[Bar, ...]
    today: float | None
    ship_by: float | None
    says: str


LONGEST, AHEAD = 183, 92
"""Days that a line shows at most, before and after today."""


def axis(today: date, began: Sequence[date], ship_by: Sequence[date]) -> Axis:
    """The line that holds all of some POCs, as far as it goes."""
    earliest = min(began, default=today)
    latest = max((*ship_by, today + timedelta(days=7)))
    return Axis(max(earliest, today - timedelta(days=LONGEST)), min(latest, today + timedelta(days=AHEAD)))


def spans_of(stored: Calendars, began: date, today: date, calendar: Calendar) -> tuple[Span, ...]:
    """The days of a POC up to today."""
    return time_breakdown(
        stored.periods, stored.pauses, stored.work, first=began, last=today, calendar=calendar
    )


def strip(spans: Sequence[Span], line: Axis, today: date, ship_by: date | None) -> Strip:
    """Draw spans on a line."""
    bars = tuple(
        Bar(
            line.at(first),
            round(line.at(last + timedelta(days=1)) - line.at(first), 2),
            kind_of(span),
            says(span),
        )
        for span in spans
        for first, last in [(max(span.first, line.first), min(span.last, line.last))]
        if first <= last
    )
    return Strip(
        bars,
        line.at(today) if line.shows(today) else None,
        line.at(ship_by) if ship_by and line.shows(ship_by) else None,
        in_all(spans, ship_by),
    )


def kind_of(span: Span) -> str:
    """What a span is drawn as: a group, or its kind."""
    return party_of(span.whom).replace(" ", "-") if span.kind is Kind.WAITING else span.kind.value


def says(span: Span) -> str:
    """A span in words."""
    what = f"waiting for {span.whom}" if span.kind is Kind.WAITING else span.kind.value
    return f"{what}, {plural(span.days, 'day')} from {in_words(span.first)}"


def in_all(spans: Sequence[Span], ship_by: date | None) -> str:
    """A calendar in one sentence."""
    found = totals(spans)
    days = (("engineering", found.engineering), *((f"waiting for {whom}", n) for whom, n in found.waiting))
    said = [
        f"{what} {plural(n, 'day')}"
        for what, n in (*days, ("idle", found.idle), ("paused", found.paused))
        if n
    ]
    date_text = f"; ships by {in_words(ship_by)}" if ship_by else ""
    return (", ".join(said) or "no day yet") + date_text
