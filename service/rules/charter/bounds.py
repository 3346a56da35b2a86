"""Two bounds compared: whether the new one lets more pass, whatever the units they are written in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from service.rules.charter.metrics import Way, canonical_name, metric_of
from service.rules.charter.threshold import Threshold, at_load

INFINITE = Decimal("Infinity")
Condition = tuple[object, ...]


class Change(StrEnum):
    """How a bound compares with the one before it."""

    SAME = "same"
    LOOSER = "looser"
    TIGHTER = "tighter"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Bound:
    """A threshold without the accidents of its writing: what it lets pass, and under which conditions."""

    metric: str
    unit: str
    low: tuple[Decimal, bool]
    """The end, and whether it is left out; so a greater one is tighter."""
    high: tuple[Decimal, bool]
    """The end, and whether it is let in; so a smaller one is tighter."""
    key: tuple[Condition, ...]
    """What it is measured on, for and at."""
    conditions: tuple[Condition, ...]
    """The key, the sample size and the time as well."""


def bound_of(threshold: Threshold) -> Bound:
    """The bound that a line states."""
    value, strict = threshold.canonical_value, "=" not in threshold.op
    low = (-INFINITE, False) if "<" in threshold.op else (value, strict)
    high = (INFINITE, True) if ">" in threshold.op else (value, not strict)
    clauses = threshold.clauses
    key = ((clauses.get("on"),), (clauses.get("for"),), amount(clauses.get("at")))
    # Where nothing is said there is nothing: what was signed keeps its hash.
    certainty = [(clauses[word],) for word in ("confidence", "in") if word in clauses]
    return Bound(
        canonical_name(threshold.metric),
        # A ratio may be written bare: 0.92 is 92 %.
        threshold.canonical_unit or "ratio",
        low,
        high,
        key,
        (*key, (clauses.get("n"),), amount(clauses.get("over")), *certainty),
    )


def amount(text: str | None) -> Condition:
    """A quantity by what it amounts to, so that `7 d` is `1 week`."""
    return at_load(text) or (text,)


def excludes(one: Bound, other: Bound) -> bool:
    """Whether no value passes both."""
    (low, left_out), (high, let_in) = max(one.low, other.low), min(one.high, other.high)
    return low > high or (low == high and (left_out or not let_in))


def side_of(bound: Bound) -> str:
    """From which side the metric is bounded."""
    return "<" if bound.low[0] == -INFINITE else ">" if bound.high[0] == INFINITE else "="


def compare(before: Bound, now: Bound) -> Change:
    """Whether more passes now: by the metric's bad end where that is known, else by what each lets in."""
    if before.unit != now.unit:
        return Change.OTHER
    if (before.low, before.high) == (now.low, now.high):
        return Change.SAME
    known = metric_of(now.metric)
    if known and known.way is Way.UP and before.low != now.low:
        return Change.TIGHTER if now.low > before.low else Change.LOOSER
    if known and known.way is Way.DOWN and before.high != now.high:
        return Change.TIGHTER if now.high < before.high else Change.LOOSER
    if now.low >= before.low and now.high <= before.high:
        return Change.TIGHTER
    return Change.LOOSER if now.low <= before.low and now.high >= before.high else Change.OTHER


Pair = tuple[Threshold | None, Threshold | None]
ALIKE: tuple[Callable[[Bound], object], ...] = (
    lambda bound: bound,
    lambda bound: (bound.metric, bound.conditions, side_of(bound)),
    lambda bound: (bound.metric, bound.key, side_of(bound)),
    lambda bound: (bound.metric, side_of(bound)),
    lambda bound: (bound.metric, bound.key),
)
"""What two thresholds have in common that are one before and after, the closest first: all of it; the metric,
its side and all conditions; the metric, its side and what it is measured on, for and at; the metric and its
side; the metric from another side."""


def pair(before: Sequence[Threshold], now: Sequence[Threshold]) -> list[Pair]:
    """Each threshold beside what it was: first those whose conditions agree, then those on one metric."""
    left, open_ = list(before), list(now)
    pairs: list[Pair] = []
    for alike in ALIKE:
        for stands in tuple(open_):
            was = next((each for each in left if alike(bound_of(each)) == alike(bound_of(stands))), None)
            if was is not None:
                pairs.append((was, stands))
                left.remove(was)
                open_.remove(stands)
    pairs += [(None, stands) for stands in open_]
    pairs += [(was, None) for was in left]
    return pairs
