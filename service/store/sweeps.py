"""What a sweep looks at: everything, or what is due."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session

from service.rules.queue import ANSWERED_WITHIN, DEPLOYMENT_WAITS, QUEUE_WAITS
from service.rules.values.actions import CHARTER_CHECK
from service.store.check_runs import UNCHECKED

LAST_LOOK = timedelta(days=1)
SWEPT = text(f"""
WITH poc AS (
    SELECT r.id FROM repository r JOIN installation i ON i.id = r.installation_id AND i.deleted_at IS NULL
    WHERE r.poc_reason IS NOT NULL AND r.removed_at IS NULL
), swept (rank, key, around) AS (
    SELECT 1, kind || ':' || id || channel, NULL FROM installation, (VALUES
        ('installation', ''), ('policy', ''), ('digest', ''), ('digest', '\\:slack')) AS of (kind, channel)
    WHERE deleted_at IS NULL AND (:announces OR channel = '')
    UNION ALL SELECT 2, 'repository:' || id, NULL FROM poc
    UNION ALL SELECT 3, 'pull_request:' || p.repository_id || ':' || p.number, 'repository:' || poc.id
    FROM poc JOIN pull_request p ON p.repository_id = poc.id AND p.state = 'open'
)
SELECT rank, swept.key FROM swept
LEFT JOIN subject s ON s.key = swept.key LEFT JOIN subject repository ON repository.key = swept.around
WHERE CAST(:due_by AS timestamptz) IS NULL OR s.looked_at IS NULL
    OR s.next_look_at IS NULL OR s.next_look_at <= :due_by
    OR s.looked_at < CAST(:began AS timestamptz) OR repository.touched > s.looked_at
UNION SELECT 3, 'pull_request:' || id || ':' || number FROM ({UNCHECKED}) AS unchecked
UNION SELECT 4, subject FROM fact WHERE answered_at IS NULL AND (CAST(:due_by AS timestamptz) IS NULL
    OR at > :due_by - CASE kind WHEN 'deployment-requested'
        THEN CAST(:deployment_waits AS interval) ELSE CAST(:answered_within AS interval) END)
UNION SELECT 4, key FROM subject WHERE dead_since IS NOT NULL AND (CAST(:due_by AS timestamptz) IS NULL
    OR CASE split_part(key, chr(58), 1) WHEN 'deployment' THEN false WHEN 'merge_group' THEN EXISTS (
        SELECT FROM delivery
        WHERE subject.key = ANY(subjects) AND received_at > :due_by - CAST(:queue_waits AS interval))
    ELSE true END)
ORDER BY rank, key
""")  # noqa: S608 - our own words
"""Installations, POCs and their open pull requests; open pull requests without their check run, also of
a repository that isn't a POC; what was told and isn't answered; and what was given up.

Without `due_by` all of them. Otherwise what isn't answered is due for as long as an answer makes sense, and a
day more, so that a last look may drop it; a merge queue's head that was given up, as long as the queue waits.
A pull request is also due when its repository was looked at since: what was signed or agreed on elsewhere
may bear on it.
"""


def swept(
    session: Session, *, announces: bool, due_by: datetime | None = None, began: datetime | None = None
) -> list[str]:
    """The keys in the order in which to look at them; with `due_by` only those that are due then.

    What was last looked at before `began` is due too.
    """
    given = {
        "announces": announces,
        "due_by": due_by,
        "began": began,
        "name": CHARTER_CHECK,
        "answered_within": ANSWERED_WITHIN + LAST_LOOK,
        "deployment_waits": DEPLOYMENT_WAITS + LAST_LOOK,
        "queue_waits": QUEUE_WAITS,
    }
    rows = session.connection().execute(SWEPT, given)
    return list(dict.fromkeys(row.key for row in rows))
