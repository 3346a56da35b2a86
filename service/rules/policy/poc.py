"""A repository as we know it, and whether and since when it is a POC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from service.rules.policy.recognition import DORMANT_AFTER
from service.rules.source.text import CharterFile
from service.rules.values.github import Repository


@dataclass(frozen=True, slots=True)
class KnownRepository:
    """What is stored of a repository; it is a POC where `poc_reason` says why."""

    installation_id: int
    repository: Repository
    described: bool
    """False for one of which only id and name were told."""
    removed: bool
    reread: bool
    """Whether its branches may have moved without our being told."""
    first_seen_at: datetime
    first_pushed_at: datetime | None
    poc_reason: str | None
    registered_at: datetime | None
    charter: CharterFile | None
    chartered_at: datetime | None
    """When a charter was first seen on the default branch."""
    charter_changed_at: datetime | None

    @property
    def dormant(self) -> bool:
        """Nobody had pushed in the 90 days before we first saw it, nor since: listed, and left alone."""
        pushed_at = self.repository.pushed_at
        if pushed_at is None:
            return True
        return pushed_at == self.first_pushed_at and pushed_at < self.first_seen_at - DORMANT_AFTER
