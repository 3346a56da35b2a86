"""What can be reconciled, by its key; and what a delivery means for that."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from service.rules.queue import Urgency
from service.rules.values.github import (
    EventKind,
    EventRecord,
    Installation,
    PullRequest,
    Repository,
    RepositoryRef,
)

PocId = NewType("PocId", int)
"""Names the record of a POC, which is a charter at its path in a repository. GitHub never sees it."""


class SubjectKind(StrEnum):
    """The kinds of things that are reconciled."""

    INSTALLATION = "installation"
    REPOSITORY = "repository"
    PULL_REQUEST = "pull_request"
    MERGE_GROUP = "merge_group"
    DEPLOYMENT = "deployment"
    DIGEST = "digest"
    POLICY = "policy"
    POLICY_CHANGE = "policy_change"


AWAITED = (
    SubjectKind.PULL_REQUEST,
    SubjectKind.MERGE_GROUP,
    SubjectKind.DEPLOYMENT,
    SubjectKind.POLICY_CHANGE,
)
"""What people wait for."""


def urgency_of(key: str) -> Urgency:
    """How urgent it is that a subject is looked at, by its kind."""
    return Urgency.PEOPLE if key.partition(":")[0] in AWAITED else Urgency.LATER


def installation_key(installation_id: int) -> str:
    """The subject of an installation."""
    return f"{SubjectKind.INSTALLATION}:{installation_id}"


def repository_key(repository_id: int) -> str:
    """The subject of a repository and its POC."""
    return f"{SubjectKind.REPOSITORY}:{repository_id}"


def pull_request_key(repository_id: int, number: int) -> str:
    """The subject of a pull request."""
    return f"{SubjectKind.PULL_REQUEST}:{repository_id}:{number}"


def merge_group_key(repository_id: int, head_sha: str, base_sha: str) -> str:
    """The subject of a merge queue's head, with the commit that it is built on."""
    return f"{SubjectKind.MERGE_GROUP}:{repository_id}:{head_sha}:{base_sha}"


def deployment_key(repository_id: int, deployment_id: int) -> str:
    """The subject of a deployment that waits for our answer."""
    return f"{SubjectKind.DEPLOYMENT}:{repository_id}:{deployment_id}"


def policy_key(installation_id: int) -> str:
    """The subject of an organisation's policy."""
    return f"{SubjectKind.POLICY}:{installation_id}"


def digest_key(installation_id: int) -> str:
    """The subject of an organisation's weekly digest."""
    return f"{SubjectKind.DIGEST}:{installation_id}"


def slack_key(installation_id: int) -> str:
    """The subject of the same digest, as it is sent to Slack."""
    return f"{SubjectKind.DIGEST}:{installation_id}:slack"


def policy_change_key(repository_id: int, number: int) -> str:
    """The subject of a pull request in the repository of the policy."""
    return f"{SubjectKind.POLICY_CHANGE}:{repository_id}:{number}"


A_FEW = 10
"""Repositories that are added at once, and still looked at before what the safety net marks."""


@dataclass(frozen=True, slots=True)
class DeliveryEffects:
    """A routed delivery; `ignored` says why nothing is to be done, and then the rest is empty."""

    installation_id: int | None = None
    repository_id: int | None = None
    action: str | None = None
    subjects: tuple[str, ...] = ()
    events: tuple[EventRecord, ...] = ()
    installation: Installation | None = None
    uninstalled: bool = False
    repositories: tuple[Repository, ...] = ()
    stubs: tuple[RepositoryRef, ...] = ()
    removed: tuple[int, ...] = ()
    pull_request: PullRequest | None = None
    branch: str | None = None
    """Where a commit is to go that may need our check run, also in a repository that isn't a POC."""
    rerun_sha: str | None = None
    """The commit whose check runs were asked for again."""
    for_pocs_only: bool = False
    """Whether it means nothing where the repository is known to be no POC, and is described as before."""
    describes_only: bool = False
    """Whether it means nothing where the repository is known, and is described as before."""
    tells_of_push: bool = False
    """Whether `pushed_at` is that of a push which this tells of, not of one that it has heard of."""
    logged_out: int | None = None
    """The account that took back what it had granted: its sessions end."""
    ignored: str | None = None

    def urgency(self, key: str) -> Urgency:
        """How urgent one of its subjects is: who gave a command waits for it, and nobody for many at once."""
        if any(event.kind is EventKind.COMMANDED and event.subject == key for event in self.events):
            return Urgency.PEOPLE
        if len(self.stubs) > A_FEW and key.startswith(SubjectKind.REPOSITORY):
            return Urgency.NOBODY
        return urgency_of(key)
