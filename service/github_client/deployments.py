"""Who may do what and belongs where, where it may run, and the answer to a deployment that waits for us."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from github import GithubException

from service.github_client.connection import PAGE, Connection
from service.github_client.errors import UNPROCESSABLE
from service.ports import GitHubError, RenamedError
from service.rules.queue import Failure, FailureKind
from service.rules.values.github import RepositoryRef

MOST_PAGES = 10
"""Of environments, a hundred each; a repository with more makes one for every branch."""


class Deployments(Connection):
    """Reads permissions and environments, and answers deployment protection rules."""

    def permission(self, repository: RepositoryRef, login: str) -> str | None:
        """What a person may do; None where GitHub doesn't know them."""
        what = f"asking what {login} may do in {repository.full_name}"
        try:
            path = f"collaborators/{quote(login, safe='')}/permission"
            return self._at(
                repository, what, lambda name: str(self._get(f"/repos/{name}/{path}")["permission"])
            )
        except RenamedError:
            raise
        except GitHubError as error:
            if not error.gone:
                raise
            return None

    def belongs(self, repository: RepositoryRef, login: str) -> bool:
        """Ask for a collaborator, then for a member; what we are not told counts for nothing."""
        person = quote(login, safe="")
        what = f"asking whether {login} belongs to {repository.full_name}"
        paths = (
            lambda name: f"/repos/{name}/collaborators/{person}",
            lambda name: f"/orgs/{name.partition('/')[0]}/members/{person}",
        )
        return any(self._answers(repository, what, path) for path in paths)

    def _answers(self, repository: RepositoryRef, what: str, path: Callable[[str], str]) -> bool:
        """Whether GitHub answers that something is so: it says no by finding nothing."""

        def found(name: str) -> bool:
            self._get(path(name))
            return True

        return bool(self._if_shown(repository, what, found))

    def account_ids(self, logins: Sequence[str]) -> Mapping[str, int]:
        """Ask for each; GitHub has no list of them."""
        found = {}
        for login in logins:
            try:
                with self._translated(f"reading the account {login}"):
                    found[login] = int(self._get(f"/users/{quote(login, safe='')}")["id"])
            except GitHubError as error:
                if not error.gone:
                    raise
        return found

    def is_suspended(self, login: str) -> bool:
        """GitHub Enterprise Server names the moment (`suspended_at`); github.com shows no such account."""
        try:
            with self._translated(f"reading the account {login}"):
                return bool(self._get(f"/users/{quote(login, safe='')}").get("suspended_at"))
        except GitHubError as error:
            if not error.gone:
                raise
            return True

    def environments(self, repository: RepositoryRef) -> frozenset[str] | None:
        """List the environments; None where GitHub has no such list, or does not show it to us."""

        def read(name: str) -> frozenset[str] | None:
            names: set[str] = set()
            for page in range(1, MOST_PAGES + 1):
                data = self._get(f"/repos/{name}/environments", per_page=PAGE, page=page)
                listed = data.get("environments") or []
                names |= {str(environment["name"]) for environment in listed}
                if not listed or page * PAGE >= data["total_count"]:
                    return frozenset(names)
            return None  # too many to list

        return self._if_shown(repository, f"listing the environments of {repository.full_name}", read)

    def answer_deployment(
        self, repository: RepositoryRef, run_id: int, environment: str, *, approved: bool, comment: str
    ) -> None:
        """Approve or reject; a 422 or a 404 says that this run waits for no answer of ours, or not yet."""
        state = "approved" if approved else "rejected"
        body = {"environment_name": environment, "state": state, "comment": comment}
        what = f"answering the deployment of run {run_id} of {repository.full_name}"

        def answer(name: str) -> None:
            self._send("POST", f"/repos/{name}/actions/runs/{run_id}/deployment_protection_rule", body)

        try:
            self._at(repository, what, answer)
        except GitHubError as error:
            cause = error.__cause__
            refused = isinstance(cause, GithubException) and cause.status == UNPROCESSABLE
            if not refused and not error.gone:
                raise
            raise GitHubError(Failure(FailureKind.UNSEEN, error.failure.message)) from cause


ACTIVE = "active"
"""Whoever was invited and has not answered is not a member yet."""
OWNER = "admin"


class Members(Connection):
    """The part of the client that is about people."""

    def is_team_member(self, organization: str, team: str, login: str) -> bool:
        """Also by a team below that one."""
        found = self._membership(f"/teams/{quote(team, safe='')}", organization, login)
        return found.get("state") == ACTIVE

    def is_owner(self, organization: str, login: str) -> bool:
        """As the organisation's membership says."""
        found = self._membership("", organization, login)
        return found.get("state") == ACTIVE and found.get("role") == OWNER

    def _membership(self, of: str, organization: str, login: str) -> dict[str, Any]:
        path = f"/orgs/{quote(organization, safe='')}{of}/memberships/{quote(login, safe='')}"
        try:
            with self._translated(f"reading whether {login} is a member in {organization}"):
                return dict(self._get(path))
        except GitHubError as error:
            if not error.gone:
                raise
            return {}
