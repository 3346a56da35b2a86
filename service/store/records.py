"""All that was ever stored of one POC, for its record: nothing is summed up, and nothing is left out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from service.rules.gate.signoffs import Signature
from service.rules.policy.recognition import KnownRepository
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.actions import GATE_CHECK
from service.rules.values.activity import commanded
from service.rules.values.recorded import (
    RecordedCommand,
    RecordedDeployment,
    recorded_commands,
    recorded_deployments,
)
from service.rules.values.subjects import PocId, repository_key
from service.store.repositories import known_of
from service.store.signatures import stored_signature_of
from service.store.subjects import event_of
from service.store.table import Table

NAMED = text("""
SELECT p.id FROM repository r JOIN poc p ON p.repository_id = r.id
WHERE lower(r.full_name) = lower(:name) ORDER BY r.removed_at IS NOT NULL, r.id DESC LIMIT 1
""")
POC = text("SELECT r.* FROM poc p JOIN repository r ON r.id = p.repository_id WHERE p.id = :poc")
VERSIONS = text("""
SELECT f.at, f.actor, c.kind, c.blob_sha, c.data, c.size, split_part(f.id, chr(58), 4) AS sha FROM fact f
LEFT JOIN charter_at c ON c.repository_id = :repository AND c.commit_sha = split_part(f.id, chr(58), 4)
WHERE f.subject = :subject AND f.kind = 'activity'
    AND starts_with(f.id, concat_ws(chr(58), CAST(:subject AS text), 'charter-changed', ''))
ORDER BY f.at, f.id
""")
SIGNATURES = text("SELECT * FROM signature WHERE poc_id = :poc ORDER BY at, id")
NUMBERS = text("""
SELECT metric, value, unit, at, level, source, source_id, run_sha, commit_sha, environment, dataset, n
FROM evidence WHERE repository_id = :repository ORDER BY at, id
""")
FACTS = text("""
SELECT f.id, f.subject, f.kind, f.at, f.actor, f.detail FROM fact f
WHERE f.kind IN ('commanded', 'deployed') AND f.subject IN (
    SELECT CAST(:subject AS text) UNION ALL
    SELECT concat_ws(chr(58), 'pull_request', CAST(:repository AS text), number)
    FROM pull_request WHERE repository_id = :repository
)
ORDER BY f.at, f.id
""")
FOLLOWED = text("""
SELECT id FROM fact WHERE subject = :subject AND kind = 'activity'
    AND starts_with(id, concat_ws(chr(58), CAST(:subject AS text), 'command', ''))
""")
GATES = text("""
SELECT head_sha, conclusion, title, created_at AS at FROM check_run
WHERE repository_id = :repository AND name = :gate AND conclusion IN ('success', 'failure')
ORDER BY created_at, id
""")


@dataclass(frozen=True, slots=True)
class Version:
    """A charter of the default branch: when it came, by whom, and what stood there where that was read."""

    sha: str
    at: datetime
    by: str
    file: CharterFile | None


@dataclass(frozen=True, slots=True)
class RecordedSignature:
    """A signature, and when it was withdrawn if it was."""

    signature: Signature
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class RecordedNumber:
    """A number as it was sent or read; a workflow ran on `run_sha`, the number speaks for `commit_sha`."""

    metric: str
    value: str
    unit: str
    at: datetime
    level: str
    source: str
    run: str
    run_sha: str
    commit_sha: str | None
    environment: str | None
    dataset: str | None
    n: int | None


@dataclass(frozen=True, slots=True)
class RecordedGate:
    """A verdict of the ship gate on a commit that was to ship."""

    sha: str
    conclusion: str
    title: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """The POC's whole story; each part oldest first."""

    known: KnownRepository
    versions: tuple[Version, ...]
    signatures: tuple[RecordedSignature, ...]
    numbers: tuple[RecordedNumber, ...]
    commands: tuple[RecordedCommand, ...]
    followed: tuple[RecordedCommand, ...]
    """Those of the commands that were carried out."""
    deployments: tuple[RecordedDeployment, ...]
    gates: tuple[RecordedGate, ...]


class Records(Table):
    """Reads over all that one POC left in the tables, in a fixed number of statements."""

    def named(self, full_name: str) -> PocId | None:
        """The POC of a repository, also of one that was removed; None where it never was one."""
        found = self._first(NAMED, name=full_name)
        return PocId(found.id) if found else None

    def of(self, poc_id: PocId) -> StoredRecord:
        """All that is stored of a POC."""
        with self._database.reading() as session:
            connection = session.connection()
            found = connection.execute(POC, {"poc": poc_id}).one()
            repository = found.id
            asked = {"repository": repository, "subject": repository_key(repository), "poc": poc_id}
            versions = connection.execute(VERSIONS, asked).all()
            signatures = connection.execute(SIGNATURES, asked).all()
            numbers = connection.execute(NUMBERS, asked).all()
            facts = connection.execute(FACTS, asked).all()
            followed = frozenset(connection.execute(FOLLOWED, asked).scalars())
            gates = connection.execute(GATES, asked | {"gate": GATE_CHECK}).all()
        events = [event_of(row) for row in facts]
        commands = recorded_commands(events)
        return StoredRecord(
            known=known_of(found),
            versions=tuple(map(version_of, versions)),
            signatures=tuple(
                RecordedSignature(stored_signature_of(row).signature, row.withdrawn_at) for row in signatures
            ),
            numbers=tuple(RecordedNumber(*row) for row in numbers),
            commands=commands,
            followed=tuple(
                each
                for each in commands
                if commanded(repository, each.line, each.actor, each.at).id in followed
            ),
            deployments=recorded_deployments(events),
            gates=tuple(RecordedGate(row.head_sha, row.conclusion, row.title, row.at) for row in gates),
        )


def version_of(row: Row[Any]) -> Version:
    """A row as a charter of the default branch."""
    file = CharterFile(FileKind(row.kind), row.data, row.blob_sha, row.size) if row.kind else None
    return Version(row.sha, row.at, row.actor, file)
