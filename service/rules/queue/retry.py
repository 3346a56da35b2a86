"""What to do about a look that failed: wait until a time, or give up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MAX_ATTEMPTS = 24
"""Failures in a row after which a subject is dead; with the waits below that is two hours or more."""

FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=10)
RATE_LIMIT_SPREAD = timedelta(seconds=30)
"""Subjects that wait for one reset do not all come back in its first second."""


class FailureKind(StrEnum):
    """The ways in which GitHub, or the way there, says no."""

    TRANSIENT = "transient"
    RATE_LIMITED = "rate-limited"
    PACED = "paced"
    """Nobody said no: it is not yet this subject's turn to write."""
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
    """Look again, not before `at`; `counts` says whether this failure counts towards the cap."""

    at: datetime
    counts: bool = True


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not look again by yourself; `dead` says whether an operator should know."""

    reason: str
    dead: bool = True


def retry(failure: Failure, *, attempt: int, now: datetime, jitter: float) -> RetryAt | GiveUp:
    """Decide about the failure of the `attempt`-th look in a row, counted from 1; `jitter` is in [0, 1)."""
    if failure.kind is FailureKind.RATE_LIMITED:
        until = max(failure.until or now + timedelta(minutes=1), now)
        return RetryAt(until + RATE_LIMIT_SPREAD * jitter, counts=False)
    if failure.kind is FailureKind.PACED:
        return RetryAt(max(failure.until or now, now), counts=False)
    if failure.kind is FailureKind.GONE:
        return GiveUp(failure.message, dead=False)
    if failure.kind is FailureKind.REFUSED or attempt >= MAX_ATTEMPTS:
        return GiveUp(failure.message)
    wait = min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT)
    return RetryAt(now + wait * (0.5 + 0.5 * jitter))
