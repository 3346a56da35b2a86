"""What an organisation's `poc-policy.yml` says; the defaults are what holds where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, tzinfo
from decimal import Decimal
from enum import StrEnum

from service.rules.values.calendar import USUAL, Calendar
from service.rules.values.groups import Group, Level

POLICY_PATH = "poc-policy.yml"
POLICY_REPOSITORY = ".github"


class Mode(StrEnum):
    """`enforce` holds things up, `observe` only says what it would hold up."""

    ENFORCE = "enforce"
    OBSERVE = "observe"


class WhenUnjudged(StrEnum):
    """What the check run says of a commit that could not be judged."""

    FAILURE = "failure"
    NEUTRAL = "neutral"


class Undecided(StrEnum):
    """What a share is whose interval reaches over its bound."""

    BY_POINT = "by-point"
    NOT_MET = "not-met"


@dataclass(frozen=True, slots=True)
class Selector:
    """Repositories by topic, by name (globs, in any case) or by custom property; any of them will do.

    A property is named with the values that count; several values of one repository match by any of them.
    """

    topics: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    properties: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """After how many working days somebody is asked."""

    share: Decimal = Decimal("0.15")
    """Of the working days between charter merge and ship date, for the owner."""
    shortest: int = 7
    longest: int = 20
    waiting: int = 5
    """For a signer, a reviewer, a group or whoever else is waited for."""
    charter: int = 10
    """For bringing a charter."""


@dataclass(frozen=True, slots=True)
class GroupPolicy:
    """Who may sign for a group (empty: whoever a charter names), and who is brought in when it waits."""

    members: frozenset[str] = frozenset()
    """In small letters."""
    lead: str | None = None
    deputies: frozenset[str] = frozenset()
    """Who signs for a named person who is away; in small letters."""


@dataclass(frozen=True, slots=True)
class Exceptions:
    """Where another mode holds than `mode` says: in some repositories, or for some rules everywhere."""

    select: Selector = Selector()
    rules: frozenset[str] = frozenset()
    """Codes of checks, and kinds of what the ship gate finds missing."""
    until: date | None = None
    """When a decision is due; its passing changes nothing by itself."""


@dataclass(frozen=True, slots=True)
class Policy:
    """All that an organisation may decide."""

    mode: Mode | None = None
    """None where it says nothing of it: the service's setting decides."""
    observed: Exceptions = Exceptions()
    enforced: Exceptions = Exceptions()
    select: Selector = Selector(frozenset({"poc", "proof-of-concept"}), ("poc-*", "*-poc"))
    exclude: Selector = Selector(frozenset({"not-a-poc"}))
    """A repository that declares a charter is a POC as well; what is excluded never is."""
    limits: Limits = Limits()
    calendar: Calendar = USUAL
    groups: Mapping[Group, GroupPolicy] = field(default_factory=dict)
    environments: frozenset[str] = frozenset()
    """Deploy targets that a charter may name, in small letters; empty for any."""
    evidence_days: int = 14
    """How old a number may be."""
    evidence_level: Level = Level.SELF_REPORTED
    evidence_events: frozenset[str] = frozenset()
    """Events of workflows that may send evidence although others than writers can cause them."""
    undecided: Undecided = Undecided.BY_POINT
    not_needed: frozenset[Group] = frozenset()
    """Groups that a charter may say it needs no signature of."""
    known: bool = True
    """False where nobody could ask: on somebody's own machine."""
    of_head: bool = False
    """Whether a sign-off to ship has to be of the ship request's newest commit."""
    when_unjudged: WhenUnjudged = WhenUnjudged.FAILURE
    issues_a_day: int = 5
    """New stall issues in the organisation on one day."""
    central_repository: str | None = None
    """`owner/name` of where the digest goes, and the issues of repositories that have none."""
    portfolio_readers: tuple[str, ...] = ()
    """Teams as `org/team`, in small letters, whose members see the portfolio's rows without texts."""

    def in_zone(self, zone: tzinfo) -> Policy:
        """The same, with its days in another zone."""
        return replace(self, calendar=replace(self.calendar, zone=zone))

    def __hash__(self) -> int:
        """Its mappings have none; these fields tell most policies apart."""
        return hash((self.mode, self.limits, self.environments, self.central_repository))

    def groups_of(self, login: str) -> tuple[Group, ...]:
        """The groups of which a person is a member."""
        return tuple(group for group, known in self.groups.items() if login.lower() in known.members)

    def deputy_of(self, login: str) -> tuple[Group, ...]:
        """The groups for whose named person somebody may sign."""
        return tuple(group for group, known in self.groups.items() if login.lower() in known.deputies)

    def lead_of(self, group: Group) -> str | None:
        """Who is brought in when a group does not answer."""
        known = self.groups.get(group)
        return known.lead if known else None


NO_POLICY = Policy()
OFFLINE = Policy(known=False)
"""What holds where an organisation's policy can't be read."""
