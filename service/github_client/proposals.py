"""Pull requests of our own: a branch, one commit of the charter, and what brings it to the default branch."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

from github import GithubException

from service.github_client.connection import PAGE
from service.github_client.contents import Contents
from service.github_client.errors import CONFLICT, UNPROCESSABLE, said_by
from service.ports import GitHubError
from service.rules.queue import Failure, FailureKind
from service.rules.source.text import CHARTER_PATH
from service.rules.values.actions import Proposal, ProposalState, Proposed
from service.rules.values.github import APP_USER, RepositoryRef

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
