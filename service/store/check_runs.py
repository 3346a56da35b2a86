"""Our check runs: noted before they are posted, so that a kill in between is found out.

Also which branches of repositories that aren't POCs require one, as far as GitHub was asked.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from sqlalchemy import delete, text
from sqlmodel import Session, col

from service.rules.values.actions import CHARTER_CHECK, CheckRunOutput, PostedCheckRun
from service.store.database import LockClass, WithinSession, ask
from service.store.table import Table
from service.store.tables import BranchRuleRow, CheckRunRow

NEWEST: LiteralString = """
SELECT DISTINCT ON (name) id, name, external_id, digest, github_id, title FROM check_run
WHERE repository_id = %(repository_id)s AND head_sha = %(head_sha)s ORDER BY name, id DESC
"""
BEGIN: LiteralString = """
INSERT INTO check_run (repository_id, head_sha, name, subject, external_id, digest, conclusion, title,
    would, rules)
SELECT * FROM json_to_recordset(%(rows)s::json) AS t (repository_id bigint, head_sha text, name text,
    subject text, external_id text, digest text, conclusion text, title text,
    would text, rules text[])
RETURNING id, name, external_id, digest
"""
POSTED: LiteralString = "UPDATE check_run SET github_id = %(github_id)s WHERE id = %(id)s"


UNCHECKED = text("""
SELECT r.id, r.full_name, p.number, p.head_sha, coalesce(s.last_error, s.outcome, 'never looked at') AS reason
FROM pull_request p
JOIN repository r ON r.id = p.repository_id AND r.removed_at IS NULL AND NOT r.archived
JOIN installation i ON i.id = r.installation_id AND i.deleted_at IS NULL
LEFT JOIN branch_rule b ON b.repository_id = r.id AND b.branch = p.base_ref AND b.required
LEFT JOIN subject s ON s.key = 'pull_request:' || p.repository_id || ':' || p.number
WHERE p.state = 'open' AND (r.poc_reason IS NOT NULL OR b.required)
AND (s.key IS NULL OR s.wanted = s.done OR s.attempts > 0)
AND NOT EXISTS (
    SELECT FROM check_run c WHERE c.repository_id = p.repository_id AND c.head_sha = p.head_sha
    AND c.name = :name AND c.github_id IS NOT NULL)
ORDER BY r.full_name, p.number
""")


@dataclass(frozen=True, slots=True)
class Unchecked:
    """The head of an open pull request without a completed check run, and why, as far as is known."""

    repository_id: int
    full_name: str
    number: int
    head_sha: str
    reason: str


class CheckRuns(Table):
    """The table of check runs."""

    @contextmanager
    def posting(self, repository_id: int, head_sha: str) -> Iterator[CheckRuns]:
        """Be the only one who posts check runs on a commit, two pull requests may share it; within the block
        each statement is committed by itself, on the connection that holds the lock.
        """
        held = self._database.lock(LockClass.COMMIT, f"{repository_id}:{head_sha}")
        with held as connection, Session(connection) as session:
            yield CheckRuns(WithinSession(session))

    def newest_of(self, repository_id: int, head_sha: str) -> Mapping[str, PostedCheckRun]:
        """The newest check run of each name on a commit."""
        with self._database.reading() as session:
            rows = ask(session, NEWEST, {"repository_id": repository_id, "head_sha": head_sha})
            return {
                row.name: PostedCheckRun(row.id, row.external_id, row.digest, row.github_id, row.title)
                for row in rows
            }

    def unchecked(self) -> list[Unchecked]:
        """The heads of open pull requests that need the check run `POC charter` and don't have it."""
        return [Unchecked(*row) for row in self._rows(UNCHECKED, name=CHARTER_CHECK)]

    def begin(
        self, repository_id: int, head_sha: str, subject: str, outputs: Mapping[str, CheckRunOutput]
    ) -> Mapping[str, PostedCheckRun]:
        """Note that check runs are about to be posted, by their names, and under which `external_id` each
        can be found.
        """
        if not outputs:
            return {}
        rows = [
            {
                "repository_id": repository_id,
                "head_sha": head_sha,
                "name": name,
                "subject": subject,
                "external_id": f"poc-governor:{uuid.uuid4()}",
                "digest": output.digest,
                "conclusion": str(output.conclusion),
                "title": output.title,
                "would": output.would and str(output.would),
                "rules": list(output.rules),
            }
            for name, output in outputs.items()
        ]
        with self._database.transaction() as session:
            begun = ask(session, BEGIN, {"rows": json.dumps(rows)})
            return {row.name: PostedCheckRun(row.id, row.external_id, row.digest, None) for row in begun}

    def posted(self, row_id: int, github_id: int) -> None:
        """Note the id that GitHub gave to a check run."""
        with self._database.transaction() as session:
            ask(session, POSTED, {"id": row_id, "github_id": github_id})

    def forget(self, row_ids: Sequence[int]) -> None:
        """Forget check runs that turned out never to have been posted."""
        self._execute(delete(CheckRunRow).where(col(CheckRunRow.id).in_(row_ids)))


@dataclass(frozen=True, slots=True)
class BranchRule:
    """Whether a branch requires it, and when GitHub said so."""

    required: bool
    asked_at: datetime


class BranchRules(Table):
    """The table of branch rules."""

    def find(self, repository_id: int, branch: str) -> BranchRule | None:
        """What GitHub said of a branch, if it was ever asked."""
        row = self._get(BranchRuleRow, repository_id, branch)
        return BranchRule(row.required, row.asked_at) if row else None

    def remember(self, repository_id: int, branch: str, *, required: bool, at: datetime) -> None:
        """Keep what GitHub said."""
        row = {"repository_id": repository_id, "branch": branch, "required": required, "asked_at": at}
        self._keep(BranchRuleRow, [row], replacing=True)
