"""When to try again, when to write, which deliveries to ask for again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import assert_never

MAX_ATTEMPTS = 24
"""Failures in a row after which a subject is dead; with the waits below that is two hours or more."""

TOLD_AFTER = 8
"""Attempts after which people are told that a commit could not be judged yet; that is after some minutes."""
SWEEP_MINUTE = 17
"""Of each hour: when everything is looked at again, also what was given up."""

ANSWERED_WITHIN = timedelta(days=1)
"""How long an answer that GitHub refuses, or nobody granted, is tried again with each reconciliation."""
DEPLOYMENT_WAITS = timedelta(days=30)
"""How long GitHub lets a deployment wait for its answer."""
QUEUE_WAITS = timedelta(days=1)
"""More than a merge queue waits for its checks."""

MOST_GLANCES = 10
"""Attempts after which what GitHub doesn't show is taken for absent; that is after about ten minutes."""

FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=10)
RATE_LIMIT_SPREAD = timedelta(seconds=30)
"""Subjects that wait for one reset do not all come back in its first second."""


class Urgency(IntEnum):
    """Who waits for a look: the more urgent ones come first."""

    NOBODY = 1
    """The safety net, or the registration of many repositories at once."""
    LATER = 2
    """Something happened in a repository, or to a policy."""
    PEOPLE = 3
    """Somebody waits: for the check of a pull request, for a merge, a deployment, an answer."""


class FailureKind(StrEnum):
    """The ways in which GitHub, or the way there, says no."""

    TRANSIENT = "transient"
    RATE_LIMITED = "rate-limited"
    PACED = "paced"
    """Nobody said no: the subject waits for its slot to write, or for another that reads the same."""
    SAVED = "saved"
    """Nobody said no: the calls that are left are for what people wait for."""
    UNSEEN = "unseen"
    """GitHub doesn't show it, or not yet: a push isn't everywhere at once. Nothing was written."""
    GONE = "gone"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed call: its kind, what was said, and when to come back where that is known."""

    kind: FailureKind
    message: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Reconcile again, not before `at`; `counts` says whether this failure counts towards the cap."""

    at: datetime
    counts: bool = True


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not try again without an event; `dead` says whether an operator should know."""

    reason: str
    dead: bool = True


def retry(failure: Failure, *, attempt: int, now: datetime, jitter: float) -> RetryAt | GiveUp:
    """Decide about the failure of the `attempt`-th try in a row, counted from 1; `jitter` is in [0, 1)."""
    match failure.kind:
        case FailureKind.RATE_LIMITED | FailureKind.SAVED:
            until = max(failure.until or now + timedelta(minutes=1), now)
            return RetryAt(until + RATE_LIMIT_SPREAD * jitter, counts=False)
        case FailureKind.PACED:
            return RetryAt(max(failure.until or now, now), counts=False)
        case FailureKind.GONE:
            return GiveUp(failure.message, dead=False)
        case FailureKind.REFUSED:
            return GiveUp(failure.message)
        case FailureKind.TRANSIENT | FailureKind.UNSEEN:
            wait = min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT)
            exhausted = attempt >= (MAX_ATTEMPTS if failure.kind is FailureKind.TRANSIENT else MOST_GLANCES)
            return GiveUp(failure.message) if exhausted else RetryAt(now + wait * (0.5 + 0.5 * jitter))
        case _:
            assert_never(failure.kind)


@dataclass(frozen=True, slots=True)
class Calls:
    """How many calls GitHub takes from an installation, and how many of them are left until the reset."""

    limit: int
    remaining: int
    reset_at: datetime

    def differ(self, known: Calls | None) -> bool:
        """Whether it is worth storing: another hour, or a hundredth of the limit more or less."""
        if known is None or (known.limit, known.reset_at) != (self.limit, self.reset_at):
            return True
        return 100 * abs(known.remaining - self.remaining) >= self.limit


KEPT_BELOW = {Urgency.PEOPLE: 0.0, Urgency.LATER: 0.2, Urgency.NOBODY: 0.5}
"""The share of the limit that is left for what is more urgent."""
HISTORY_KEPT_BELOW = 0.7
"""The same for what was done before a POC was registered: nobody waits for it."""


def saved_until(calls: Calls | None, kept: float, now: datetime) -> datetime | None:
    """Until when the calls that are left are kept for others; None where they needn't be."""
    if calls is None or calls.reset_at <= now or calls.remaining >= kept * calls.limit:
        return None
    return calls.reset_at


def next_sweep(now: datetime) -> datetime:
    """When everything is looked at again."""
    at = now.replace(minute=SWEEP_MINUTE, second=0, microsecond=0)
    return at if at > now else at + timedelta(hours=1)


APART = timedelta(seconds=1)
"""GitHub asks for that much between two writes."""
LIMITS = ((80, timedelta(minutes=1)), (500, timedelta(hours=1)))
"""How many content writes GitHub takes from an installation within any such time."""
MARGIN = timedelta(seconds=2)
"""How far a write may miss the moment that was planned: it is woken within a second, and takes a while."""

_Moment = tuple[datetime, timedelta]
"""A write and how far it may be off."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The pause between two writes, and how far one may miss its planned moment; tests shorten both."""

    apart: timedelta = APART
    margin: timedelta = MARGIN


USUAL_PACE = Pace()


def next_slot(
    taken: Sequence[datetime],
    now: datetime,
    planned: Sequence[datetime] = (),
    pace: Pace = USUAL_PACE,
) -> datetime:
    """The earliest moment from `now` on at which one more write keeps the limits.

    `taken` are the moments of writes that were made, `planned` those of writes to come: these are kept clear
    of by a margin.
    """
    exact, about = timedelta(), pace.margin
    moments = sorted([*((at, exact) for at in taken), *((at, about) for at in planned)])
    slot = now
    for begin, end in sorted(_forbidden(moments, pace.apart)):
        if begin >= slot:
            break
        slot = max(slot, end)
    return slot


def _forbidden(moments: Sequence[_Moment], apart: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """Between which moments one more write would break a limit; the ends themselves are allowed."""
    for at, off in moments:
        yield at - off - apart, at + off + apart
    for most, within in LIMITS:
        for (first, off_first), (last, off_last) in zip(moments, moments[most - 1 :], strict=False):
            earliest, latest = last - off_last, first + off_first
            if earliest - latest < within:
                yield earliest - within, latest + within


KEPT = timedelta(days=3) - timedelta(hours=1)
"""A little less than GitHub keeps them."""
MOST_ATTEMPTS = 6
"""Attempts at one delivery, the first included; what fails so often is not cured by sending it again."""
SETTLED = timedelta(minutes=2)
"""A delivery younger than this may still be on its way."""


ANSWERED = range(200, 300)
"""What an answer's status is where a delivery was taken."""


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One attempt of GitHub's to deliver: attempts at the same delivery share its `guid`."""

    id: int
    guid: str
    delivered_at: datetime
    status_code: int
    """Our answer; 0 where there was none."""
    event: str = ""
    action: str | None = None
    installation_id: int | None = None

    @property
    def was_answered(self) -> bool:
        """Whether somebody took it."""
        return self.status_code in ANSWERED


def unanswered(attempts: Sequence[DeliveryAttempt]) -> list[DeliveryAttempt]:
    """The newest attempt at each delivery that was never answered; `attempts` has the newest first."""
    answered = {attempt.guid for attempt in attempts if attempt.was_answered}
    newest: dict[str, DeliveryAttempt] = {}
    for attempt in attempts:
        newest.setdefault(attempt.guid, attempt)
    return [attempt for guid, attempt in newest.items() if guid not in answered]


def to_redeliver(failed: Iterable[DeliveryAttempt], stored: Collection[str], now: datetime) -> list[int]:
    """The ids of the failed attempts to repeat, oldest first: one for each delivery that is not `stored`."""
    by_guid: dict[str, list[DeliveryAttempt]] = {}
    for attempt in failed:
        if now - KEPT < attempt.delivered_at and attempt.guid not in stored:
            by_guid.setdefault(attempt.guid, []).append(attempt)
    latest = [max(same, key=_when) for same in by_guid.values() if len(same) < MOST_ATTEMPTS]
    return [attempt.id for attempt in sorted(latest, key=_when) if attempt.delivered_at < now - SETTLED]


def _when(attempt: DeliveryAttempt) -> datetime:
    return attempt.delivered_at
