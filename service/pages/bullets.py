"""The thresholds of a POC as lines: the bound, the number of now and those before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from service.rules.charter.metrics import canonical_name
from service.rules.charter.quantity import canonical
from service.rules.charter.units import unit_of
from service.rules.gate.overview import JudgedThreshold
from service.store.portfolio import Number, OnePoc

SHOWN_HISTORY = 30
"""Numbers that a bullet shows."""
ROOM = 1.25
"""How far a bullet's line goes beyond the largest number on it."""


@dataclass(frozen=True, slots=True)
class Bullet:
    """A threshold: where its numbers stand on a line, in percent of its length; None without one."""

    judged: JudgedThreshold
    value: float | None
    bar: tuple[float, float] | None
    """Between what it lies by chance alone, on the same line: where that begins, and how long it is."""
    limit: float
    below: bool
    """Whether the good side is below the limit."""
    history: tuple[float, ...]
    numbers: int
    """How many were ever taken."""


def bullets_of(stored: OnePoc) -> Iterator[Bullet]:
    """Each threshold, with the numbers that can be laid on its line."""
    overview = stored.summary.overview
    for judged in overview.thresholds if overview else ():
        past = list(_history(judged, stored.numbers))
        numbers = [*past, judged.limit, *([judged.value] if judged.value is not None else [])]
        end = max(map(abs, numbers)) * ROOM or 1.0
        if judged.limit <= 1 and max(numbers) <= 1:
            end = 1.0  # a share

        def at(number: float, end: float = end) -> float:
            return round(min(max(number / end, 0), 1) * 100, 2)

        yield Bullet(
            judged,
            None if judged.value is None else at(judged.value),
            _bar(judged, at),
            at(judged.limit),
            judged.op.startswith("<"),
            tuple(at(each) for each in past[:SHOWN_HISTORY]),
            len(past),
        )


def _bar(judged: JudgedThreshold, at: Callable[[float], float]) -> tuple[float, float] | None:
    if judged.low is None or judged.high is None:
        return None
    low, high = at(judged.low), at(judged.high)
    return low, round(high - low, 2)


def _history(judged: JudgedThreshold, numbers: Sequence[Number]) -> Iterator[float]:
    """The numbers of a metric that can be laid on the line of its bound, newest first."""
    name = canonical_name(judged.metric)
    for each in numbers:
        unit = unit_of(each.unit) if canonical_name(each.metric) == name else None
        if unit is not None:
            try:
                yield float(canonical(Decimal(each.value), unit))
            except InvalidOperation:  # pragma: no cover - what is stored was read as a number
                continue
