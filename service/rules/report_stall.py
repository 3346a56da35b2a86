"""What the stall issue and its comments show, as frozen values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from service.rules.ball import Ball, Party
from service.rules.charter.goalposts import Group
from service.rules.charter.model import Charter
from service.rules.signoffs import named
from service.rules.slips import Slips
from service.rules.spans import Totals
from service.rules.stall import AT_ONCE, Cause, Stall, StallFacts

LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})")
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Place:
    """Where the POC and its issue stand, and where its charter is edited."""

    poc_id: int
    full_name: str
    elsewhere: bool
    """Whether the issue stands in another repository."""
    charter_url: str
    draft_url: str


@dataclass(frozen=True, slots=True)
class StallView:
    """All that the texts of a stall say; what people wrote is not yet made harmless."""

    place: Place
    name: str
    stall: Stall
    ball: Ball | None
    addressed: str | None
    """Whom the first line speaks to: the one login that it mentions, and the assignee."""
    waits_for: str
    """The party in words: `security`, `its owner, jane-doe`."""
    days: int
    """The working days that had passed on the rung's day."""
    owner: str | None
    lead: str | None
    """The waiting group's, by the policy."""
    ship_by: date | None
    slips: Slips | None
    began: date
    totals: Totals | None
    """The calendar from `began` up to the rung's day."""

    @property
    def assignee(self) -> str | None:
        """To whom the issue is given."""
        return self.addressed

    @property
    def reference(self) -> str:
        """Where it is to be done: `#41`, or with its repository from elsewhere."""
        if self.ball is None or self.ball.number is None:
            return ""
        return f"{self.place.full_name if self.place.elsewhere else ''}#{self.ball.number}"


def stall_view(
    stall: Stall,
    facts: StallFacts,
    place: Place,
    *,
    slips: Slips | None,
    began: date,
    totals: Totals | None,
) -> StallView:
    """Gather what the texts say."""
    charter, ball = facts.charter, stall.ball
    first = AT_ONCE if stall.cause in (Cause.OVERDUE, Cause.OWNER_GONE) else stall.limit
    group = ball.group if ball else None
    return StallView(
        place=place,
        name=_name(charter, place),
        stall=stall,
        ball=ball,
        addressed=_addressed(stall, charter),
        waits_for=_waits_for(ball),
        days=first + (stall.rung - 1) * stall.limit,
        owner=charter.owner.value if charter and charter.owner else None,
        lead=facts.policy.lead_of(group) if group else None,
        ship_by=charter.ship_by.value if charter and charter.ship_by else None,
        slips=slips,
        began=began,
        totals=totals,
    )


def mentionable(login: str | None) -> bool:
    """Whether a login is one, and no text that only looks like it."""
    return login is not None and LOGIN.fullmatch(login) is not None


def _name(charter: Charter | None, place: Place) -> str:
    title = charter.title if charter and charter.title else place.full_name.partition("/")[2]
    return title if len(title) <= LONGEST_NAME else f"{title[: LONGEST_NAME - 1]}…"


def _addressed(stall: Stall, charter: Charter | None) -> str | None:
    """Whoever has the ball; where the owner is gone, whoever signs for product."""
    if stall.cause is Cause.OWNER_GONE:
        return named(charter, Group.PRODUCT) if charter else None
    people = stall.ball.people if stall.ball else ()
    if not people and stall.ball and stall.ball.party is not Party.UNNAMED and charter and charter.owner:
        return charter.owner.value
    return people[0] if people and "/" not in people[0] else None


def _waits_for(ball: Ball | None) -> str:
    if ball is None or ball.party is Party.UNNAMED:
        return "a charter"
    match ball.party:
        case Party.SIGNER | Party.PLATFORM:
            return (ball.group or Group.PLATFORM).value.replace("_", " ")
        case Party.REVIEWER:
            return f"a review by {', '.join(ball.people)}"
        case Party.BLOCKER:
            return ball.about
        case _:
            return f"its owner, {', '.join(ball.people)}"
