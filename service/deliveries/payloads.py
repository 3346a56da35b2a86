"""The parts of payloads, each with the fields that we read; unknown fields are skipped."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec

from service.rules.values.activity import is_merge
from service.rules.values.github import NO_REPLY, PERSON, Installation, Repository, RepositoryRef, is_bot

Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Number = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Time = Annotated[datetime, msgspec.Meta(tz=True)]
"""What the database can hold; `route` also looks at how early and how late a time is."""


class Account(msgspec.Struct):
    """A user, bot or organisation."""

    login: str
    type: str = PERSON
    id: Id | None = None

    @property
    def is_person(self) -> bool:
        """Whether a human acted; apps and bots do not count as activity."""
        return not is_bot(self.login, self.type, self.id)


class RepositoryPayload(msgspec.Struct):
    """`repository` of nearly every event; stubs have only the first two fields."""

    id: Id
    full_name: str
    default_branch: str | None = None
    private: bool = False
    archived: bool = False
    fork: bool = False
    is_template: bool = False
    has_issues: bool = True
    topics: tuple[str, ...] = ()
    custom_properties: dict[str, str | list[str] | None] | None = None
    pushed_at: Time | int | None = None
    updated_at: Time | int | None = None

    @property
    def ref(self) -> RepositoryRef:
        """How it is addressed."""
        return RepositoryRef(self.id, self.full_name)

    def described(self) -> tuple[Repository, ...]:
        """The repository as a value; nothing for a stub, which has no default branch."""
        if self.default_branch is None:
            return ()
        return (
            Repository(
                id=self.id,
                full_name=self.full_name,
                default_branch=self.default_branch,
                private=self.private,
                archived=self.archived,
                fork=self.fork,
                is_template=self.is_template,
                has_issues=self.has_issues,
                topics=self.topics,
                properties=properties_of(self.custom_properties),
                pushed_at=_moment(self.pushed_at),
                updated_at=_moment(self.updated_at),
            ),
        )


def properties_of(
    values: dict[str, str | list[str] | None] | None,
) -> dict[str, tuple[str, ...]] | None:
    """Custom properties, each with its values; one without a value is left out."""
    if values is None:
        return None
    return {
        name: (value,) if isinstance(value, str) else tuple(value) for name, value in values.items() if value
    }


class Stub(msgspec.Struct):
    """The repository of a branch."""

    id: Id


class Branch(msgspec.Struct):
    """`head` or `base` of a pull request; no repository where a fork was deleted."""

    ref: str
    sha: str
    repo: Stub | None = None

    def is_in(self, repository_id: int) -> bool:
        """Whether it is a branch of that repository, and of no fork."""
        return self.repo is not None and self.repo.id == repository_id


class Team(msgspec.Struct):
    """A team that was asked for a review."""

    slug: str


class PullRequestPayload(msgspec.Struct):
    """`pull_request` of its events; no user where the account was deleted."""

    number: Number
    state: str
    head: Branch
    base: Branch
    updated_at: Time
    user: Account | None = None
    merged: bool | None = None
    created_at: Time | None = None
    merged_at: Time | None = None
    draft: bool | None = None
    body: str | None = None
    assignees: tuple[Account | None, ...] = ()


class InstallationPayload(msgspec.Struct):
    """`installation`: whole in its own events, an id in all others."""

    id: Id
    account: Account | None = None
    permissions: dict[str, str] = {}
    suspended_at: Time | None = None
    updated_at: Time | int | None = None

    @property
    def changed_at(self) -> datetime:
        """When it was last changed."""
        return _moment(self.updated_at) or datetime.now(UTC)

    def described(self) -> Installation | None:
        """The installation as a value; None where only its id was sent."""
        if self.account is None:
            return None
        return Installation(self.id, self.account.login, self.permissions, self.suspended_at)


class Author(msgspec.Struct):
    """Who wrote a commit of a push; the login is known where the address is."""

    username: str | None = None
    email: str | None = None

    @property
    def is_bot(self) -> bool:
        """Whether that is a bot, by the login and by the id in the address."""
        known = NO_REPLY.fullmatch(self.email or "")
        login = self.username or (known["login"] if known else "")
        return is_bot(login, id=int(known["id"] or 0) if known else None)


class Commit(msgspec.Struct):
    """A commit of a push: whether the push brought it, what it says, and which paths it names."""

    id: str = ""
    distinct: bool = True
    message: str = ""
    author: Author | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()

    @property
    def paths(self) -> frozenset[str]:
        """Every path that it names."""
        return frozenset((*self.added, *self.removed, *self.modified))

    @property
    def is_a_persons_own(self) -> bool:
        """Whether it is somebody's work: no bot's, and more than taking in another branch."""
        by_bot = self.author is not None and self.author.is_bot
        return not by_bot and not is_merge(self.message)


class MergeGroup(msgspec.Struct):
    """`merge_group`: a merge queue's head."""

    head_sha: str
    base_sha: str
    base_ref: str | None = None


class RerunPayload(msgspec.Struct):
    """`check_run` or `check_suite`: either names the commit whose check runs are asked for again."""

    head_sha: str


class Label(msgspec.Struct):
    """A label of an issue, or the one that an event is about."""

    name: str


class PullRequestLink(msgspec.Struct):
    """`issue.pull_request`: it is there where the issue is a pull request."""


class IssuePayload(msgspec.Struct):
    """`issue`: enough to tell whether it is ours."""

    id: Id
    number: Number
    updated_at: Time
    user: Account | None = None
    body: str | None = None
    labels: tuple[Label | None, ...] = ()
    pull_request: PullRequestLink | None = None


class CommentPayload(msgspec.Struct):
    """`comment` on an issue or a pull request."""

    id: Id
    created_at: Time
    user: Account | None = None
    body: str | None = None


class ReviewPayload(msgspec.Struct):
    """`review` of a pull request; `submitted_at` stays when it is dismissed."""

    id: Id
    state: str
    user: Account | None = None
    commit_id: str | None = None
    submitted_at: Time | None = None
    body: str | None = None


class DeploymentPayload(msgspec.Struct):
    """`deployment`: a commit on its way to an environment."""

    id: Id
    sha: str
    environment: str
    created_at: Time | None = None
    creator: Account | None = None


class DeploymentStatusPayload(msgspec.Struct):
    """`deployment_status`: how a deployment stands."""

    id: Id
    state: str
    created_at: Time | None = None


class PropertyValue(msgspec.Struct):
    """A custom property's new value."""

    property_name: str
    value: str | list[str] | None = None


def _moment(value: datetime | int | None) -> datetime | None:
    """GitHub writes a repository's times as seconds in a push, and as text everywhere else."""
    if not isinstance(value, int):
        return value
    try:
        return datetime.fromtimestamp(value, UTC)
    except OverflowError as error:
        raise ValueError(f"{value} is not a time") from error
