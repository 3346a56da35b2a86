"""Which deliveries GitHub is asked to send again: it never does so by itself, and forgets in three days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

KEPT = timedelta(days=3)
MOST_ATTEMPTS = 6
"""Attempts at one delivery, the first included; what fails so often is not cured by sending it again."""
SETTLED = timedelta(minutes=2)
"""A delivery younger than this may still be on its way."""


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One attempt of GitHub's: attempts at the same delivery share its `guid`."""

    id: int
    guid: str
    delivered_at: datetime
    status_code: int

    @property
    def arrived(self) -> bool:
        """Whether it was answered by 2xx."""
        return 200 <= self.status_code < 300  # noqa: PLR2004 (HTTP's own numbers)


def to_redeliver(attempts: Iterable[DeliveryAttempt], now: datetime) -> list[int]:
    """The ids of the attempts to repeat, oldest first: one for each delivery that never arrived."""
    by_guid: dict[str, list[DeliveryAttempt]] = {}
    for attempt in attempts:
        if now - KEPT < attempt.delivered_at:
            by_guid.setdefault(attempt.guid, []).append(attempt)
    missing = []
    for same in by_guid.values():
        latest = max(same, key=lambda attempt: attempt.delivered_at)
        arrived = any(attempt.arrived for attempt in same)
        if not arrived and len(same) < MOST_ATTEMPTS and latest.delivered_at < now - SETTLED:
            missing.append(latest)
    return [attempt.id for attempt in sorted(missing, key=lambda attempt: attempt.delivered_at)]
