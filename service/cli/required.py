"""In how many repositories of POCs a ruleset requires our check run: without that it holds nothing up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import Engine

from service.ports import GitHubApp, GitHubError
from service.rules.source.text import listed
from service.rules.values.actions import CHARTER_CHECK
from service.rules.values.github import Installation, Repository
from service.store.database import Database
from service.store.installations import Installations
from service.store.repositories import Repositories

MOST_ASKED = 100
"""Repositories of one account: each is a call."""
MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the rulesets of one account require."""

    account: str
    asked: int
    """Of how many repositories GitHub was asked; their default branches count."""
    pocs: int
    without: tuple[str, ...]
    """Those whose rulesets do not require it."""
    unknown: str = ""
    """Why GitHub doesn't tell."""

    @property
    def says(self) -> str:
        """It in a sentence or two."""
        if self.unknown:
            return f"we don't know whether a ruleset requires it: {self.unknown}"
        first = f" that were asked about, of {self.pocs}" if self.asked < self.pocs else ""
        count = f"required by a ruleset in {self.asked - len(self.without)} of {self.asked} POC repositories"
        if not self.without:
            return f"{count}{first}"
        names, more = self.without[:MOST_NAMED], len(self.without) - MOST_NAMED
        others = (f"{more} more",) if more > 0 else ()
        return (
            f"{count}{first}. A red check holds nothing up in {listed((*names, *others))}: add them to the "
            "ruleset, unless their branch protection requires it"
        )


def coverages(app: GitHubApp, engine: Engine) -> Iterator[Coverage]:
    """Ask GitHub about the default branch of each POC that is known, by account."""
    installations, repositories = Installations(Database(engine)), Repositories(Database(engine))
    for installation_id in installations.known():
        known = installations.find(installation_id)
        if known is None or known.installation.suspended_at is not None:
            continue
        if pocs := repositories.ids(installation_id, pocs_only=True):
            asked = [each.repository for each in map(repositories.find, pocs[:MOST_ASKED]) if each]
            yield _coverage(app, known.installation, asked, len(pocs))


def _coverage(app: GitHubApp, installation: Installation, asked: list[Repository], pocs: int) -> Coverage:
    try:
        with closing(app.installation(installation)) as client:
            without = tuple(
                each.full_name
                for each in asked
                if not client.requires_check(each.ref, each.default_branch, CHARTER_CHECK)
            )
    except GitHubError as error:
        return Coverage(installation.account, 0, pocs, (), error.failure.message)
    return Coverage(installation.account, len(asked), pocs, without)
