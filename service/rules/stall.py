"""Is this POC stalled, which step of the ladder is due, and what is to become of its one issue?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum

from service.rules.ball import Ball, Rest
from service.rules.charter.model import Charter
from service.rules.facts import StallIssue
from service.rules.lifecycle import State
from service.rules.plan import Climbed
from service.rules.policy.model import Policy


class Cause(StrEnum):
    """Why a POC counts as stalled."""

    NO_CHARTER = "no charter"
    SILENT = "silent"
    """The party with the ball has done nothing for the limit."""
    OVERDUE = "overdue"
    """The ship date has passed."""
    OWNER_GONE = "owner gone"
    """The owner cannot write to the repository any more, or is no more on GitHub."""


class Rung(IntEnum):
    """The steps of the ladder, at one, two and three times the limit."""

    ISSUE = 1
    """The issue, addressed to whoever has the ball."""
    LEAD = 2
    """A comment that brings in the owner and the waiting group's lead."""
    DECISION = 3
    """A comment that asks for a decision: ship by a date, re-scope, or stop."""


@dataclass(frozen=True, slots=True)
class StallFacts:
    """What the decision rests on; all moments are GitHub's or ours, in UTC."""

    is_poc: bool
    dormant: bool
    has_home: bool
    """Whether there is a place for its issue: its own repository, or the central one."""
    registered_at: datetime
    state: State
    policy: Policy
    ball: Ball | None = None
    """None while there is no charter that could say."""
    charter: Charter | None = None
    chartered_at: datetime | None = None
    charter_changed_at: datetime | None = None
    acted_at: datetime | None = None
    """When the party with the ball last did anything that counts."""
    activity_at: datetime | None = None
    """When anybody did."""
    rest: Rest | None = None
    """The latest pause or snooze, over or not."""
    owner_gone: bool = False
    issue: StallIssue | None = None
    opened_today: int = 0
    observe: bool = False
    archived: bool = False
    """Nothing can be written there."""
    shipped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stall:
    """A stall: who is waited for, since when, for how many working days allowed, and the rung that is due."""

    cause: Cause
    ball: Ball | None
    since: date
    """From this day on the working days count."""
    limit: int
    """Working days to a rung."""
    rung: Rung
    due: date
    """The day on which this rung was reached."""


class Step(StrEnum):
    """What is to become of the issue."""

    NOTHING = "nothing"
    OPEN = "open"
    REOPEN = "reopen"
    KEEP = "keep"
    """Its text is brought up to date where it differs."""
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class StallDecision:
    """The step, the stall that it is about, the rung whose comment is to be said, and in one line why."""

    step: Step
    stall: Stall | None
    why: str
    say: Rung | None = None
    climbed: Climbed | None = None
    """What the record of the issue says after this step; None where there is no issue."""


def find_stall(facts: StallFacts, now: datetime) -> Stall | None:
    """The stall that there is by `now`; None where nobody is to be reminded."""
    raise NotImplementedError


def decide(facts: StallFacts, now: datetime) -> StallDecision:
    """Choose the step. An open issue is closed only by a fact later than its opening, never by the clock."""
    raise NotImplementedError
