"""What to do about a reconciliation that failed: try again at a time, or give up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

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
    """Nobody said no: the subject waits for its slot to write."""
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
        case FailureKind.RATE_LIMITED:
            until = max(failure.until or now + timedelta(minutes=1), now)
            return RetryAt(until + RATE_LIMIT_SPREAD * jitter, counts=False)
        case FailureKind.PACED:
            return RetryAt(max(failure.until or now, now), counts=False)
        case FailureKind.GONE:
            return GiveUp(failure.message, dead=False)
        case FailureKind.REFUSED:
            return GiveUp(failure.message)
        case FailureKind.TRANSIENT:
            wait = min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT)
            exhausted = attempt >= MAX_ATTEMPTS
            return GiveUp(failure.message) if exhausted else RetryAt(now + wait * (0.5 + 0.5 * jitter))
        case _:
            assert_never(failure.kind)
