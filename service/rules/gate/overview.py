"""What the pages show of a charter: its owner, and each threshold as it was last judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.rules.charter.goalposts import bound_text
from service.rules.charter.model import Charter
from service.rules.charter.threshold import clause_text
from service.rules.charter.values import StopCause
from service.rules.evidence.judging import error_bar
from service.rules.evidence.values import Result, Status
from service.rules.evidence.wording import measured_text, verdict_text

WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class JudgedThreshold:
    """A line of `done` on the default branch, in the words of the ship gate."""

    metric: str
    conditions: str
    bound: str
    measured: str
    verdict: str
    met: bool
    status: str
    op: str
    limit: float
    """The bound in its canonical unit."""
    value: float | None
    """The number that was compared, in that unit."""
    level: str
    at: str | None
    """When it was taken."""
    low: float | None = None
    high: float | None = None
    """Between what it lies by chance alone, where it is a share of samples."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The owner, the thresholds in the order of the charter, and the class of why it was stopped."""

    owner: str | None
    thresholds: tuple[JudgedThreshold, ...]
    stop_cause: StopCause | None = None

    @property
    def met(self) -> int:
        """How many thresholds are met."""
        return sum(each.met for each in self.thresholds)

    @property
    def waived(self) -> int:
        """How many may be missed for now."""
        return sum(each.status == WAIVED for each in self.thresholds)


def overview(charter: Charter | None, results: Sequence[Result]) -> Overview:
    """Of a charter as it counts; what nobody has judged was not measured."""
    if charter is None:
        return Overview(None, ())
    known = {each.threshold: each for each in results}
    judged = (known.get(line) or Result(line, Status.NOT_MEASURED) for line in charter.done)
    stop = charter.stopped.value.cause if charter.stopped else None
    return Overview(charter.owner_login, tuple(map(_judged, judged)), stop)


def _judged(result: Result) -> JudgedThreshold:
    line, number = result.threshold, result.measurement
    comparable = number is not None and number.unit.canonical == line.canonical_unit
    bar = error_bar(line, number) if number is not None and comparable else None
    return JudgedThreshold(
        metric=line.metric,
        conditions=" ".join(map(clause_text, line.clauses.items())),
        bound=bound_text(line),
        measured=measured_text(result),
        verdict=verdict_text(result),
        met=result.met,
        status=WAIVED if result.waived else str(result.status),
        op=line.op,
        limit=float(line.canonical_value),
        value=float(number.canonical_value) if number and comparable else None,
        level=str(number.level) if number else "",
        at=number.at.isoformat() if number else None,
        low=bar[0] if bar else None,
        high=bar[1] if bar else None,
    )
