"""What a person may do in a POC's repository, asked of GitHub."""

from __future__ import annotations

from service.ports import GitHub
from service.rules.facts import RepositoryRef
from service.rules.outside import Access, access_of


def ask_access(github: GitHub, repository: RepositoryRef, login: str) -> Access:
    """Ask for a permission and, where it lets them write, whether the account can use it."""
    found = access_of(github.permission(repository, login))
    return Access.SUSPENDED if found is Access.WRITE and github.is_suspended(login) else found
