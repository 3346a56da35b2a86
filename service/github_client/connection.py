"""One installation's connection: its token, the repositories under their present names, errors translated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from github import Github
from github.Repository import Repository as GithubRepository

from service.github_client.errors import SHOWN, UNAUTHORIZED, translated
from service.github_client.transport import MovedError
from service.ports import GitHubError, RenamedError
from service.rules.queue import Calls, Failure, FailureKind
from service.rules.values.github import Repository, RepositoryRef

T = TypeVar("T")

PAGE = 100
"""Things of one call, the most that GitHub lists."""
TOLD = tuple(field.name for field in fields(Repository) if field.name != "properties")
"""What a description of a repository has under our names; custom properties have a list of their own."""


@dataclass(slots=True)
class Server:
    """What was found out about GitHub's server; the clients of an app share it."""

    has_graphql: bool = True


class Connection:
    """Addresses repositories with one installation's token; the parts of the client build on it."""

    def __init__(
        self, client: Github, unauthorized: Callable[[], None], server: Server | None = None
    ) -> None:
        self._client = client
        self._unauthorized = unauthorized
        self._server = server or Server()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def calls_left(self) -> Calls | None:
        """What the newest answer said of the rate limit, without asking; None where none said anything."""
        requester = self._client.requester
        remaining, limit = requester.rate_limiting
        if limit <= 0:
            return None
        return Calls(limit, remaining, datetime.fromtimestamp(requester.rate_limiting_resettime, UTC))

    def repository(self, repository_id: int) -> Repository:
        """Look a repository up by its id."""
        with self._translated(f"looking up repository {repository_id}"):
            return _repository(self._get(f"/repositories/{repository_id}"))

    def repositories(self) -> Iterator[Repository]:
        """List the installation's repositories, a hundred a call."""
        page = 1
        while True:
            with self._translated("listing the installation's repositories"):
                data = self._get("/installation/repositories", per_page=PAGE, page=page)
                raws, total = data["repositories"], int(data["total_count"])
                found = list(map(_repository, raws))
            yield from found
            if page * PAGE >= total or not found:
                return
            page += 1

    def property_values(self, account: str) -> Iterator[tuple[int, Mapping[str, tuple[str, ...]]]]:
        """List the custom properties of the organisation's repositories."""
        with self._translated(f"listing the custom properties of {account}"):
            for raw in self._pages(f"/orgs/{account}/properties/values"):
                yield int(raw["repository_id"]), dict(_values(raw["properties"]))

    def _get(self, path: str, /, **parameters: str | int) -> Any:  # noqa: ANN401 (JSON)
        _, data = self._client.requester.requestJsonAndCheck("GET", path, parameters=parameters)
        return data

    def _send(self, verb: str, path: str, body: Mapping[str, object]) -> Any:  # noqa: ANN401 (JSON)
        _, data = self._client.requester.requestJsonAndCheck(verb, path, input=body)
        return data

    def _graphql(
        self, what: str, query: str, **variables: str
    ) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]:
        """What a query is answered, and the errors that the answer names; a server may have no GraphQL."""
        if not self._server.has_graphql:
            raise GitHubError(Failure(FailureKind.GONE, f"{what}: this GitHub has no GraphQL"))
        requester = self._client.requester
        try:
            # A refusal here says nothing of the token: a permission that GraphQL misses is a 401 too.
            with translated(what):
                asked = {"query": query, "variables": variables}
                _, said = requester.requestJsonAndCheck("POST", requester.graphql_url, input=asked)
                data, errors = said.get("data"), said.get("errors") or ()
        except GitHubError as error:
            self._server.has_graphql = not error.gone
            raise
        if not isinstance(data, dict):
            raise GitHubError(
                Failure(FailureKind.TRANSIENT, f"{what}: GraphQL answers {str(errors)[:SHOWN]}")
            )
        return data, errors

    def _pages(self, path: str) -> Iterator[Any]:
        """Each thing of a list, a hundred a call."""
        page = 1
        while True:
            listed = self._get(path, per_page=PAGE, page=page)
            yield from listed
            if len(listed) < PAGE:
                return
            page += 1

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            with translated(what):
                yield
        except GitHubError as error:
            if getattr(error.__cause__, "status", None) == UNAUTHORIZED:
                self._unauthorized()
            raise

    def _repo(self, repository: RepositoryRef, what: str, call: Callable[[GithubRepository], T]) -> T:
        return self._at(repository, what, lambda name: call(self._client.get_repo(name)))

    def _at(
        self,
        repository: RepositoryRef,
        what: str,
        call: Callable[[str], T],
        *,
        gone_is_an_answer: bool = False,
        of_commit: bool = False,
    ) -> T:
        """Call with the repository's name; a redirect or a 404 looks the name up by id.

        Raises `RenamedError` where it has another: what was read under the old one may be somebody else's.
        What is read `of_commit`, if it isn't there, may only not be visible yet.
        """
        try:
            with self._translated(what):
                return call(repository.full_name)
        except GitHubError as error:
            moved = isinstance(error.__cause__, MovedError)
            if not moved and (not error.gone or gone_is_an_answer):
                raise
            found = self.repository(repository.id)
            if found.full_name == repository.full_name:
                if of_commit and error.gone:
                    raise GitHubError(Failure(FailureKind.UNSEEN, error.failure.message)) from error.__cause__
                raise
            raise RenamedError(found) from error

    def _if_shown(self, repository: RepositoryRef, what: str, call: Callable[[str], T]) -> T | None:
        """The same; None where GitHub has no such thing, or does not show it to us."""
        try:
            return self._at(repository, what, call, gone_is_an_answer=True)
        except RenamedError:
            raise
        except GitHubError as error:
            if not error.final:
                raise
            return None


def committed_at(raw: Mapping[str, Any]) -> datetime | None:
    """When a commit came to be; None where it does not say by whom."""
    date = (raw["commit"]["committer"] or {}).get("date")
    return datetime.fromisoformat(date) if date else None


def _values(properties: list[dict[str, Any]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each property that has a value; one may have several."""
    for each in properties:
        if value := each["value"]:
            yield each["property_name"], (value,) if isinstance(value, str) else tuple(value)


def _repository(raw: Mapping[str, Any]) -> Repository:
    told = {name: raw[name] for name in TOLD if raw.get(name) is not None}
    return msgspec.convert(told, Repository)
