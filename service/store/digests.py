"""What a digest is made of, read from what is stored: one question for a whole organisation."""

from __future__ import annotations

from sqlalchemy import Engine, text

from service.rules.ball import Ball, Party, Wants
from service.rules.charter.goalposts import Group
from service.rules.digest import PocLine
from service.rules.lifecycle import State
from service.rules.slips import slips
from service.rules.stall import Cause
from service.store.database import transaction

POCS = """
SELECT r.full_name, r.private, coalesce(r.registered_at, r.first_seen_at) AS registered_at, p.state,
    p.state_since, p.stalled_since, p.stall_cause, t.party, t.wants, t.for_group, t.people, t.number, t.about,
    t.since, CASE WHEN s.state = 'open' THEN s.rung ELSE 0 END AS rung, d.dates
FROM repository r
JOIN poc p ON p.repository_id = r.id
LEFT JOIN stall_issue s ON s.repository_id = r.id
LEFT JOIN LATERAL (SELECT * FROM turn WHERE repository_id = r.id ORDER BY id DESC LIMIT 1) t ON true
LEFT JOIN LATERAL (
    SELECT array_agg(ship_by ORDER BY id) AS dates FROM ship_date WHERE repository_id = r.id
) d ON true
WHERE r.installation_id = :installation AND r.removed_at IS NULL
    AND (r.poc_reason IS NOT NULL OR p.state IN ('shipped', 'stopped'))
ORDER BY r.full_name
"""


class Digests:
    """Reads; each method is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def pocs(self, installation_id: int) -> tuple[PocLine, ...]:
        """The POCs of an installation, those that have ended as well."""
        with transaction(self._engine) as session:
            rows = session.connection().execute(text(POCS), {"installation": installation_id}).all()
        found = []
        for row in rows:
            ball = None
            if row.party:
                group = Group(row.for_group) if row.for_group else None
                people = tuple(row.people)
                ball = Ball(
                    Party(row.party), Wants(row.wants), row.since, people, group, row.number, row.about
                )
            dates = row.dates or []
            found.append(
                PocLine(
                    row.full_name,
                    State(row.state),
                    row.state_since,
                    row.registered_at,
                    private=row.private,
                    stalled_since=row.stalled_since,
                    cause=Cause(row.stall_cause) if row.stall_cause else None,
                    rung=row.rung or 0,
                    ball=ball,
                    ship_by=dates[-1] if dates else None,
                    slips=slips(dates),
                )
            )
        return tuple(found)
