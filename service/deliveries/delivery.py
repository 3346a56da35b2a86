"""The body of a delivery, and what every route takes from it or makes of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import msgspec

from service.deliveries.payloads import (
    Account,
    CommentPayload,
    Commit,
    DeploymentPayload,
    DeploymentStatusPayload,
    InstallationPayload,
    IssuePayload,
    Label,
    MergeGroup,
    PropertyValue,
    PullRequestPayload,
    RepositoryPayload,
    RerunPayload,
    ReviewPayload,
    Team,
)
from service.rules.policy.model import POLICY_REPOSITORY
from service.rules.values.activity import Activity, facts_of
from service.rules.values.github import EventKind, EventRecord
from service.rules.values.subjects import DeliveryEffects

T = TypeVar("T")


class Delivery(msgspec.Struct):
    """Any event: each has some of these."""

    action: str | None = None
    installation: InstallationPayload | None = None
    sender: Account | None = None
    repository: RepositoryPayload | None = None
    repositories: tuple[RepositoryPayload, ...] = ()
    repositories_added: tuple[RepositoryPayload, ...] = ()
    repositories_removed: tuple[RepositoryPayload, ...] = ()
    new_property_values: tuple[PropertyValue, ...] = ()
    pull_request: PullRequestPayload | None = None
    requested_reviewer: Account | None = None
    requested_team: Team | None = None
    before: str | None = None
    after: str | None = None
    ref: str | None = None
    forced: bool = False
    commits: tuple[Commit, ...] | None = None
    merge_group: MergeGroup | None = None
    check_run: RerunPayload | None = None
    check_suite: RerunPayload | None = None
    issue: IssuePayload | None = None
    label: Label | None = None
    comment: CommentPayload | None = None
    review: ReviewPayload | None = None
    deployment: DeploymentPayload | None = None
    deployment_status: DeploymentStatusPayload | None = None
    deployment_callback_url: str | None = None
    environment: str | None = None
    sha: str | None = None

    @property
    def here(self) -> RepositoryPayload:
        """The repository that it is about: `route` refuses a delivery that should name one and does not."""
        assert self.repository is not None
        return self.repository

    @property
    def sent_by(self) -> str:
        """The login of the account that caused it, a bot's too."""
        return self.sender.login if self.sender else ""

    @property
    def is_about_policy_repository(self) -> bool:
        """Whether it is about the repository in which the account's policy stands."""
        return self.repository is not None and holds_policy(self.repository)

    @property
    def pushed_at(self) -> datetime:
        """When a push happened; GitHub dates it by the repository's `pushed_at`."""
        described = self.here.described()
        return (described[0].pushed_at if described else None) or datetime.now(UTC)

    @property
    def effects(self) -> Callable[..., DeliveryEffects]:
        """Makes effects with what every delivery says: its installation, and its repository's description."""
        assert self.installation is not None
        return partial(
            DeliveryEffects,
            installation_id=self.installation.id,
            repository_id=self.repository.id if self.repository else None,
            action=self.action,
            repositories=self.repository.described() if self.repository else (),
        )

    def ignored(self, reason: str) -> DeliveryEffects:
        """That it means nothing, and why."""
        return DeliveryEffects(
            installation_id=self.installation.id if self.installation else None,
            repository_id=self.repository.id if self.repository else None,
            action=self.action,
            ignored=reason,
        )

    def activities(self, *activities: Activity) -> tuple[EventRecord, ...]:
        """What somebody did, as events of the repository; nothing of what bots do."""
        return facts_of(self.here.id, *activities)


Route = Callable[[Delivery], DeliveryEffects]


class Unroutable(msgspec.Struct):
    """An event that we do not know: only who sent it."""

    action: str | None = None
    installation: InstallationPayload | None = None


_delivery = msgspec.json.Decoder(Delivery)
_unroutable = msgspec.json.Decoder(Unroutable)


def decode(body: bytes) -> Delivery:
    """Read the fields that we use; `ValueError` says what is wrong with the body."""
    try:
        return _delivery.decode(body)
    except RecursionError as error:
        raise ValueError("JSON is nested too deeply") from error


def decode_unroutable(body: bytes) -> Delivery:
    """Read who sent an event that we do not use, whatever shape the rest of it has."""
    try:
        known = _unroutable.decode(body)
    except msgspec.ValidationError:
        return Delivery()
    except RecursionError as error:
        raise ValueError("JSON is nested too deeply") from error
    return Delivery(action=known.action, installation=known.installation)


def needed(part: T | None, refusal: str) -> T:
    """A part that an event must have; `ValueError` where it is missing."""
    if part is None:
        raise ValueError(refusal)
    return part


def event(  # noqa: PLR0917 - the columns of an event
    subject: str, name: str, kind: EventKind, at: datetime, actor: str = "", detail: str = ""
) -> EventRecord:
    """An event of a subject, whose id is the subject's with a name."""
    return EventRecord(f"{subject}:{name}", subject, kind, at, actor, detail)


def person(*accounts: Account | None) -> str:
    """The login of the first that is a person's; nothing where all are bots, or nobody's."""
    return next((account.login for account in accounts if account and account.is_person), "")


def holds_policy(repository: RepositoryPayload) -> bool:
    """Whether it is where the account's policy stands."""
    return repository.full_name.endswith(f"/{POLICY_REPOSITORY}")
