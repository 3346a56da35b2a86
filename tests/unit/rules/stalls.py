"""POCs that somebody keeps waiting, as facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from service.rules.charter.model import Charter, Located, Signoffs
from service.rules.gate.lifecycle import State
from service.rules.policy.model import NO_POLICY
from service.rules.stall.stalls import StallFacts
from service.rules.stall.waiting_on import Party, WaitingOn, Wants
from service.rules.values.groups import Group


def at(day: str, hour: int = 9) -> datetime:
    return datetime.fromisoformat(f"{day}T{hour:02}:00:00+00:00")


MONDAY = at("2026-10-05")
"""The POC was registered, its charter merged, and the ball given on this day."""
SHIP_BY = date(2026, 12, 18)
"""Fifty-four working days after the first Monday: 15 % of them are eight."""


def located(value: Any) -> Located[Any]:
    return Located(value, 1, 1)


CHARTER = Charter(
    line=1,
    owner=located("jane-doe"),
    ship_by=located(SHIP_BY),
    signoffs=Signoffs(product=located("carol-s"), security=located("dan-w")),
)
OWNER = WaitingOn(Party.OWNER, Wants.WORK, MONDAY, ("jane-doe",))
SIGNER = WaitingOn(Party.SIGNER, Wants.SHIP_SIGNATURE, MONDAY, ("dan-w",), Group.SECURITY, 41)
REVIEWER = WaitingOn(Party.REVIEWER, Wants.REVIEW, MONDAY, ("erin-x",), number=31)
TEAM = replace(REVIEWER, people=("acme/ml",))
PLATFORM = WaitingOn(Party.PLATFORM, Wants.INFRA, MONDAY, ("bob-m",), Group.PLATFORM, about="deploy_process")
BLOCKER = WaitingOn(Party.BLOCKER, Wants.UNBLOCK, MONDAY, about="#12")
UNNAMED = WaitingOn(Party.UNNAMED, Wants.CHARTER, MONDAY)


def facts(**changes: Any) -> StallFacts:
    """A POC whose owner has done nothing since the charter was merged."""
    silent = StallFacts(
        is_poc=True,
        dormant=False,
        has_home=True,
        registered_at=MONDAY,
        state=State.BUILDING,
        policy=NO_POLICY,
        waiting_on=OWNER,
        charter=CHARTER,
        chartered_at=MONDAY,
        charter_changed_at=MONDAY,
    )
    return replace(silent, **changes)


def charter(**fields: Any) -> Charter:
    changes: dict[str, Any] = {name: value and located(value) for name, value in fields.items()}
    return replace(CHARTER, **changes)


def no_charter(**changes: Any) -> StallFacts:
    unchartered = {"waiting_on": UNNAMED, "charter": None, "chartered_at": None, "charter_changed_at": None}
    return facts(**(unchartered | changes))


FRIDAY = date(2026, 10, 16)
