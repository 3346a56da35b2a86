"""What people did in a repository lately, as happenings of its timeline; bounded, since it is read once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from github import GithubException

from service.github_client.connection import PAGE, Connection
from service.github_client.errors import CONFLICT
from service.ports import GitHubError, RenamedError
from service.rules import deeds
from service.rules.charter.file import CHARTER_PATH
from service.rules.facts import RepositoryRef
from service.rules.retry import FailureKind
from service.rules.timeline import Happening

COMMIT_PAGES = 3
TIMELINE_PAGES = 3
PULL_REQUESTS = 30
DEPLOYMENTS = 10
SUCCESS = "success"

Raw = Mapping[str, Any]


class History(Connection):
    """Reads commits, pull requests with what happened on them, and deployments."""

    def history(
        self, repository: RepositoryRef, default_branch: str, since: datetime
    ) -> Iterator[Happening]:
        """Tell what people did since then; what a server does not know, or does not show us, is left out."""
        yield from self._commits(repository, default_branch, since)
        listing = {"state": "all", "sort": "updated", "direction": "desc", "per_page": PULL_REQUESTS}
        for pull in self._shown(repository, "pulls", **listing) or ():
            if _at(pull["updated_at"]) >= since:
                yield from self._pull_request(repository, pull)
        yield from self._deployments(repository, since)

    def _commits(self, repository: RepositoryRef, branch: str, since: datetime) -> Iterator[Happening]:
        listing = {"sha": branch, "since": since.astimezone(UTC).isoformat(), "per_page": PAGE}
        try:
            commits = self._listed(repository, "commits", COMMIT_PAGES, **listing)
        except GitHubError as error:
            cause = error.__cause__
            if not isinstance(cause, GithubException) or cause.status != CONFLICT:
                raise
            return  # an empty repository
        for raw in commits:
            if len(raw["parents"]) < 2:
                yield deeds.commit(repository.id, raw["sha"], _person(raw["author"]), _committed(raw))
        for raw in self._shown(repository, "commits", path=CHARTER_PATH, **listing) or ():
            yield deeds.charter(repository.id, raw["sha"], _person(raw["author"]), _committed(raw))

    def _pull_request(self, repository: RepositoryRef, pull: Raw) -> Iterator[Happening]:
        number, author = int(pull["number"]), _person(pull["user"])
        opened_at = _at(pull["created_at"])
        yield deeds.opened(repository.id, number, author, opened_at)
        events = self._shown(
            repository, f"issues/{number}/timeline", pages=TIMELINE_PAGES, per_page=PAGE
        )
        if events is None:
            yield from self._without_timeline(repository, pull)
            return
        told = [each for event in events for each in _told(repository.id, number, event)]
        if pull.get("draft") and not any(each.id.startswith(_drafted(repository.id, number)) for each in told):
            yield deeds.drafted(repository.id, number, author, opened_at)
        yield from told

    def _without_timeline(self, repository: RepositoryRef, pull: Raw) -> Iterator[Happening]:
        """Reviews, and who is asked now: since the last change, for all that is known."""
        number, author, changed_at = int(pull["number"]), _person(pull["user"]), _at(pull["updated_at"])
        for review in self._shown(repository, f"pulls/{number}/reviews", per_page=PAGE) or ():
            yield from _reviewed(repository.id, number, review)
        if pull.get("draft"):
            yield deeds.drafted(repository.id, number, author, _at(pull["created_at"]))
        if pull["state"] == "open":
            teams = [{"requested_team": team} for team in pull.get("requested_teams") or ()]
            people = [{"requested_reviewer": user} for user in pull.get("requested_reviewers") or ()]
            for asked in filter(None, (_asked(repository, each) for each in (*people, *teams))):
                yield deeds.requested(repository.id, number, asked, author, changed_at)

    def _deployments(self, repository: RepositoryRef, since: datetime) -> Iterator[Happening]:
        for raw in self._shown(repository, "deployments", per_page=DEPLOYMENTS) or ():
            if _at(raw["created_at"]) < since:
                continue
            statuses = self._shown(repository, f"deployments/{raw['id']}/statuses", per_page=PAGE) or ()
            done = [status for status in statuses if status["state"] == SUCCESS]
            if done:
                first = min(done, key=lambda status: _at(status["created_at"]))
                actor = _person(raw["creator"]) or _person(first["creator"])
                at = _at(first["created_at"])
                yield deeds.deployed(repository.id, raw["environment"], raw["sha"], actor, at)

    def _shown(
        self, repository: RepositoryRef, path: str, *, pages: int = 1, **listing: str | int
    ) -> list[Raw] | None:
        """A list; None where there is no such list, or we are not shown it."""
        try:
            return self._listed(repository, path, pages, **listing)
        except RenamedError:
            raise
        except GitHubError as error:
            if error.failure.kind not in (FailureKind.GONE, FailureKind.REFUSED):
                raise
            return None

    def _listed(
        self, repository: RepositoryRef, path: str, pages: int, **listing: str | int
    ) -> list[Raw]:
        def read(name: str) -> list[Raw]:
            listed: list[Raw] = []
            for page in range(1, pages + 1):
                found = self._get(f"/repos/{name}/{path}", page=page, **listing)
                listed += found
                if len(found) < int(listing["per_page"]):
                    break
            return listed

        what = f"reading {path} of {repository.full_name}"
        return self._at(repository, what, read, gone_is_an_answer=path != "commits")
