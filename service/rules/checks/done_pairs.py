"""The lines of `done` and `stop_if` beside each other: none excludes another, or makes it idle."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
    why="Of two bounds that no number meets together, one is not meant.",
    examples=(Example("- handle_time >= 9 min\n- handle_time <= 6 min", "- handle_time <= 6 min", "done"),),
)
def done_contradiction(context: CheckContext) -> Iterator[Problem]:
    """Two bounds of `done` on one thing can be met together."""
    for first, second in same_thing(context):
        if excludes(bound_of(first), bound_of(second)):
            name = first.metric[:SHOWN]
            yield Problem(f"No `{name}` passes this and line {first.line}: keep one, or move a bound", second)


@check(
    Severity.WARNING,
    why="A bound that another one makes idle decides nothing: a p99 of 200 ms leaves a p95 no more.",
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
    for first, second in same_thing(context):
        is_one_value = first.op != second.op and "==" in (first.op, second.op)
        if is_one_value and not excludes(bound_of(first), bound_of(second)):
            message = f"`==` makes the other bound on `{first.metric[:SHOWN]}` idle: keep one of the two"
            yield Problem(message, second)
    for high, low in permutations(context.charter.done, 2):
        if overtakes(high, low):
            message = (
                f"`{high.metric[:SHOWN]}` on line {high.line} makes this bound idle: move one of the two"
            )
            yield Problem(message, low)


def same_thing(context: CheckContext) -> Iterator[tuple[Threshold, Threshold]]:
    """The pairs of lines that bound the same thing in the same unit."""
    for first, second in combinations(context.charter.done, 2):
        if first.key == second.key and bound_of(first).unit == bound_of(second).unit:
            yield first, second


def overtakes(high: Threshold, low: Threshold) -> bool:
    """Whether the upper bound on a higher percentile is at most that on a lower one of the same thing."""
    above, below = rank(high), rank(low)
    if above is None or below is None or "<" not in high.op or "<" not in low.op:
        return False
    alike = above[0] == below[0] and high.key[1:] == low.key[1:] and high.canonical_unit == low.canonical_unit
    return alike and above[1] > below[1] and high.canonical_value <= low.canonical_value


def rank(threshold: Threshold) -> tuple[str, float] | None:
    """The name without its percentile, and the percentile; the digits behind two are decimals."""
    name, statistic = with_statistic(str(threshold.key[0]))
    match = PERCENTILE.fullmatch(statistic)
    if match:
        return name, float(f"{match[1]}.{match[2] or 0}") if statistic != "p100" else 100.0
    return (name, 100.0) if statistic == "max" else None


@check(
    Severity.WARNING,
    why="What ends a POC is a failure: a line that success meets would end it on the day it is done.",
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
            message = f"What `done` asks for on line {met.line} can stop it: write a bound outside of that"
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
