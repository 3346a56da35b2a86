"""What was found out about the world that a charter names: one row for each of its texts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert

from service.rules.outside import Access, Gathered, Outside
from service.store.database import reading, transaction
from service.store.tables import OutsideFactRow


class OutsideFacts:
    """The table of outside facts; each method is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, repository_id: int, blob_sha: str) -> Gathered | None:
        """What was last found out about one text of a repository's charter."""
        with reading(self._engine) as session:
            row = session.get(OutsideFactRow, (repository_id, blob_sha))
            return Gathered(_outside(row.facts), row.ref, row.gathered_at, row.complete) if row else None

    def remember(self, repository_id: int, blob_sha: str, gathered: Gathered) -> None:
        """Keep what was found out, in place of what was found out before."""
        found: dict[str, Any] = {
            "ref": gathered.ref,
            "gathered_at": gathered.at,
            "complete": gathered.complete,
            "facts": _facts(gathered.outside),
        }
        row = insert(OutsideFactRow).values(repository_id=repository_id, blob_sha=blob_sha, **found)
        with transaction(self._engine) as session:
            session.execute(
                row.on_conflict_do_update(index_elements=["repository_id", "blob_sha"], set_=found)
            )


def _facts(outside: Outside) -> dict[str, Any]:
    return {
        "owner_access": outside.owner_access,
        "environments": _listed(outside.environments),
        "missing_paths": _listed(outside.missing_paths),
    }


def _listed(names: frozenset[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)


def _outside(facts: dict[str, Any]) -> Outside:
    access, environments, missing = (facts.get(name) for name in Outside.__slots__)
    return Outside(
        owner_access=None if access is None else Access(access),
        environments=None if environments is None else frozenset(environments),
        missing_paths=None if missing is None else frozenset(missing),
    )
