"""In which state a POC is, derived from what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import assert_never

from service.rules.charter.model import Charter
from service.rules.values.groups import Group


class Stage(Enum):
    """What kind of state it is."""

    TO_BEGIN = auto()
    """There is no charter that everybody signed."""
    ON_THE_WAY = auto()
    """To production."""
    ENDED = auto()
    """Nothing more is to come."""


class State(StrEnum):
    """The states of a POC, in the order of its life."""

    NONE = "none"
    PROPOSED = "proposed"
    BUILDING = "building"
    EVALUATING = "evaluating"
    SHIPPING = "shipping"
    SHIPPED = "shipped"
    STOPPED = "stopped"

    @property
    def stage(self) -> Stage:
        """What kind of state it is."""
        match self:
            case State.NONE | State.PROPOSED:
                return Stage.TO_BEGIN
            case State.BUILDING | State.EVALUATING | State.SHIPPING:
                return Stage.ON_THE_WAY
            case State.SHIPPED | State.STOPPED:
                return Stage.ENDED
            case _:
                assert_never(self)

    @property
    def has_ended(self) -> bool:
        """Whether nothing more is to come."""
        return self.stage is Stage.ENDED


ON_THE_WAY = tuple(state for state in reversed(State) if state.stage is Stage.ON_THE_WAY)
"""Nearest to production first."""


@dataclass(frozen=True, slots=True)
class LifecycleFacts:
    """All that the state is derived from."""

    charter: Charter | None
    """The default branch's; None where there is none."""
    valid: bool
    proposed: bool
    """Whether an open pull request brings a charter."""
    unsigned: tuple[Group, ...]
    """The groups whose start signature does not hold for the charter as it is now."""
    measured: bool
    """Whether any value was measured on the default branch."""
    proven: bool
    """Whether on one commit nothing but signatures is missing for shipping."""
    shipped: bool
    archived: bool


def state_of(facts: LifecycleFacts) -> State:
    """Derive the state.

    A POC whose start is not signed stays proposed, whatever was measured: numbers compared with bounds
    that nobody has agreed to aren't an evaluation.
    """
    if ended := _ended(facts):
        return ended
    if facts.charter is None:
        return State.PROPOSED if facts.proposed else State.NONE
    if not facts.valid or facts.unsigned:
        return State.PROPOSED
    if facts.proven:
        return State.SHIPPING
    return State.EVALUATING if facts.measured else State.BUILDING


def _ended(facts: LifecycleFacts) -> State | None:
    """The end that a POC came to: what its charter says first; being archived ends none that had shipped."""
    if facts.charter is not None and facts.charter.stopped is not None:
        return State.STOPPED
    if facts.shipped:
        return State.SHIPPED
    return State.STOPPED if facts.archived else None
