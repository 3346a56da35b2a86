"""What came in from GitHub, and what is known of the subjects that it marked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from service.rules.values.subjects import installation_key, repository_key
from service.store import subjects
from service.store.table import Table

LAST_ID = 2**63 - 1
THEIRS = "coalesce(r.installation_id, d.installation_id) = d.installation_id"
"""A repository that was transferred belongs to others by now, and so do its name and what is known of it."""
RECEIVED = """
SELECT d.id, d.event, d.action, r.full_name, d.subjects, d.ignored, d.received_at
FROM delivery d LEFT JOIN repository r ON r.id = d.repository_id
WHERE d.installation_id = ANY(:installations) AND d.id < :before AND {theirs} {failed}
ORDER BY d.id DESC LIMIT :size
"""
FAILED = """
AND d.subjects && ARRAY(SELECT key FROM subject
    WHERE dead_since IS NOT NULL OR (wanted > done AND last_error IS NOT NULL))
"""
LOOKS = text("""
SELECT key, wanted > done AS dirty, looked_at, outcome, attempts, last_error, dead_since, not_before
FROM subject WHERE key = ANY(:keys)
""")
ONE = text(
    """
SELECT d.subjects, d.repository_id, d.installation_id
FROM delivery d LEFT JOIN repository r ON r.id = d.repository_id
WHERE d.id = :id AND d.installation_id = ANY(:installations) AND """
    + THEIRS
)


@dataclass(frozen=True, slots=True)
class Received:
    """A delivery that was stored: what it is about, and the subjects that it marked."""

    id: int
    event: str
    action: str | None
    full_name: str | None
    subjects: Sequence[str]
    ignored: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """The newest reconciliation of a subject, and whether another one is due."""

    key: str
    dirty: bool
    looked_at: datetime | None
    outcome: str | None
    attempts: int
    last_error: str | None
    dead_since: datetime | None
    not_before: datetime | None


class Deliveries(Table):
    """The table of deliveries; `installations` are those that somebody may see them of."""

    def received(
        self, installations: Collection[int], before: int, size: int, *, failed: bool
    ) -> Sequence[Received]:
        """A page of them, the newest first; only those of which something failed, if so asked."""
        statement = text(RECEIVED.format(theirs=THEIRS, failed=FAILED if failed else ""))
        rows = self._rows(statement, installations=list(installations), before=before, size=size)
        return [Received(*row) for row in rows]

    def looks(self, keys: Collection[str]) -> Mapping[str, Look]:
        """What is known of subjects."""
        return {row.key: Look(*row) for row in self._rows(LOOKS, keys=list(keys))}

    def look_again(self, delivery: int, installations: Collection[int]) -> bool:
        """Mark what a delivery is about; False where there is none of that id to be seen."""
        with self._database.transaction() as session:
            asked = {"id": delivery, "installations": list(installations)}
            row = session.connection().execute(ONE, asked).first()
            if row is None:
                return False
            about = (
                repository_key(row.repository_id)
                if row.repository_id
                else installation_key(row.installation_id)
            )
            subjects.mark(session, row.subjects or [about])
            return True

    def stored(self, delivery_ids: Collection[str]) -> set[str]:
        """Which of these deliveries are here, by the ids that GitHub gave them."""
        with self._database.reading() as session:
            return subjects.stored_deliveries(session, set(delivery_ids))
