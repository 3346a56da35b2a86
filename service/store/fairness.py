"""What waits at other installations, while one has its share of the looks."""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString

from sqlalchemy import Connection

from service.rules.queue import Urgency
from service.store.database import ask

ELSEWHERE: LiteralString = """
WITH RECURSIVE waiting AS (
    (SELECT installation_id FROM subject WHERE wanted > done AND installation_id IS NOT NULL
     ORDER BY installation_id LIMIT 1)
    UNION ALL
    SELECT (SELECT s.installation_id FROM subject s
            WHERE s.wanted > s.done AND s.installation_id > waiting.installation_id
            ORDER BY s.installation_id LIMIT 1)
    FROM waiting WHERE waiting.installation_id IS NOT NULL
)
SELECT next.key FROM waiting CROSS JOIN LATERAL (
    SELECT s.key, s.urgency, s.touched FROM subject s
    WHERE s.installation_id = waiting.installation_id AND s.wanted > s.done AND s.urgency >= %(urgency)s
    AND (s.not_before IS NULL OR s.not_before <= now())
    ORDER BY s.urgency DESC LIMIT %(most)s
) AS next
WHERE NOT waiting.installation_id = ANY(%(besides)s)
ORDER BY next.urgency DESC, next.touched LIMIT %(most)s
"""
"""Installation by installation through the index of what is dirty, however much of it is of one."""


def waiting_elsewhere(
    connection: Connection, besides: Collection[int], urgency: Urgency, *, most: int
) -> list[str]:
    """Subjects as urgent or more, `besides` those of some installations; some may be under a look already."""
    asked = {"besides": list(besides), "urgency": int(urgency), "most": most}
    return [row.key for row in ask(connection, ELSEWHERE, asked)]
