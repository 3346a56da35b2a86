"""An installation's repositories are listed, and those that changed are marked; its permissions are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from service.events.context import Decision, Look
from service.ports import GitHubError
from service.rules.facts import Repository

PAGE = 100


def look_at_installation(look: Look, installation_id: int) -> Decision:
    """List what the installation covers, a hundred a call, and mark what differs from what events told."""
    look.app.forget_token(installation_id)
    look.records.installations.remember(look.app.describe(installation_id))
    github = look.github(installation_id)
    repositories = look.records.repositories
    listed: list[int] = []
    changed: list[int] = []
    try:
        for page in _pages(github.repositories()):
            listed += [repository.id for repository in page]
            changed += repositories.listed(installation_id, page)
    except GitHubError as error:
        if not error.gone or listed:
            raise
        # A server without this list: look at those that events told of, each by its id.
        changed = repositories.ids(installation_id, pocs_only=False)
    else:
        repositories.keep_only(installation_id, listed)
    repositories.mark(changed)
    return Decision(f"{len(listed)} repositories listed, {len(changed)} to look at")


def _pages(repositories: Iterable[Repository]) -> Iterator[list[Repository]]:
    rest = iter(repositories)
    while page := list(islice(rest, PAGE)):
        yield page
