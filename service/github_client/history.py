"""What people did in a repository lately, as happenings of its timeline; bounded, since it is read once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from github import GithubException

from service.github_client.connection import PAGE, Connection, committed_at
from service.github_client.errors import CONFLICT
from service.ports import GitHubError
from service.rules.source.text import CHARTER_PATH
from service.rules.values import activity
from service.rules.values.activity import Activity
from service.rules.values.github import PERSON, RepositoryRef, is_bot

Raw = Mapping[str, Any]
Query = Mapping[str, str | int]

COMMIT_PAGES = 3
TIMELINE_PAGES = 3
LATEST: Query = {"per_page": 10}
RECENTLY_CHANGED: Query = {"state": "all", "sort": "updated", "direction": "desc", "per_page": 30}
WHOLE: Query = {"per_page": PAGE}
SUCCESS = "success"
MERGED = 2
"""Parents of a commit that takes in another branch."""
EVENTS = frozenset(
    {
        "merged",
        "reopened",
        "ready_for_review",
        "convert_to_draft",
        "review_requested",
        "review_request_removed",
    }
)
"""Of a pull request's own timeline, besides reviews."""


class History(Connection):
    """Reads commits, pull requests with what happened on them, and deployments."""

    def history(self, repository: RepositoryRef, default_branch: str, since: datetime) -> Iterator[Activity]:
        """Tell what people did since then; what a server does not know, or does not show us, is left out."""
        with self._translated(f"reading what happened in {repository.full_name}"):
            yield from self._commits(repository, default_branch, since)
            for pull in self._shown(repository, "pulls", RECENTLY_CHANGED) or ():
                if _at(pull["updated_at"]) >= since:
                    yield from self._pull_request(repository, pull)
            yield from self._deployments(repository, since)

    def _commits(self, repository: RepositoryRef, branch: str, since: datetime) -> Iterator[Activity]:
        query: dict[str, str | int] = {"sha": branch, "since": _as_asked(since), "per_page": PAGE}
        what = f"reading commits of {repository.full_name}"
        try:
            commits = self._at(
                repository,
                what,
                lambda name: self._newest(name, "commits", query, COMMIT_PAGES),
                gone_is_an_answer=True,
            )
        except GitHubError as error:
            cause = error.__cause__
            if not isinstance(cause, GithubException) or cause.status != CONFLICT:
                raise
            return  # an empty repository
        for raw in commits:
            at = committed_at(raw)
            if at and len(raw["parents"]) < MERGED:
                yield activity.commit(repository.id, raw["sha"], _person(raw.get("author")), at)
        for raw in self._shown(repository, "commits", query | {"path": CHARTER_PATH}) or ():
            if at := committed_at(raw):
                yield activity.charter(repository.id, raw["sha"], _person(raw.get("author")), at)

    def _pull_request(self, repository: RepositoryRef, pull: Raw) -> Iterator[Activity]:
        number, author = int(pull["number"]), _person(pull.get("user"))
        opened_at = _at(pull["created_at"])
        yield activity.opened(repository.id, number, author, opened_at)
        events = self._shown(repository, f"issues/{number}/timeline", WHOLE, TIMELINE_PAGES)
        if events is None:
            yield from self._without_timeline(repository, pull)
            return
        if _opened_as_draft(pull, events):
            yield activity.drafted(repository.id, number, author, opened_at)
        for event in events:
            yield from _told(repository, number, event)

    def _without_timeline(self, repository: RepositoryRef, pull: Raw) -> Iterator[Activity]:
        """Reviews, and who is asked now: since the last change, for all that is known."""
        number, author, changed_at = int(pull["number"]), _person(pull.get("user")), _at(pull["updated_at"])
        for review in self._shown(repository, f"pulls/{number}/reviews", WHOLE) or ():
            yield from _reviewed(repository, number, review)
        if pull.get("draft"):
            yield activity.drafted(repository.id, number, author, _at(pull["created_at"]))
        if pull["state"] == "open":
            teams = [{"requested_team": team} for team in pull.get("requested_teams") or ()]
            people = [{"requested_reviewer": user} for user in pull.get("requested_reviewers") or ()]
            for asked in (_asked(repository, each) for each in (*people, *teams)):
                if asked:
                    yield activity.requested(repository.id, number, asked, author, changed_at)

    def _deployments(self, repository: RepositoryRef, since: datetime) -> Iterator[Activity]:
        for raw in self._shown(repository, "deployments", LATEST) or ():
            if _at(raw["created_at"]) < since:
                continue
            statuses = self._shown(repository, f"deployments/{raw['id']}/statuses", WHOLE) or ()
            done = [status for status in statuses if status["state"] == SUCCESS]
            if done:
                first = min(done, key=lambda status: _at(status["created_at"]))
                actor = _person(raw.get("creator")) or _person(first.get("creator"))
                at = _at(first["created_at"])
                yield activity.deployed(repository.id, raw["environment"], raw["sha"], actor, at)

    def _shown(self, repository: RepositoryRef, path: str, query: Query, pages: int = 1) -> list[Raw] | None:
        """A list; None where there is no such list, or we are not shown it."""
        what = f"reading {path} of {repository.full_name}"
        return self._if_shown(repository, what, lambda name: self._newest(name, path, query, pages))

    def _newest(self, name: str, path: str, query: Query, pages: int) -> list[Raw]:
        listed: list[Raw] = []
        for page in range(1, pages + 1):
            found = self._get(f"/repos/{name}/{path}", **query, page=page)
            listed += found
            if len(found) < int(query["per_page"]):
                break
        return listed


def _opened_as_draft(pull: Raw, events: list[Raw]) -> bool:
    kinds = [event.get("event") for event in events]
    turns = [kind for kind in kinds if kind in ("ready_for_review", "convert_to_draft")]
    return turns[0] == "ready_for_review" if turns else bool(pull.get("draft"))


def _told(repository: RepositoryRef, number: int, event: Raw) -> Iterator[Activity]:
    """What an event of a pull request's own timeline tells; most say nothing of what somebody did."""
    kind = event.get("event")
    if kind == "reviewed":
        yield from _reviewed(repository, number, event)
    if kind not in EVENTS:
        return
    actor, at = _person(event.get("actor")), _at(event["created_at"])
    asked = _asked(repository, event)
    if kind == "merged":
        yield activity.merged(repository.id, number, actor, at)
    elif kind in ("reopened", "ready_for_review"):
        yield activity.offered_again(repository.id, number, actor, at)
    elif kind == "convert_to_draft":
        yield activity.drafted(repository.id, number, actor, at)
    elif asked:
        removed = kind == "review_request_removed"
        yield activity.requested(repository.id, number, asked, actor, at, taken_back=removed)


def _reviewed(repository: RepositoryRef, number: int, review: Raw) -> Iterator[Activity]:
    """A review; one that is still being written has no time."""
    if review.get("submitted_at"):
        at = _at(review["submitted_at"])
        yield activity.reviewed(repository.id, number, int(review["id"]), _person(review.get("user")), at)


def _asked(repository: RepositoryRef, event: Raw) -> str:
    """Whom a review was asked of; nobody where it was a bot."""
    if team := event.get("requested_team"):
        return activity.team(repository.full_name, str(team["slug"]))
    return _person(event.get("requested_reviewer"))


def _person(user: Raw | None) -> str:
    """A person's login; nothing for bots, and for who is not on GitHub any more."""
    login = str((user or {}).get("login", ""))
    return login if user and not is_bot(login, user.get("type", PERSON), user.get("id")) else ""


def _as_asked(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _at(moment: str) -> datetime:
    return datetime.fromisoformat(moment)
