"""Each organisation's policy: the file as it is, and the last text of it that could be read, which holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from service.rules.policy.model import NO_POLICY, Policy
from service.rules.policy.reading import read_policy
from service.store import subjects
from service.store.table import Table
from service.store.tables_waiting import PolicyRow


@dataclass(frozen=True, slots=True)
class KnownPolicy:
    """What is stored of a policy file; `good_text` is the newest that could be read, None for none."""

    repository_id: int
    blob_sha: str | None
    good_text: str | None
    findings: tuple[str, ...]
    """What is wrong with the present text, a line each; empty where it is in force."""
    broken_since: datetime | None

    @property
    def in_force(self) -> Policy:
        """The policy that holds."""
        return policy_of(self.good_text)


class Policies(Table):
    """The table of policies."""

    def find(self, installation_id: int) -> KnownPolicy | None:
        """What is stored for an installation."""
        row = self._get(PolicyRow, installation_id)
        return _known(row) if row else None

    def in_force(self, installation_id: int) -> Policy:
        """The policy that holds for an installation; the defaults where it has none."""
        known = self.find(installation_id)
        return known.in_force if known else NO_POLICY

    def broken(self) -> tuple[tuple[int, KnownPolicy], ...]:
        """The installations whose present text cannot be read."""
        with self._database.reading() as session:
            rows = session.exec(select(PolicyRow).where(col(PolicyRow.broken_since).is_not(None)))
            return tuple((row.installation_id, _known(row)) for row in rows)

    def keep(
        self,
        installation_id: int,
        repository_id: int,
        blob_sha: str | None,
        text: str | None,
        findings: tuple[str, ...],
        *,
        at: datetime,
        marking: Sequence[str] = (),
    ) -> None:
        """Note what stands there now, and mark subjects with it: a text without findings holds from now on.

        No text at all, and no finding, takes the policy away.
        """
        values: dict[str, object] = {
            "repository_id": repository_id,
            "blob_sha": blob_sha,
            "findings": [{"message": finding} for finding in findings],
            "read_at": at,
        }
        if findings:
            values["broken_since"] = at
        else:
            values |= {"good_text": text, "good_blob_sha": blob_sha, "broken_since": None}
        row = insert(PolicyRow).values(installation_id=installation_id, **values)
        with self._database.transaction() as session:
            if findings:
                values["broken_since"] = func.coalesce(col(PolicyRow.broken_since), at)
            session.execute(row.on_conflict_do_update(index_elements=["installation_id"], set_=values))
            subjects.mark(session, marking)

    def forget(self, installation_id: int, *, marking: Sequence[str] = ()) -> None:
        """Forget the policy of an installation that does not cover its repository, and mark subjects."""
        with self._database.transaction() as session:
            session.execute(delete(PolicyRow).where(col(PolicyRow.installation_id) == installation_id))
            subjects.mark(session, marking)


@lru_cache(maxsize=256)
def policy_of(good_text: str | None) -> Policy:
    """The policy that a stored text says; the defaults where there is none."""
    return NO_POLICY if good_text is None else read_policy(good_text).policy or NO_POLICY


def _known(row: PolicyRow) -> KnownPolicy:
    findings = tuple(str(finding["message"]) for finding in row.findings)
    return KnownPolicy(row.repository_id, row.blob_sha, row.good_text, findings, row.broken_since)
