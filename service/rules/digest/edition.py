"""A composed weekly digest for one channel, and why it could not be delivered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Channel(StrEnum):
    """Where a digest is sent; each channel has its own weeks."""

    CENTRAL = "central"
    """An issue of the policy's central repository."""
    SLACK = "slack"


@dataclass(frozen=True, slots=True)
class DigestPlace:
    """Where a digest is sent, and the message by which we know that it was."""

    channel: Channel
    repository_id: int
    """0 beside GitHub."""
    key: str
    public: bool
    """Whether private repositories must not be named there."""

    @property
    def message(self) -> tuple[int, str]:
        """What the message is known by."""
        return self.repository_id, self.key


@dataclass(frozen=True, slots=True)
class ComposedDigest:
    """The text of a week's digest: it is composed once, and sent when that succeeds."""

    week: str
    place: DigestPlace
    at: datetime
    """The next one reports what happened from here on."""
    text: str | None
    """None where there was nothing to say."""
    told: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Central:
    """The central repository that an organisation's policy names, as it is stored."""

    installation_id: int
    account: str
    full_name: str
    covered: bool = False
    archived: bool = False
    has_issues: bool = True


@dataclass(frozen=True, slots=True)
class UndeliveredDigest:
    """A digest that its channel refused, and that was not sent since."""

    installation_id: int
    account: str
    channel: Channel
    week: str
    repository: str
    """Empty beside GitHub."""
    reason: str


def in_the_way(central: Central) -> str | None:
    """Why a digest cannot be written there, and what to do; None where it can."""
    named = f"{central.full_name}, `central_repository` of {central.account}'s poc-policy.yml,"
    if not central.covered:
        return (
            f"{named} doesn't exist, or isn't covered by the installation: "
            "add it there, or fix poc-policy.yml"
        )
    if central.archived:
        return f"{named} is archived: unarchive it, or name another in poc-policy.yml"
    if not central.has_issues:
        return f"{named} has issues disabled: enable them in its settings, or name another in poc-policy.yml"
    return None


def not_told(untold: UndeliveredDigest) -> str:
    """Why a digest was refused, and what to do."""
    if untold.channel is Channel.SLACK:
        return f"the digest of {untold.week} for {untold.account} wasn't sent. {untold.reason}"
    return (
        f"the digest of {untold.week} wasn't written in {untold.repository} ({untold.reason}): "
        "unlock its issue (label `poc-digest`), or delete it, and the next digest opens another"
    )
