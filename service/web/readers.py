"""What organisations are asked about somebody: whether they own it, and whether they are in a team that its
policy lets read the rows of all its POCs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog
from starlette.concurrency import run_in_threadpool

from service.ports import GitHub, GitHubApp, GitHubError
from service.store.installations import Installations
from service.store.portfolio import Account, Portfolio

log = structlog.get_logger(__name__)

Question = Callable[[GitHub], bool]


@dataclass(frozen=True, slots=True)
class Organisations:
    """Asks each organisation with its own installation, about itself."""

    portfolio: Portfolio
    installations: Installations
    app: Callable[[], GitHubApp]
    """Made only where something is asked."""
    serves: Callable[[str], bool] = lambda _account: True
    """Whether the installation on an account counts."""

    def accounts(self) -> Iterable[Account]:
        """Those that the app is installed on, and that are served."""
        return [each for each in self.portfolio.accounts().values() if self.serves(each.name)]

    def says_so(self, installation_id: int, question: Question) -> bool:
        """The answer; no where GitHub gives none, or the installation is suspended."""
        known = self.installations.find(installation_id)
        if known is None or known.deleted or known.installation.suspended_at:
            return False
        try:
            github = self.app().installation(known.installation)
            try:
                return question(github)
            finally:
                github.close()
        except GitHubError as error:
            log.warning("membership is not known", installation=installation_id, error=str(error))
            return False


@dataclass(frozen=True, slots=True)
class TeamReaders:
    """The members of the teams that policies name."""

    organisations: Organisations

    async def installations_of(self, login: str) -> set[int]:
        """The installations whose rows somebody sees."""
        return await run_in_threadpool(self._installations_of, login)

    def _installations_of(self, login: str) -> set[int]:
        accounts = self.organisations.accounts()
        return {
            account.installation_id for account in accounts if self._is_in(own_teams(account), account, login)
        }

    def _is_in(self, teams: Sequence[tuple[str, str]], account: Account, login: str) -> bool:
        return bool(teams) and self.organisations.says_so(
            account.installation_id,
            lambda github: any(github.is_team_member(org, team, login) for org, team in teams),
        )


def own_teams(account: Account) -> list[tuple[str, str]]:
    """The teams that an organisation's policy names; one of another organisation counts for nothing."""
    named = (each.partition("/") for each in account.policy.portfolio_readers)
    return [(org, team) for org, _, team in named if org == account.name.lower()]


@dataclass(frozen=True, slots=True)
class Owners:
    """Who owns what the app is installed on: an organisation's owners, or the person whose account it is."""

    organisations: Organisations

    async def accounts_of(self, login: str) -> dict[int, str]:
        """The accounts that somebody owns, by their installation."""
        return await run_in_threadpool(self._accounts_of, login)

    def _accounts_of(self, login: str) -> dict[int, str]:
        return {
            account.installation_id: account.name
            for account in self.organisations.accounts()
            if account.name.lower() == login.lower() or self._owns(account, login)
        }

    def _owns(self, account: Account, login: str) -> bool:
        return self.organisations.says_so(
            account.installation_id, lambda github: github.is_owner(account.name, login)
        )
