"""Measured values, under which conditions they were taken, and what comes of comparing them with a bound."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from service.rules.charter.quantity import Quantity, canonical
from service.rules.charter.threshold import Threshold
from service.rules.charter.units import Unit
from service.rules.values.groups import Level


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under what a number was taken; None where that was not said."""

    environment: str | None = None
    dataset: str | None = None
    load: Quantity | None = None
    window: Quantity | None = None
    segment: str | None = None
    n: int | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number for one metric of one commit."""

    metric: str
    value: Decimal
    unit: Unit
    level: Level
    source: str
    """Where it is found: `eval/metrics.json $.accuracy`, or the address of a workflow run."""
    at: datetime
    """When it was taken; of a file, when its content was first seen."""
    conditions: Conditions | None = None
    """None for a file's: they are those that the charter's line claims."""

    @property
    def is_from_file(self) -> bool:
        """Whether it stands in a file: then nothing but the charter says under what it was taken."""
        return self.level is Level.SELF_REPORTED and self.conditions is None

    @property
    def canonical_value(self) -> Decimal:
        """The value in the canonical unit of its unit."""
        return canonical(self.value, self.unit)


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a line of `evidence` gave no number: the reason, and what to do about it."""

    reason: str


Reading = Measurement | Unread


class Status(StrEnum):
    """How a threshold stands."""

    MET = "met"
    MET_WITHIN_ERROR = "met, inside the error bar"
    UNDECIDED = "undecided"
    """The number of samples does not tell on which side of the bound the share lies."""
    MISSED = "missed"
    NOT_MEASURED = "not measured"
    IMPLAUSIBLE = "not a value of this metric"
    TOO_OLD = "too old"
    WRONG_ENVIRONMENT = "wrong environment"
    WRONG_CONDITIONS = "wrong load, data or window"
    TOO_FEW = "too few samples"
    SELF_REPORTED = "self-reported only"


@dataclass(frozen=True, slots=True)
class Result:
    """A threshold, the number that speaks for it, and how the two compare."""

    threshold: Threshold
    status: Status
    measurement: Measurement | None = None
    """The number that was compared; of numbers that do not count, the one that comes nearest."""
    reason: str = ""
    """Why it does not count, or is missing, with what to do; empty where it was compared."""
    against: Measurement | None = None
    """A number of the same commit that counts as well, by which the verdict would be the opposite."""
    waived: date | None = None
    """Until when it may be missed; None where it is met, or no waiver runs for it."""

    @property
    def met(self) -> bool:
        """Whether the bound is held; what was not measured holds nothing."""
        return self.status in (Status.MET, Status.MET_WITHIN_ERROR)

    @property
    def lets_ship(self) -> bool:
        """Whether the bound is held, or may be missed today."""
        return self.met or self.waived is not None


@dataclass(frozen=True, slots=True)
class Demands:
    """What a number has to be, besides good."""

    now: datetime
    level: Level
    max_age_days: int
    environments: tuple[str, ...]
    """Those whose numbers count: `measured_in`, and where it will run."""
    by_point: bool = True
    """Whether a share counts by itself where its interval reaches over the bound."""
