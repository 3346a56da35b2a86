"""Which branches of repositories that aren't POCs require our check run, as far as GitHub was asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from service.store.table import Table
from service.store.tables import BranchRuleRow


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
