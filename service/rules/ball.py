"""Who has the ball: the one party that a POC waits for, and what it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from service.rules.charter.goalposts import Group
from service.rules.lifecycle import State


class Party(StrEnum):
    """Those who may have the ball."""

    OWNER = "owner"
    SIGNER = "signer"
    """A named person whose signature is missing."""
    REVIEWER = "reviewer"
    """Whoever was asked for a review that has not come."""
    PLATFORM = "platform"
    """The group behind an entry of `infra` that is `missing`."""
    BLOCKER = "blocker"
    """Whoever is assigned to the open issue that was named as what blocks this POC."""
    UNNAMED = "unnamed"
    """No charter names an owner."""
    NOBODY = "nobody"
    """Shipped, stopped, paused."""


class Wants(StrEnum):
    """What the party with the ball is to do."""

    CHARTER = "charter"
    """Bring one."""
    MEND_CHARTER = "mend-charter"
    """It has errors."""
    START_SIGNATURE = "start-signature"
    WORK = "work"
    """Build, measure, meet the thresholds."""
    REVIEW = "review"
    INFRA = "infra"
    UNBLOCK = "unblock"
    ASK_TO_SHIP = "ask-to-ship"
    """All is met: write `/poc ship` on the pull request that ships."""
    SHIP_SIGNATURE = "ship-signature"
    DEPLOY = "deploy"
    """All is met and signed."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Request:
    """Something that was asked of people: a signature, a review."""

    people: tuple[str, ...]
    since: datetime
    number: int | None = None
    """The pull request, or the issue; None where it is asked for in the POC's own issue."""
    group: Group | None = None


@dataclass(frozen=True, slots=True)
class Blocker:
    """An issue that was named as what a POC waits for: `#12`, or `owner/name#12`."""

    reference: str
    since: datetime
    """When it was named."""
    open: bool
    assignees: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BallFacts:
    """What the answer rests on; all of it is the present, as the last look found it."""

    state: State
    since: datetime
    """Since when nobody else but the owner could have had the ball: registration, the charter's last change."""
    owner: str | None = None
    valid: bool = False
    """Whether the default branch's charter has no error."""
    paused: bool = False
    """By the charter, today."""
    unsigned: tuple[Request, ...] = ()
    """The signatures that are asked for now: of the start, or of the ship request once all else is met."""
    objected: tuple[str, ...] = ()
    """Signers, in small letters, who asked for changes, and nothing new came since: they wait themselves."""
    reviews: tuple[Request, ...] = ()
    """Reviews that were asked for on open pull requests and have not come."""
    worked_at: datetime | None = None
    """When anybody but those who are asked last worked on it."""
    missing_infra: tuple[str, ...] = ()
    """The entries of `infra` that are `missing`, by name."""
    platform: str | None = None
    """Who signs for platform."""
    blocker: Blocker | None = None
    asked_to_ship: int | None = None
    """The ship request's pull request."""
    ready: bool = False
    """Everything is met and signed."""


@dataclass(frozen=True, slots=True)
class Ball:
    """Who has it, since when, and what for; `people` are GitHub logins, the first is addressed."""

    party: Party
    wants: Wants
    since: datetime
    people: tuple[str, ...] = ()
    group: Group | None = None
    number: int | None = None
    """The pull request or issue where it is to be done."""
    about: str = ""
    """What a person reads: the entries of `infra`, the blocker's reference."""

    @property
    def holder(self) -> tuple[Party, tuple[str, ...], Group | None]:
        """What tells two turns apart: what is wanted of one party may change within its turn."""
        return self.party, tuple(login.lower() for login in self.people), self.group


@dataclass(frozen=True, slots=True)
class Rest:
    """Nobody is to be asked until a day has passed: `paused` of the charter, or `/poc snooze`."""

    first: date
    until: date
    """The last day of it."""
    reason: str
