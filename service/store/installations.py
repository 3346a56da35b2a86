"""What the looks remember of installations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, text, update
from sqlmodel import col, select

from service.rules.policy.model import Mode
from service.rules.queue import Calls
from service.rules.values.github import Installation
from service.store import subjects
from service.store.table import Table
from service.store.tables import InstallationRow


@dataclass(frozen=True, slots=True)
class KnownInstallation:
    """An installation as stored: whether it may be used, and not before when."""

    installation: Installation
    deleted: bool
    rate_limited_until: datetime | None
    begins_observing: bool = True
    """Whether it observes until a policy or a setting decides."""
    switched: Mode | None = None
    """What an operator decided."""
    observing_since: datetime | None = None
    calls: Calls | None = None
    """What is left of its calls, as GitHub said last."""


LEFT = text("""
SELECT s.key FROM subject s
JOIN repository r ON r.id::text = split_part(s.key, ':', 2) AND r.installation_id = :installation_id
WHERE s.wanted = s.done AND s.key ~ '^(repository|pull_request|merge_group|deployment|policy_change):' AND (
    s.dead_since IS NOT NULL OR s.outcome LIKE '%; not written: %'
    OR EXISTS (SELECT FROM fact WHERE subject = s.key AND answered_at IS NULL))
""")


OF_POCS = text("""
SELECT 'repository:' || id FROM repository
WHERE installation_id = :installation_id AND poc_reason IS NOT NULL AND removed_at IS NULL
UNION SELECT 'pull_request:' || p.repository_id || ':' || p.number FROM pull_request p
JOIN repository r ON r.id = p.repository_id
WHERE r.installation_id = :installation_id AND r.poc_reason IS NOT NULL AND r.removed_at IS NULL
    AND p.state = 'open'
""")


class Installations(Table):
    """The table of installations."""

    def mark_left(self, installation_id: int) -> None:
        """Mark the subjects of which something wasn't written, or isn't answered."""
        with self._database.transaction() as session:
            rows = session.execute(LEFT, {"installation_id": installation_id})
            subjects.mark(session, [row.key for row in rows])

    def mark(self, *keys: str) -> None:
        """Mark subjects of an installation as needing a look."""
        with self._database.transaction() as session:
            subjects.mark(session, keys)

    def find(self, installation_id: int) -> KnownInstallation | None:
        """An installation, if any event or call has told of it."""
        row = self._get(InstallationRow, installation_id)
        return installation_of(row) if row else None

    def remember(self, installation: Installation) -> None:
        """Store what GitHub says of an installation now."""
        row = {
            "id": installation.id,
            "account": installation.account,
            "permissions": installation.permissions,
            "suspended_at": installation.suspended_at,
        }
        self._keep(InstallationRow, [row], replacing=True)

    def of_account(self, account: str) -> list[int]:
        """The installations on an account, whatever the case of its name."""
        with self._database.reading() as session:
            rows = session.exec(
                select(InstallationRow.id)
                .where(func.lower(col(InstallationRow.account)) == account.lower())
                .where(col(InstallationRow.deleted_at).is_(None))
            )
            return list(rows)

    def switch(self, installation_id: int, mode: Mode | None) -> None:
        """Let an operator's word decide, or none any more; all of it is looked at again."""
        row = update(InstallationRow).where(col(InstallationRow.id) == installation_id)
        with self._database.transaction() as session:
            session.execute(row.values(switched=mode and str(mode), observing_since=None))
            keys = session.execute(OF_POCS, {"installation_id": installation_id}).scalars()
            subjects.mark(session, [*keys])

    def observing(self, installation_id: int, since: datetime | None) -> None:
        """Note since when it observes; None where it does not."""
        row = update(InstallationRow).where(col(InstallationRow.id) == installation_id)
        self._execute(row.values(observing_since=since))

    def rate_limited(self, installation_id: int, until: datetime) -> None:
        """Keep every look of an installation waiting until a time that GitHub named."""
        self._execute(
            update(InstallationRow)
            .where(col(InstallationRow.id) == installation_id)
            .values(rate_limited_until=func.greatest(InstallationRow.rate_limited_until, until))
        )

    def calls_left(self, installation_id: int, calls: Calls) -> None:
        """Remember what is left of an installation's calls."""
        self._execute(
            update(InstallationRow)
            .where(col(InstallationRow.id) == installation_id)
            .values(calls_limit=calls.limit, calls_remaining=calls.remaining, calls_reset_at=calls.reset_at)
        )

    def known(self) -> list[int]:
        """The ids of all installations, also of suspended ones, which may be in use again."""
        with self._database.reading() as session:
            rows = session.exec(
                select(InstallationRow.id)
                .where(col(InstallationRow.deleted_at).is_(None))
                .order_by(col(InstallationRow.id))
            )
            return list(rows)


def installation_of(row: InstallationRow) -> KnownInstallation:
    """A row as a known installation."""
    described = Installation(row.id, row.account, row.permissions, row.suspended_at)
    calls = None
    if row.calls_limit is not None and row.calls_remaining is not None and row.calls_reset_at is not None:
        calls = Calls(row.calls_limit, row.calls_remaining, row.calls_reset_at)
    return KnownInstallation(
        described,
        row.deleted_at is not None,
        row.rate_limited_until,
        row.begins_observing,
        Mode(row.switched) if row.switched else None,
        row.observing_since,
        calls,
    )
