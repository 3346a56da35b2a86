"""What organisations are asked about somebody: whether they own it, and whether they are in a team that its
policy lets read the rows of all its POCs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from starlette.concurrency import run_in_threadpool

from service.ports import GitHub, GitHubApp, GitHubError
from service.store.installations import Installations
from service.store.portfolio import Account, Portfolio

log = structlog.get_logger(__name__)

KEPT = timedelta(minutes=5)
"""How long it is taken for true whose organisations somebody owns."""
KEPT_IN_PART = timedelta(seconds=30)
"""The same where GitHub did not tell of all."""
MOST_KEPT = 1000
"""People whose answers a process keeps."""

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

    def says_so(self, installation_id: int, question: Question) -> bool | None:
        """The answer; no where the installation is suspended, and None where GitHub gives none."""
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
            return None


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
        return bool(teams) and bool(
            self.organisations.says_so(
                account.installation_id,
                lambda github: any(github.is_team_member(org, team, login) for org, team in teams),
            )
        )


def own_teams(account: Account) -> list[tuple[str, str]]:
    """The teams that an organisation's policy names; one of another organisation counts for nothing."""
    named = (each.partition("/") for each in account.policy.portfolio_readers)
    return [(org, team) for org, _, team in named if org == account.name.lower()]


@dataclass(frozen=True, slots=True)
class Owned:
    """The accounts that somebody owns, by their installation, and until when that is taken for true."""

    accounts: Mapping[int, str]
    until: datetime


class Owners:
    """Who owns what the app is installed on: an organisation's owners, or the person whose account it is.

    The questions go from what GitHub lets an installation ask, on which the worker lives, so that answers are
    kept for some minutes and however many pages ask, each process asks once.
    """

    def __init__(self, organisations: Organisations, clock: Callable[[], datetime]) -> None:
        self._organisations, self._clock = organisations, clock
        self._kept: dict[tuple[int, str], Owned] = {}
        self._asking: dict[tuple[int, str], asyncio.Task[Owned]] = {}

    async def accounts_of(self, person_id: int, login: str) -> Mapping[int, str]:
        """The accounts that somebody owns; the login is theirs now, and may have been another's before."""
        person = person_id, login
        kept = self._kept.get(person)
        if kept is None or kept.until <= self._clock():
            # Who leaves the page leaves the others that wait for the same answer alone.
            kept = await asyncio.shield(self._asking.get(person) or self._begin(person))
        return kept.accounts

    def _begin(self, person: tuple[int, str]) -> asyncio.Task[Owned]:
        task = asyncio.create_task(self._ask(person))
        self._asking[person] = task
        task.add_done_callback(lambda _: self._asking.pop(person, None))
        return task

    async def _ask(self, person: tuple[int, str]) -> Owned:
        now = self._clock()
        accounts, whole = await run_in_threadpool(self._accounts_of, person[1])
        owned = Owned(accounts, now + (KEPT if whole else KEPT_IN_PART))
        self._kept.pop(person, None)
        self._kept[person] = owned
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return owned

    def _accounts_of(self, login: str) -> tuple[Mapping[int, str], bool]:
        """The accounts, and whether GitHub told of all."""
        said = [(account, self._owns(account, login)) for account in self._organisations.accounts()]
        owned = {account.installation_id: account.name for account, owns in said if owns}
        return owned, all(owns is not None for _, owns in said)

    def _owns(self, account: Account, login: str) -> bool | None:
        return account.name.lower() == login.lower() or self._organisations.says_so(
            account.installation_id, lambda github: github.is_owner(account.name, login)
        )
