"""The history of measured values: a row for each metric, commit and source, never overwritten."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy import ColumnElement, bindparam, update
from sqlmodel import col, select

from service.rules.charter.quantity import Quantity, parse_quantity, read_unit
from service.rules.charter.units import NO_UNIT, Unit
from service.rules.evidence.values import Conditions, Measurement
from service.rules.values.groups import Level
from service.store.database import ask
from service.store.query import Query, any_of
from service.store.table import Table
from service.store.tables import EvidenceRow

NONE_RESOLVED: Mapping[str, str] = {}
MOST_COMMITS = 10
"""How many commits that a workflow measured are compared with another by their trees."""


BLOB = "blob:"
"""How the `source_id` begins of a number that a blob holds."""
SENT = ~col(EvidenceRow.source_id).startswith(BLOB)
"""That a workflow run sent it."""
IN_BLOBS = f"""
SELECT {", ".join(f"found.{column}" for column in EvidenceRow.model_fields)}
FROM unnest(%(ids)s::text[], %(sources)s::text[]) AS asked (source_id, source)
CROSS JOIN LATERAL (
    SELECT * FROM evidence WHERE repository_id = %(repository_id)s
    AND source_id = asked.source_id AND source = asked.source LIMIT 1
) AS found
""".encode()  # noqa: S608 (our own columns)


def _measured(speaks: ColumnElement[bool]) -> Query:
    return Query(
        sa.select(EvidenceRow)
        .where(col(EvidenceRow.repository_id) == bindparam("repository_id"), SENT, speaks)
        .order_by(col(EvidenceRow.at).desc(), col(EvidenceRow.id).desc())
    )


ABOUT_COMMITS = col(EvidenceRow.commit_sha) == any_of("commits")
ABOUT_MERGES = col(EvidenceRow.commit_sha).is_(None) & (col(EvidenceRow.run_sha) == any_of("merges"))
MEASURED, MEASURED_ON_MERGES = _measured(ABOUT_COMMITS), _measured(ABOUT_COMMITS | ABOUT_MERGES)
UNRESOLVED = Query(
    sa.select(col(EvidenceRow.run_sha))
    .where(
        col(EvidenceRow.repository_id) == bindparam("repository_id"),
        col(EvidenceRow.number) == bindparam("number"),
        col(EvidenceRow.commit_sha).is_(None),
    )
    .distinct()
)


class Evidence(Table):
    """The table of evidence."""

    def remember_files(
        self, repository_id: int, commit_sha: str, values: Iterable[tuple[str, str, Measurement]]
    ) -> None:
        """Keep what the files of a commit said: for each key of `evidence` its blob and the number."""
        rows = [
            {
                "repository_id": repository_id,
                "run_sha": commit_sha,
                "commit_sha": commit_sha,
                "level": str(value.level),
                "source": value.source,
                "source_id": f"{BLOB}{blob_sha}",
                "key": key,
                "metric": value.metric,
                "value": f"{value.value:f}",
                "unit": value.unit.text,
                "at": value.at,
            }
            for key, blob_sha, value in values
        ]
        self._keep(EvidenceRow, rows)

    def in_blobs(
        self, repository_id: int, places: Collection[tuple[str, str]]
    ) -> Mapping[tuple[str, str], Measurement]:
        """The numbers that were found before, by the blob and by the line of `evidence` that found them."""
        if not places:
            return {}
        asked = {
            "repository_id": repository_id,
            "ids": [f"{BLOB}{blob_sha}" for blob_sha, _ in places],
            "sources": [source for _, source in places],
        }
        with self._database.reading() as session:
            rows = ask(session, IN_BLOBS, asked)
            return {
                (row.source_id.removeprefix(BLOB), row.source): replace(_measurement(row), conditions=None)
                for row in rows
            }

    def measured(
        self, repository_id: int, commits: Sequence[str], *, resolved: Mapping[str, str] = NONE_RESOLVED
    ) -> tuple[Measurement, ...]:
        """What workflow runs sent about any of the commits, newest first.

        `resolved` says for which commits test merges speak, where that is not stored yet.
        """
        merges = [merge for merge, commit in resolved.items() if commit in commits]
        with self._database.reading() as session:
            query = MEASURED_ON_MERGES if merges else MEASURED
            rows = query.all(session, repository_id=repository_id, commits=[*commits], merges=merges)
            return tuple(_measurement(row) for row in rows)

    def measured_commits(self, repository_id: int) -> list[str]:
        """The commits about which workflow runs sent numbers last."""
        newest = (
            select(EvidenceRow.commit_sha, EvidenceRow.at)
            .where(
                EvidenceRow.repository_id == repository_id,
                SENT,
                col(EvidenceRow.commit_sha).is_not(None),
            )
            .order_by(col(EvidenceRow.at).desc(), col(EvidenceRow.id).desc())
            .limit(100 * MOST_COMMITS)
        )
        with self._database.reading() as session:
            commits = dict.fromkeys(sha for sha, _ in session.exec(newest) if sha)
            return list(commits)[:MOST_COMMITS]

    def unresolved(self, repository_id: int, number: int) -> list[str]:
        """The test merges of a pull request that were measured, and whose head is not known yet."""
        with self._database.reading() as session:
            rows = UNRESOLVED.all(session, repository_id=repository_id, number=number)
            return [row.run_sha for row in rows]

    def unresolved_numbers(self, repository_id: int) -> list[int]:
        """The pull requests with such test merges."""
        with self._database.reading() as session:
            numbers = session.exec(
                select(EvidenceRow.number)
                .where(EvidenceRow.repository_id == repository_id, col(EvidenceRow.commit_sha).is_(None))
                .distinct()
            )
            return sorted(number for number in numbers if number is not None)

    def resolve(self, repository_id: int, run_sha: str, commit_sha: str) -> None:
        """Note which commit a test merge speaks for."""
        self._execute(
            update(EvidenceRow)
            .where(
                col(EvidenceRow.repository_id) == repository_id,
                col(EvidenceRow.run_sha) == run_sha,
                col(EvidenceRow.commit_sha).is_(None),
            )
            .values(commit_sha=commit_sha)
        )


def _measurement(row: EvidenceRow) -> Measurement:
    return Measurement(
        metric=row.metric,
        value=Decimal(row.value),
        unit=_unit(row.unit),
        level=Level(row.level),
        source=row.source,
        at=row.at,
        conditions=Conditions(
            environment=row.environment,
            dataset=row.dataset,
            load=_quantity(row.load),
            window=_quantity(row.measured_over),
            segment=row.segment,
            n=row.n,
        ),
    )


def _unit(text: str) -> Unit:
    """A unit that was read before it was stored."""
    unit = read_unit(None, text, any_token=True)
    return unit if isinstance(unit, Unit) else NO_UNIT


def _quantity(text: str | None) -> Quantity | None:
    quantity = parse_quantity(text) if text else None
    return quantity if isinstance(quantity, Quantity) else None
