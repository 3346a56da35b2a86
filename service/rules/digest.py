"""The weekly digest: what shipped, stopped and stalled, whose ball it is, and what ships next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from service.rules.ball import Ball, Party
from service.rules.calendar import Calendar
from service.rules.lifecycle import State
from service.rules.slips import Slips
from service.rules.stall import Cause, Rung

NOT_BEFORE = time(7)
"""By the organisation's clock: a digest is read in the morning."""
REACHES_BACK = timedelta(days=7)
MOST_NEXT = 3
"""POCs that are named as next to ship."""
ON_THE_WAY = frozenset({State.SHIPPING, State.EVALUATING, State.BUILDING})
ENDED = frozenset({State.SHIPPED, State.STOPPED})


@dataclass(frozen=True, slots=True)
class PocLine:
    """A POC as it is stored, as far as a digest speaks of it."""

    full_name: str
    state: State
    state_since: datetime
    registered_at: datetime
    private: bool = False
    stalled_since: date | None = None
    cause: Cause | None = None
    rung: int = 0
    """Of its open issue; 0 where none is open."""
    ball: Ball | None = None
    ship_by: date | None = None
    slips: Slips | None = None


@dataclass(frozen=True, slots=True)
class Digest:
    """What there is to say of a week; each list in the order in which a reader needs it."""

    week: str
    since: date
    today: date
    next_to_ship: tuple[PocLine, ...] = ()
    decisions: tuple[PocLine, ...] = ()
    """Stalled at the third step: somebody has to decide."""
    stalled: tuple[PocLine, ...] = ()
    overdue: tuple[PocLine, ...] = ()
    """Past their ship date, and not among the former."""
    shipped: tuple[PocLine, ...] = ()
    stopped: tuple[PocLine, ...] = ()
    begun: tuple[PocLine, ...] = ()
    active: int = 0
    """POCs that have not ended."""


def week_of(day: date) -> str:
    """The ISO week that a day is in: `2026-W48`."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def is_time(now: datetime, calendar: Calendar) -> bool:
    """Whether a digest may go out: on a working day, from the morning on; the week's first look sends it."""
    return calendar.is_working_day(calendar.day(now)) and now.astimezone(calendar.zone).time() >= NOT_BEFORE


def digest(pocs: Iterable[PocLine], now: datetime, calendar: Calendar) -> Digest | None:
    """What there is to say; None where nothing happened and nobody is waited for too long."""
    today, since = calendar.day(now), now - REACHES_BACK
    all_of_them = tuple(pocs)
    going = [poc for poc in all_of_them if poc.state not in ENDED]
    stalled = sorted((poc for poc in going if poc.stalled_since), key=_longest_first)
    decisions = tuple(poc for poc in stalled if poc.rung >= Rung.DECISION)
    late = [poc for poc in going if poc.cause is not Cause.OVERDUE and _is_late(poc, today)]
    found = Digest(
        week=week_of(today),
        since=calendar.day(since),
        today=today,
        next_to_ship=_next(going, today),
        decisions=decisions,
        stalled=tuple(poc for poc in stalled if poc not in decisions),
        overdue=tuple(poc for poc in late if poc not in stalled),
        shipped=_lately(all_of_them, State.SHIPPED, since),
        stopped=_lately(all_of_them, State.STOPPED, since),
        begun=tuple(sorted((p for p in going if p.registered_at > since), key=lambda p: p.full_name)),
        active=len(going),
    )
    says = (found.decisions, found.stalled, found.overdue, found.shipped, found.stopped, found.begun)
    return found if any(says) else None


def whom(poc: PocLine) -> str:
    """Whose ball it is, in words."""
    ball = poc.ball
    if ball is None or ball.party is Party.UNNAMED:
        return "nobody: there is no charter"
    group = ball.group.value.replace("_", " ") if ball.group else str(ball.party)
    people = ", ".join(ball.people) or ball.about
    return f"{group} ({people})" if people else group


def _longest_first(poc: PocLine) -> tuple[date, str]:
    return poc.stalled_since or date.max, poc.full_name


def _is_late(poc: PocLine, today: date) -> bool:
    return poc.ship_by is not None and poc.ship_by < today and poc.state is not State.NONE


def _next(going: Iterable[PocLine], today: date) -> tuple[PocLine, ...]:
    """Those that are closest to production, and of these the ones with the nearest dates."""
    dated = [
        (poc.ship_by, poc)
        for poc in going
        if poc.ship_by and poc.ship_by >= today and poc.state in ON_THE_WAY and not poc.stalled_since
    ]
    order = {State.SHIPPING: 0, State.EVALUATING: 1, State.BUILDING: 2}
    nearest = sorted(dated, key=lambda each: (order[each[1].state], each[0], each[1].full_name))
    return tuple(poc for _, poc in nearest[:MOST_NEXT])


def _lately(pocs: Iterable[PocLine], state: State, since: datetime) -> tuple[PocLine, ...]:
    return tuple(
        sorted((p for p in pocs if p.state is state and p.state_since > since), key=lambda p: p.full_name)
    )
