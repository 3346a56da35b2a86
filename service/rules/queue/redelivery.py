"""Which deliveries GitHub is asked to send again: it never does so by itself, and forgets in three days."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

KEPT = timedelta(days=3) - timedelta(hours=1)
"""A little less than GitHub keeps them."""
MOST_ATTEMPTS = 6
"""Attempts at one delivery, the first included; what fails so often is not cured by sending it again."""
SETTLED = timedelta(minutes=2)
"""A delivery younger than this may still be on its way."""


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One attempt of GitHub's that failed: attempts at the same delivery share its `guid`."""

    id: int
    guid: str
    delivered_at: datetime
    status_code: int


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
