"""The weekly digest: what shipped, stopped and stalled, whom it waits for, and what ships next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import assert_never

from service.rules.gate.lifecycle import ON_THE_WAY, State
from service.rules.stall.stalls import Cause, EscalationStep
from service.rules.stall.time_spent import ShipDateChanges
from service.rules.stall.waiting_on import Party, WaitingOn
from service.rules.values.calendar import Calendar

NOT_BEFORE = time(7)
"""By the organisation's clock: a digest is read in the morning."""
REACHES_BACK, AT_MOST = timedelta(days=7), timedelta(weeks=4)
"""How far back the first digest of a channel goes, and any other at most."""
OVERLAP = timedelta(hours=1)
"""A reconciliation may have seen something before the last digest, and stored it after."""
MOST_RULES = 3
MOST_NEXT = 3
"""POCs that are named as next to ship."""
MOST_PEOPLE = 3
"""People of one party who are named."""
BEGUN, STALLED = "begun", "stalled"


@dataclass(frozen=True, slots=True)
class PocLine:
    """A POC as it is stored, as far as a digest speaks of it."""

    id: int
    full_name: str
    state: State
    state_since: datetime
    registered_at: datetime
    private: bool = False
    stalled_since: date | None = None
    cause: Cause | None = None
    rung: int = 0
    """Of its open issue; 0 where none is open."""
    issue_url: str = ""
    waiting_on: WaitingOn | None = None
    ship_by: date | None = None
    slips: ShipDateChanges | None = None
    acted_at: datetime | None = None
    """When anybody last did anything."""
    resting: bool = False
    """Whether a pause or a snooze lasts today."""
    reason: str = ""
    """Of what was stopped, why, in the charter's words."""

    def is_late(self, today: date) -> bool:
        """Whether its ship date has passed."""
        return self.ship_by is not None and self.ship_by < today and self.state is not State.NONE


@dataclass(frozen=True, slots=True)
class Waiting:
    """A POC that is waited with: for whom, since when, and for how many working days."""

    poc: PocLine
    party: str
    """The party in words that name nobody: `security`."""
    whom: str
    """The same with its people: `security (dan-w)`."""
    since: date
    days: int


@dataclass(frozen=True, slots=True)
class LastDigest:
    """The last digest of a channel: when it was composed, and what it reported."""

    at: datetime
    of: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Held:
    """A commit's check that would be held up where things are enforced, and by which rules."""

    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Observed:
    """What enforcing would have done, while an organisation observes."""

    since: date | None
    checks: int
    """Commits that were judged."""
    held: int
    issues: int
    """POCs that stand still without an issue."""
    rules: tuple[str, ...]
    """Those that hold the most up, at most three."""
    share: int
    """How many of a hundred that are held fail by these rules alone."""
    due: date | None = None
    """The policy's `until`, once it has passed: a decision is due."""


def observed(
    held: Sequence[Held], checks: int, *, since: date | None, issues: int, due: date | None = None
) -> Observed:
    """Count what would be held, and find the rules that cause most of it."""
    counted = Counter(rule for each in held for rule in dict.fromkeys(each.rules))
    most = tuple(rule for rule, _ in sorted(counted.items(), key=lambda each: (-each[1], each[0])))[
        :MOST_RULES
    ]
    caused = sum(bool(each.rules) and set(each.rules) <= set(most) for each in held)
    share = round(100 * caused / len(held)) if held else 0
    return Observed(since, checks, len(held), issues, most, share, due)


@dataclass(frozen=True, slots=True)
class Digest:
    """What there is to say of a week; each list in the order in which a reader needs it."""

    week: str
    since: date
    today: date
    decisions: tuple[Waiting, ...] = ()
    """Stalled at the third step: somebody has to decide."""
    stalled: tuple[Waiting, ...] = ()
    overdue: tuple[Waiting, ...] = ()
    """Past their ship date, and not among the former."""
    shipped: tuple[PocLine, ...] = ()
    stopped: tuple[PocLine, ...] = ()
    moving: tuple[PocLine, ...] = ()
    """Reported as stalled the last time, and somebody has worked on them since."""
    begun: tuple[PocLine, ...] = ()
    next_to_ship: tuple[PocLine, ...] = ()
    active: int = 0
    """POCs that have not ended."""
    observed: Observed | None = None
    """While the organisation observes."""

    @property
    def told(self) -> frozenset[str]:
        """What it reports, for the digest that follows it."""
        waiting = [each.poc for each in (*self.decisions, *self.stalled)]
        kinds = ((STALLED, waiting), (State.SHIPPED, self.shipped), (State.STOPPED, self.stopped))
        return frozenset(_key(kind, poc) for kind, pocs in (*kinds, (BEGUN, self.begun)) for poc in pocs)


def week_of(day: date) -> str:
    """The ISO week that a day is in: `2026-W48`."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def is_time(now: datetime, calendar: Calendar) -> bool:
    """Whether a digest may go out: on a working day, from the morning on."""
    return calendar.is_working_day(calendar.day(now)) and now.astimezone(calendar.zone).time() >= NOT_BEFORE


def digest(
    pocs: Iterable[PocLine],
    now: datetime,
    calendar: Calendar,
    last: LastDigest | None = None,
    *,
    seen: Observed | None = None,
) -> Digest | None:
    """What there is to say after the last digest; None where nothing happened and nobody is waited for.

    While an organisation observes, what was `seen` is said in any case.
    """
    news, today = _News(now, last), calendar.day(now)
    all_of_them = sorted(pocs, key=lambda poc: poc.full_name)
    going = [poc for poc in all_of_them if not poc.state.has_ended]
    stalled = sorted((poc for poc in going if poc.stalled_since), key=_longest_first)
    late = sorted((poc for poc in going if not poc.stalled_since and poc.is_late(today)), key=_latest_first)
    found = Digest(
        week=week_of(today),
        since=calendar.day(news.since),
        today=today,
        decisions=tuple(_waiting((p for p in stalled if p.rung >= EscalationStep.DECISION), today, calendar)),
        stalled=tuple(_waiting((p for p in stalled if p.rung < EscalationStep.DECISION), today, calendar)),
        overdue=tuple(_waiting(late, today, calendar)),
        shipped=tuple(news.ended(all_of_them, State.SHIPPED)),
        stopped=tuple(news.ended(all_of_them, State.STOPPED)),
        moving=tuple(poc for poc in going if news.moves(poc)),
        begun=tuple(poc for poc in going if news.holds(BEGUN, poc, poc.registered_at)),
        next_to_ship=_next(going, today),
        active=len(going),
        observed=seen,
    )
    waiting = (found.decisions, found.stalled, found.overdue)
    happened = (found.shipped, found.stopped, found.moving, found.begun)
    return found if seen or any(waiting) or any(happened) else None


class _News:
    """What happened since the last digest of a channel, each thing once."""

    def __init__(self, now: datetime, last: LastDigest | None) -> None:
        self._now, self._last = now, last
        self.since = max(last.at, now - AT_MOST) if last else now - REACHES_BACK

    def holds(self, kind: str, poc: PocLine, at: datetime) -> bool:
        """Whether something of a POC is to be reported."""
        if self.since < at <= self._now:
            return True
        missed = self._last is not None and self._last.at - OVERLAP < at <= self._last.at
        return missed and at > self._now - AT_MOST and _key(kind, poc) not in self._of

    def ended(self, pocs: Iterable[PocLine], state: State) -> Iterator[PocLine]:
        """The POCs that came into a state."""
        return (poc for poc in pocs if poc.state is state and self.holds(state, poc, poc.state_since))

    def moves(self, poc: PocLine) -> bool:
        """Whether a POC was reported as stalled, and somebody has brought it forward: a pause does not."""
        if self._last is None or _key(STALLED, poc) not in self._of or poc.stalled_since or poc.resting:
            return False
        paused = poc.waiting_on is not None and poc.waiting_on.party is Party.NOBODY
        return not paused and poc.acted_at is not None and poc.acted_at > self._last.at

    @property
    def _of(self) -> frozenset[str]:
        return self._last.of if self._last else frozenset()


def _waiting(pocs: Iterable[PocLine], today: date, calendar: Calendar) -> Iterator[Waiting]:
    for poc in pocs:
        party, people = _party(poc)
        counted = None if poc.cause is Cause.OVERDUE else poc.stalled_since
        # For an overdue POC `stalled_since` is the ship date, not when the current person was asked.
        held = calendar.day(poc.waiting_on.since) if poc.waiting_on else poc.ship_by
        since = counted or held or calendar.day(poc.registered_at)
        blocked_by = poc.waiting_on.about if poc.waiting_on and poc.waiting_on.party is Party.BLOCKER else ""
        whom = f"{blocked_by or party} ({people})" if people else blocked_by or party
        yield Waiting(poc, party, whom, since, calendar.working_days(since, today))


def _party(poc: PocLine) -> tuple[str, str]:
    """Who is waited for, in words, and the people."""
    waiting_on = poc.waiting_on
    if waiting_on is None:
        return "a charter", ""
    people = _few(waiting_on.people)
    match waiting_on.party:
        case Party.UNNAMED:
            return "a charter", ""
        case _ if poc.cause is Cause.OWNER_GONE:
            return "a new owner", f"{people} has no access" if people else ""
        case Party.NOBODY:
            return "nobody (paused)", ""
        case Party.BLOCKER:
            return "what blocks it", people
        case Party.OWNER | Party.SIGNER | Party.REVIEWER | Party.PLATFORM:
            group = waiting_on.group
            return group.words if group else waiting_on.party.value, people
        case _:
            assert_never(waiting_on.party)


def _few(people: Sequence[str]) -> str:
    more = f" and {len(people) - MOST_PEOPLE} more" if len(people) > MOST_PEOPLE else ""
    return ", ".join(people[:MOST_PEOPLE]) + more


def _key(kind: str, poc: PocLine) -> str:
    return f"{kind}:{poc.id}"


def _longest_first(poc: PocLine) -> tuple[date, str]:
    return poc.stalled_since or date.max, poc.full_name


def _latest_first(poc: PocLine) -> tuple[date, str]:
    return poc.ship_by or date.max, poc.full_name


def _next(going: Iterable[PocLine], today: date) -> tuple[PocLine, ...]:
    """Those that are closest to production, and of these the ones with the nearest dates."""
    dated = [
        (poc.ship_by, poc)
        for poc in going
        if poc.ship_by and poc.ship_by >= today and poc.state in ON_THE_WAY and not poc.stalled_since
    ]
    nearest = sorted(dated, key=lambda each: (ON_THE_WAY.index(each[1].state), each[0], each[1].full_name))
    return tuple(poc for _, poc in nearest[:MOST_NEXT])
