"""What people did in a repository lately, as happenings of its timeline; bounded, since it is read once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from github import GithubException

from service.github_client.connection import PAGE, Connection, committed_at
from service.github_client.errors import CONFLICT, translated
from service.github_client.history_query import QUERY, Lists, Raw, lists_of
from service.ports import Beginnings, GitHubError
from service.rules.source.text import CHARTER_PATH
from service.rules.values import activity
from service.rules.values.activity import Activity
from service.rules.values.github import PERSON, RepositoryRef, is_bot

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

    def beginnings(
        self, repository: RepositoryRef, default_branch: str, since: datetime
    ) -> Beginnings | None:
        """Ask for everything at once; without a whole answer each list is to be read by itself."""
        owner, _, name = repository.full_name.partition("/")
        branch, asked_since = f"refs/heads/{default_branch}", _as_asked(since)
        asked = {"owner": owner, "name": name, "branch": branch, "charter": CHARTER_PATH}
        what = f"reading what happened in {repository.full_name}"
        try:
            data, errors = self._graphql(what, QUERY, **asked, since=asked_since)
            with translated(what):
                found = None if errors else data["repository"]
                if not found or found["databaseId"] != repository.id:
                    return None
                lists = lists_of(found)
                if lists.has_more_commits:
                    query = _commits_since(default_branch, since)
                    more = self._at(repository, what, lambda name: self._more_commits(name, query))
                    lists = replace(lists, commits=[*lists.commits, *more])
                activities = tuple(_happened(repository, since, lists))
        except GitHubError:
            return None
        return Beginnings(activities, lists.open_pull_requests)

    def _commits(self, repository: RepositoryRef, branch: str, since: datetime) -> Iterator[Activity]:
        query = _commits_since(branch, since)
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
        charters = self._shown(repository, "commits", {**query, "path": CHARTER_PATH})
        yield from _committed(repository, commits, charters or ())

    def _pull_request(self, repository: RepositoryRef, pull: Raw) -> Iterator[Activity]:
        events = self._shown(repository, f"issues/{pull['number']}/timeline", WHOLE, TIMELINE_PAGES)
        if events is not None:
            yield from _pulled(repository, pull, events)
            return
        yield _opened(repository, pull)
        yield from self._without_timeline(repository, pull)

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
            if _at(raw["created_at"]) >= since:
                statuses = self._shown(repository, f"deployments/{raw['id']}/statuses", WHOLE)
                yield from _deployed(repository, raw, statuses or ())

    def _shown(self, repository: RepositoryRef, path: str, query: Query, pages: int = 1) -> list[Raw] | None:
        """A list; None where there is no such list, or we are not shown it."""
        what = f"reading {path} of {repository.full_name}"
        return self._if_shown(repository, what, lambda name: self._newest(name, path, query, pages))

    def _more_commits(self, name: str, query: Query) -> list[Raw]:
        """Those that follow the first hundred."""
        return self._newest(name, "commits", query, COMMIT_PAGES, first=2)

    def _newest(self, name: str, path: str, query: Query, pages: int, *, first: int = 1) -> list[Raw]:
        listed: list[Raw] = []
        for page in range(first, pages + 1):
            found = self._get(f"/repos/{name}/{path}", **query, page=page)
            listed += found
            if len(found) < int(query["per_page"]):
                break
        return listed


def _commits_since(branch: str, since: datetime) -> Query:
    return {"sha": branch, "since": _as_asked(since), "per_page": PAGE}


def _happened(repository: RepositoryRef, since: datetime, lists: Lists) -> Iterator[Activity]:
    yield from _committed(repository, lists.commits, lists.charters)
    for pull, events in lists.pulls:
        if _at(pull["updated_at"]) >= since:
            yield from _pulled(repository, pull, events)
    for raw, statuses in lists.deployments:
        if _at(raw["created_at"]) >= since:
            yield from _deployed(repository, raw, statuses)


def _committed(
    repository: RepositoryRef, commits: Sequence[Raw], charters: Sequence[Raw]
) -> Iterator[Activity]:
    for raw in commits:
        at = committed_at(raw)
        if at and len(raw["parents"]) < MERGED:
            yield activity.commit(repository.id, raw["sha"], _person(raw.get("author")), at)
    for raw in charters:
        if at := committed_at(raw):
            yield activity.charter(repository.id, raw["sha"], _person(raw.get("author")), at)


def _opened(repository: RepositoryRef, pull: Raw) -> Activity:
    number, author = int(pull["number"]), _person(pull.get("user"))
    return activity.opened(repository.id, number, author, _at(pull["created_at"]))


def _pulled(repository: RepositoryRef, pull: Raw, events: Sequence[Raw]) -> Iterator[Activity]:
    number, author = int(pull["number"]), _person(pull.get("user"))
    yield _opened(repository, pull)
    if _opened_as_draft(pull, events):
        yield activity.drafted(repository.id, number, author, _at(pull["created_at"]))
    for event in events:
        yield from _told(repository, number, event)


def _deployed(repository: RepositoryRef, raw: Raw, statuses: Sequence[Raw]) -> Iterator[Activity]:
    done = [status for status in statuses if status["state"] == SUCCESS]
    if done:
        first = min(done, key=lambda status: _at(status["created_at"]))
        actor = _person(raw.get("creator")) or _person(first.get("creator"))
        yield activity.deployed(
            repository.id, raw["environment"], raw["sha"], actor, _at(first["created_at"])
        )


def _opened_as_draft(pull: Raw, events: Sequence[Raw]) -> bool:
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
