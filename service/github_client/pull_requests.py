"""Pull requests, what became of the reviews on them, and those of our own: one commit of the charter."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from github import GithubException
from github.NamedUser import NamedUser
from github.PullRequest import PullRequest as GithubPullRequest
from github.Repository import Repository as GithubRepository

from service.github_client.connection import PAGE, Connection
from service.github_client.contents import Contents
from service.github_client.errors import CONFLICT, UNPROCESSABLE, said_by
from service.ports import GitHubError
from service.rules.queue import Failure, FailureKind
from service.rules.source.text import CHARTER_PATH
from service.rules.values.actions import Proposal, ProposalState, Proposed
from service.rules.values.github import APP_USER, PullRequest, RepositoryRef, is_bot

DISMISSED = "review_dismissed"


class PullRequests(Connection):
    """Reads pull requests."""

    def open_pull_requests(self, repository: RepositoryRef) -> Iterator[PullRequest]:
        """List the open pull requests, newest first."""
        what = f"listing the pull requests of {repository.full_name}"

        def listed(repo: GithubRepository) -> list[PullRequest]:
            return [_pull_request(repository.id, pull) for pull in repo.get_pulls(state="open")]

        return iter(self._repo(repository, what, listed))

    def pull_request(self, repository: RepositoryRef, number: int) -> PullRequest:
        """Read one pull request."""
        what = f"reading {repository.full_name}#{number}"
        pull = self._repo(repository, what, lambda repo: repo.get_pull(number))
        return _pull_request(repository.id, pull)

    def head_branch(self, repository: RepositoryRef, number: int) -> str | None:
        """Ask for the pull request: its branch may be in a fork, and a fork may be deleted."""

        def read(repo: GithubRepository) -> str | None:
            head = repo.get_pull(number).head
            place: GithubRepository | None = head.repo  # nothing where a fork was deleted
            return head.ref if place is not None and place.id == repository.id else None

        return self._repo(repository, f"reading {repository.full_name}#{number}", read)

    def dismissed_by_push(self, repository: RepositoryRef, number: int, review_id: int) -> bool:
        """Look for the commit that a review was dismissed by; GitHub names none where a person did it."""

        def look(name: str) -> bool:
            for event in self._pages(f"/repos/{name}/issues/{number}/events"):
                review = event.get("dismissed_review") or {}
                if event.get("event") == DISMISSED and review.get("review_id") == review_id:
                    return bool(review.get("dismissal_commit_id"))
            return False

        what = f"reading the events of {repository.full_name}#{number}"
        try:
            return self._at(repository, what, look, gone_is_an_answer=True)
        except GitHubError as error:
            if not error.gone:
                raise
            return False


class ReviewersClient(Connection):
    """Asks for reviews with a token that is for nothing else."""

    def ask(self, repository: RepositoryRef, number: int, login: str) -> None:
        """Ask one person: of several GitHub refuses all for the sake of one."""
        what = f"asking {login} for a review of {repository.full_name}#{number}"
        path = f"pulls/{number}/requested_reviewers"
        self._at(
            repository, what, lambda name: self._send("POST", f"/repos/{name}/{path}", {"reviewers": [login]})
        )


def _pull_request(repository_id: int, pull: GithubPullRequest) -> PullRequest:
    author: NamedUser | None = pull.user  # nobody where the account was deleted
    return PullRequest(
        repository_id=repository_id,
        number=pull.number,
        head_sha=pull.head.sha,
        base_ref=pull.base.ref,
        base_sha=pull.base.sha,
        author=author.login if author else "",
        state="merged" if pull.merged_at else pull.state,
        updated_at=pull.updated_at or pull.created_at,
        behind=next((each.login for each in (author, *pull.assignees) if each and not _is_bot(each)), ""),
    )


def _is_bot(account: NamedUser) -> bool:
    return is_bot(account.login, account.type, account.id)


EXISTS = "already exists"
"""What GitHub says of a branch that is there, and of a pull request."""


class ProposalsClient(Contents):
    """Opens pull requests with a token that is for nothing else."""

    def find(self, repository: RepositoryRef, branch: str) -> Proposed | None:
        """The newest pull request that an app opened from a branch of this repository."""
        ours = (raw for raw in self._listed(repository, branch) if _is_ours(raw))
        return next((_proposed(raw) for raw in ours), None)

    def open(self, repository: RepositoryRef, proposal: Proposal) -> Proposed:
        """Branch off where the charter is the one that is meant, write it there, open the pull request."""
        base = self._head(repository, proposal.base)
        stands = self.charter_file(repository, base)
        if stands.blob_sha != proposal.blob_sha:
            raise _refused(f"the charter of {repository.full_name} on {proposal.base} is another by now")
        head = self._branch(repository, proposal.branch, base)
        if head != base:
            stands = self.charter_file(repository, head)
        if stands.data != proposal.data:
            if stands.blob_sha != proposal.blob_sha:
                raise _refused(f"the charter of {repository.full_name} on {proposal.branch} is another")
            self._commit(repository, proposal)
        return self._pull(repository, proposal)

    def _head(self, repository: RepositoryRef, branch: str) -> str:
        what = f"reading branch {branch} of {repository.full_name}"
        path = f"git/ref/heads/{quote(branch)}"
        return self._at(
            repository, what, lambda name: str(self._get(f"/repos/{name}/{path}")["object"]["sha"])
        )

    def _branch(self, repository: RepositoryRef, branch: str, base: str) -> str:
        """Where our branch stands, made at `base` unless it is there."""

        def create(name: str) -> str | None:
            try:
                self._send("POST", f"/repos/{name}/git/refs", {"ref": f"refs/heads/{branch}", "sha": base})
            except GithubException as error:
                if error.status != UNPROCESSABLE or EXISTS not in said_by(error):
                    raise
                return None
            return base

        what = f"creating branch {branch} of {repository.full_name}"
        return self._at(repository, what, create) or self._head(repository, branch)

    def _commit(self, repository: RepositoryRef, proposal: Proposal) -> None:
        what = f"writing {CHARTER_PATH} on {proposal.branch} of {repository.full_name}"
        body = {
            "message": proposal.title,
            "content": base64.b64encode(proposal.data).decode("ascii"),
            "sha": proposal.blob_sha,
            "branch": proposal.branch,
        }

        def put(name: str) -> None:
            try:
                path = f"/repos/{name}/contents/{CHARTER_PATH}"
                self._send("PUT", path, body)
            except GithubException as error:
                if error.status != CONFLICT:
                    raise
                # Said by branch protection as well, and of a path that is a link; neither gets better.
                raise _refused(f"{what}: GitHub says {error.status}, {said_by(error)}") from error

        self._at(repository, what, put)

    def _pull(self, repository: RepositoryRef, proposal: Proposal) -> Proposed:
        what = f"opening a pull request from {proposal.branch} in {repository.full_name}"
        body = {
            "title": proposal.title,
            "body": proposal.body,
            "head": proposal.branch,
            "base": proposal.base,
        }

        def create(name: str) -> Proposed | None:
            try:
                return _proposed(self._send("POST", f"/repos/{name}/pulls", body))
            except GithubException as error:
                if error.status != UNPROCESSABLE or EXISTS not in str(error.data):
                    raise
                return None

        return self._at(repository, what, create) or self._present(repository, proposal.branch)

    def _present(self, repository: RepositoryRef, branch: str) -> Proposed:
        """The pull request of which GitHub says that it is there."""
        listed = self._listed(repository, branch)
        if listed and _is_ours(listed[0]):
            with self._translated(f"reading the pull requests of {repository.full_name}"):
                return _proposed(listed[0])
        what = f"a pull request from {branch} in {repository.full_name}"
        if listed:
            raise _refused(f"{what} is somebody else's")
        raise GitHubError(Failure(FailureKind.TRANSIENT, f"{what} is not shown yet"))

    def _listed(self, repository: RepositoryRef, branch: str) -> list[dict[str, Any]]:
        """The pull requests from a branch of this repository, newest first; a fork may have its name."""

        def read(name: str) -> list[dict[str, Any]]:
            head = f"{name.partition('/')[0]}:{branch}"
            listed = self._get(f"/repos/{name}/pulls", head=head, state="all", per_page=PAGE)
            return [raw for raw in listed if _is_from(raw, repository.id, branch)]

        return self._at(repository, f"listing the pull requests of {repository.full_name}", read)


def _is_from(raw: dict[str, Any], repository_id: int, branch: str) -> bool:
    head = raw["head"]
    return bool(head["ref"] == branch and head["repo"] and head["repo"]["id"] == repository_id)


def _is_ours(raw: dict[str, Any]) -> bool:
    return bool((raw["user"] or {}).get("type") == APP_USER)


def _proposed(raw: dict[str, Any]) -> Proposed:
    merged = ProposalState.MERGED if raw.get("merged_at") else None
    return Proposed(int(raw["number"]), merged or ProposalState(raw["state"]))


def _refused(message: str) -> GitHubError:
    return GitHubError(Failure(FailureKind.REFUSED, message))
