"""The lines of `done` and `stop_if` beside each other: none excludes another, or makes it idle."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations, permutations

from service.rules.charter.bounds import Bound, bound_of, excludes
from service.rules.charter.metrics import with_statistic
from service.rules.charter.threshold import Threshold
from service.rules.charter.unit_fit import runs_right
from service.rules.checks.check import CheckContext, Example, Problem, check
from service.rules.values.finding import Severity

PERCENTILE = re.compile(r"p([0-9]{1,2})([0-9]*)")
SPEED = "- latency_p95 <= 300 ms at 50 req/s"
SHOWN = 32


@check(
    why="If no number can meet two bounds together, one of them is a mistake.",
    examples=(Example("- handle_time >= 9 min\n- handle_time <= 6 min", "- handle_time <= 6 min", "done"),),
)
def done_contradiction(context: CheckContext) -> Iterator[Problem]:
    """Two bounds of `done` on one thing can be met together."""
    for first, second, excluding in same_thing(context):
        if excluding:
            name = first.metric[:SHOWN]
            yield Problem(f"No `{name}` passes this and line {first.line}: keep one, or move a bound", second)


@check(
    Severity.WARNING,
    why="A bound that another one covers decides nothing: a p99 of 200 ms keeps the p95 below it too.",
    examples=(
        Example(
            f"{SPEED}\n- latency_p99 <= 200 ms at 50 req/s",
            f"{SPEED}\n- latency_p99 <= 900 ms at 50 req/s",
            "done",
        ),
    ),
)
def done_idle(context: CheckContext) -> Iterator[Problem]:
    """No line of `done` is met whenever another is."""
    for first, second, excluding in same_thing(context):
        is_one_value = first.op != second.op and "==" in (first.op, second.op)
        if is_one_value and not excluding:
            message = f"`==` makes the other bound on `{first.metric[:SHOWN]}` pointless: keep one of the two"
            yield Problem(message, second)
    for high, low in permutations(tuple(percentiles(context.charter.done)), 2):
        if high.overtakes(low):
            name, line = high.line.metric[:SHOWN], high.line.line
            message = f"`{name}` on line {line} makes this bound pointless: move one of the two"
            yield Problem(message, low.line)


def same_thing(context: CheckContext) -> Iterator[tuple[Threshold, Threshold, bool]]:
    """The pairs of lines that bound the same thing in the same unit, and whether no value passes both."""
    lines = [(line, line.key, bound_of(line)) for line in context.charter.done]
    for (first, key, bound), (second, other, beside) in combinations(lines, 2):
        if key == other and bound.unit == beside.unit:
            yield first, second, excludes(bound, beside)


@dataclass(frozen=True, slots=True)
class Percentile:
    """An upper bound on a percentile."""

    line: Threshold
    of: tuple[object, ...]
    """What it is a percentile of, in which unit and under which conditions."""
    rank: float
    value: Decimal

    def overtakes(self, other: Percentile) -> bool:
        """Whether it is at most that on a lower percentile of the same thing."""
        return self.of == other.of and self.rank > other.rank and self.value <= other.value


def percentiles(lines: Iterable[Threshold]) -> Iterator[Percentile]:
    """The lines that bound a percentile from above."""
    for line in lines:
        ranked = rank(line) if "<" in line.op else None
        if ranked:
            name, of = ranked
            yield Percentile(line, (name, *line.key[1:], line.canonical_unit), of, line.canonical_value)


def rank(threshold: Threshold) -> tuple[str, float] | None:
    """The name without its percentile, and the percentile; the digits behind two are decimals."""
    name, statistic = with_statistic(str(threshold.key[0]))
    match = PERCENTILE.fullmatch(statistic)
    if match:
        return name, float(f"{match[1]}.{match[2] or 0}") if statistic != "p100" else 100.0
    return (name, 100.0) if statistic == "max" else None


@check(
    Severity.WARNING,
    why="A stop criterion is a failure: a line that success meets would end the POC on the day it's done.",
    examples=(
        Example("stop_if:\n  - accuracy >= 95 % on holdout", "stop_if:\n  - accuracy < 80 % on holdout"),
    ),
)
def stop_if_success(context: CheckContext) -> Iterator[Problem]:
    """No line of `stop_if` is met by what `done` asks for."""
    done = [(threshold, bound_of(threshold)) for threshold in context.charter.done]
    for item, stop in context.thresholds("stop_if"):
        name, bound = stop.metric[:SHOWN], bound_of(stop)
        met = next((line for line, asked in done if is_met_by(stop, bound, line, asked)), None)
        if met:
            message = f"What meets `done` on line {met.line} could stop the POC: write a bound outside of it"
            yield Problem(message, item)
        elif runs_right(stop):
            yield Problem(f"A better `{name}` stops it: turn the sign, or delete the line", item)


def is_met_by(stop: Threshold, bound: Bound, line: Threshold, asked: Bound) -> bool:
    """Whether a value that a line of `done` lets pass also stops the POC, under conditions that can agree."""
    alike = stop.key[0] == line.key[0] and bound.unit == asked.unit
    words = [word for word in stop.clauses if word != "n" and word in line.clauses]
    return (
        alike
        and all(stop.clauses[word] == line.clauses[word] for word in words)
        and not excludes(bound, asked)
    )
