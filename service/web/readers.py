"""Whom organisations let see rows of all their POCs: the members of the teams that their policies name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from starlette.concurrency import run_in_threadpool

from service.ports import GitHubApp, GitHubError
from service.store.installations import Installations
from service.store.portfolio import Portfolio

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TeamReaders:
    """Asks each organisation with its own installation, about its own teams."""

    portfolio: Portfolio
    installations: Installations
    app: Callable[[], GitHubApp]
    """Made only where a policy names a team."""

    async def installations_of(self, login: str) -> set[int]:
        """The installations whose rows somebody sees."""
        return await run_in_threadpool(self._installations_of, login)

    def _installations_of(self, login: str) -> set[int]:
        return {
            installation
            for installation, teams in self._teams().items()
            if self._is_in(installation, teams, login)
        }

    def _teams(self) -> Mapping[int, Sequence[tuple[str, str]]]:
        """The teams by their installation; one of another organisation counts for nothing."""
        found = {}
        for account in self.portfolio.accounts().values():
            named = (each.partition("/") for each in account.policy.portfolio_readers)
            own = [(org, team) for org, _, team in named if org == account.name.lower()]
            if own:
                found[account.installation_id] = own
        return found

    def _is_in(self, installation_id: int, teams: Sequence[tuple[str, str]], login: str) -> bool:
        known = self.installations.find(installation_id)
        if known is None or known.deleted or known.installation.suspended_at:
            return False
        try:
            github = self.app().installation(known.installation)
            try:
                return any(github.is_team_member(org, team, login) for org, team in teams)
            finally:
                github.close()
        except GitHubError as error:
            log.warning(
                "who may read the portfolio is not known", installation=installation_id, error=str(error)
            )
            return False
