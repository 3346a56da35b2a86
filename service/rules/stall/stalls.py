"""Is this POC stalled: since when, who is spoken to, and which step is due? And how long a pause counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import IntEnum, StrEnum

from service.rules.charter.model import Charter
from service.rules.gate.lifecycle import State
from service.rules.gate.signoffs import named
from service.rules.policy.model import Policy
from service.rules.stall.waiting_on import TEAM, Party, PausePeriod, WaitingOn
from service.rules.values.actions import EscalationRecord
from service.rules.values.github import StallIssue
from service.rules.values.groups import Group

AT_ONCE = 1
"""Working days after which a ship date that passed, or an owner who left, is reported."""


class Cause(StrEnum):
    """Why a POC counts as stalled."""

    NO_CHARTER = "no charter"
    SILENT = "silent"
    """Whoever is waited for has done nothing for the limit."""
    OVERDUE = "overdue"
    """The ship date has passed."""
    OWNER_GONE = "owner gone"
    """The owner can't write to the repository any more, or is gone from GitHub."""


class EscalationStep(IntEnum):
    """The steps of the escalation, at one, two and three times the limit."""

    ISSUE = 1
    """The issue, addressed to whoever is waited for."""
    LEAD = 2
    """A comment that brings in the owner and the waiting group's lead."""
    DECISION = 3
    """A comment that asks for a decision: ship by a date, re-scope, or stop."""


@dataclass(frozen=True, slots=True)
class StallFacts:
    """What the decision is based on; all moments are GitHub's or ours, in UTC."""

    is_poc: bool
    dormant: bool
    has_home: bool
    """Whether its issue can be opened anywhere: in its own repository, or in the central one."""
    registered_at: datetime
    state: State
    policy: Policy
    waiting_on: WaitingOn | None = None
    """None as long as there is no charter to say so."""
    charter: Charter | None = None
    chartered_at: datetime | None = None
    charter_changed_at: datetime | None = None
    acted_at: datetime | None = None
    """When whoever is waited for last did something that counts."""
    activity_at: datetime | None = None
    """When anybody did."""
    rest: PausePeriod | None = None
    """The last pause or snooze, even if it is over."""
    owner_gone: bool = False
    owner_since: datetime | None = None
    """Since when the owner has had the present access, as far as we know."""
    issue: StallIssue | None = None
    opened_today: int = 0
    observe: bool = False
    archived: bool = False
    """Nothing can be written there."""
    shipped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stall:
    """A stall: who is waited for, since when, for how many working days allowed, and the step that is due."""

    cause: Cause
    waiting_on: WaitingOn | None
    since: date
    """The day from which working days are counted."""
    limit: int
    """Working days to a step."""
    rung: EscalationStep
    due: date
    """The day on which this step was reached."""


class Step(StrEnum):
    """What to do with the issue."""

    NOTHING = "nothing"
    OPEN = "open"
    REOPEN = "reopen"
    KEEP = "keep"
    """Its text is brought up to date where it differs; without a stall it stays as it is."""
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class StallDecision:
    """The step, the stall that it is about, the step whose comment is to be posted, and in one line why."""

    step: Step
    stall: Stall | None
    why: str
    say: EscalationStep | None = None
    escalation: EscalationRecord | None = None
    """What to store about the issue after this step; None if there is no issue.

    With a new episode its `opened_at` is the moment of the step, also where it was open before.
    """


def find_stall(facts: StallFacts, now: datetime) -> Stall | None:
    """The stall at `now`; None if nobody is to be reminded."""
    today = facts.policy.calendar.day(now)
    if _over(facts) or (facts.rest and facts.rest.first <= today <= facts.rest.until):
        return None
    if facts.waiting_on is None or facts.waiting_on.party is Party.UNNAMED:
        since = _latest(facts, today, facts.charter_changed_at)
        return _climbing(facts, Cause.NO_CHARTER, since, facts.policy.limits.charter, today)
    owns = facts.waiting_on.party is Party.OWNER
    if owns and facts.owner_gone:
        registered_on = facts.policy.calendar.day(facts.registered_at)
        since = max(_day(facts, facts.owner_since) or today, registered_on, _rested(facts, today))
        return _climbing(facts, Cause.OWNER_GONE, since, facts.policy.limits.waiting, today, first=AT_ONCE)
    if facts.charter and facts.charter.ship_by and facts.charter.ship_by.value < today:
        return _overdue(facts, facts.charter.ship_by.value, today)
    limit = _limit(facts) if owns else facts.policy.limits.waiting
    return _climbing(facts, Cause.SILENT, _latest(facts, today, facts.acted_at), limit, today)


def addressed(stall: Stall, charter: Charter | None) -> str | None:
    """Whom to address: whoever is waited for, or who can name somebody; a login, a team, or nobody."""
    if stall.cause is Cause.OWNER_GONE:
        return named(charter, Group.PRODUCT) if charter else None
    if stall.waiting_on is None:
        return None
    if stall.waiting_on.party is Party.UNNAMED:
        return stall.waiting_on.about or None
    if stall.waiting_on.people:
        return stall.waiting_on.people[0]
    return charter.owner_login if charter else None


def assignee(stall: Stall, charter: Charter | None) -> str | None:
    """Whom to assign the issue to, if anybody: having worked on the POC isn't a reason."""
    person = addressed(stall, charter)
    unnamed = stall.waiting_on is not None and stall.waiting_on.party is Party.UNNAMED
    return None if person is None or TEAM in person or unnamed else person


def _over(facts: StallFacts) -> bool:
    """Whether nobody has to do anything: it isn't a POC, is dormant or archived, has ended, or is paused."""
    left_alone = not facts.is_poc or facts.dormant or facts.archived
    ended = facts.state.has_ended or facts.shipped_at is not None
    stopped = facts.charter is not None and facts.charter.stopped is not None
    nobody = facts.waiting_on is not None and facts.waiting_on.party is Party.NOBODY
    return left_alone or ended or stopped or nobody


def _overdue(facts: StallFacts, ship_by: date, today: date) -> Stall | None:
    """The ship date has passed; activity since then delays the next step, by one limit at most."""
    calendar, limit = facts.policy.calendar, facts.policy.limits.waiting
    since = max(ship_by, calendar.day(facts.registered_at), _rested(facts, today))
    acted = max(_day(facts, facts.acted_at) or since, _day(facts, facts.activity_at) or since)
    stall = None
    for rung in EscalationStep:
        due = calendar.add_working_days(since, AT_ONCE + limit * (rung - 1))
        if rung > EscalationStep.ISSUE and acted > since:
            eased = max(due, calendar.add_working_days(acted, limit))
            due = min(eased, calendar.add_working_days(due, limit))
        if due <= today:
            stall = Stall(Cause.OVERDUE, facts.waiting_on, since, limit, rung, due)
    return stall


def _climbing(
    facts: StallFacts, cause: Cause, since: date, limit: int, today: date, *, first: int | None = None
) -> Stall | None:
    """The stall with its step: the first one at the limit, each later one a limit after that."""
    calendar, first = facts.policy.calendar, first or limit
    passed = calendar.working_days(since, today)
    if passed < first:
        return None
    rung = EscalationStep(min(1 + (passed - first) // limit, len(EscalationStep)))
    due = calendar.add_working_days(since, first + limit * (rung - 1))
    return Stall(cause, facts.waiting_on, since, limit, rung, due)


def _latest(facts: StallFacts, today: date, acted_at: datetime | None) -> date:
    """The day from which silence counts: not before the person could act."""
    moments = (facts.registered_at, facts.waiting_on.since if facts.waiting_on else None, acted_at)
    return max(*(day for moment in moments if (day := _day(facts, moment))), _rested(facts, today))


def _day(facts: StallFacts, moment: datetime | None) -> date | None:
    return facts.policy.calendar.day(moment) if moment else None


def _rested(facts: StallFacts, today: date) -> date:
    """The last day of the last pause; a day long ago if there was none."""
    rest = facts.rest
    return rest.until if rest and rest.until < today else date.min


def _limit(facts: StallFacts) -> int:
    """The owner's limit: a share of the working days that the charter plans."""
    limits, calendar = facts.policy.limits, facts.policy.calendar
    if facts.charter is None:
        return limits.charter
    if facts.charter.ship_by is None or facts.chartered_at is None:
        return limits.shortest
    planned = calendar.working_days(calendar.day(facts.chartered_at), facts.charter.ship_by.value)
    return min(max(round(limits.share * planned), limits.shortest), limits.longest)


LONGEST_PAUSE = timedelta(days=60)
ONE_ROW = timedelta(days=7)
"""A pause, or a snooze, that begins within a week of the end of another continues it."""


@dataclass(frozen=True, slots=True)
class PresentPause:
    """The part of a charter's pause that counts."""

    period: PausePeriod
    source: str
    """Its name among all stored pauses."""
    product: str | None
    """Who signs a longer one."""


def in_a_row(rest: PausePeriod, earlier: Iterable[PausePeriod]) -> tuple[date, int]:
    """Start of the run of consecutive pauses or snoozes, and this one's position in it."""
    first, count = rest.first, 1
    for each in sorted(earlier, key=lambda each: each.until, reverse=True):
        if each.until >= first - ONE_ROW:
            first, count = min(first, each.first), count + 1
    return first, count


def unsigned_part(pause: PausePeriod, earlier: Iterable[PausePeriod]) -> PausePeriod:
    """The part of an unsigned pause that counts, given the unsigned pauses before it."""
    first, _ = in_a_row(pause, earlier)
    until = min(pause.until, first + LONGEST_PAUSE)
    return replace(pause, first=min(pause.first, until), until=until)
