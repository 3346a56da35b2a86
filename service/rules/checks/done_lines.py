"""Numbers, not adjectives: every line of `done` is a threshold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from service.rules.charter.metrics import MEAN, Kind, Metric, Span, Way, with_statistic
from service.rules.charter.quantity import Refusal, plain
from service.rules.charter.spelling import near_metric
from service.rules.charter.suggestions import read_threshold
from service.rules.charter.threshold import Threshold
from service.rules.charter.unit_fit import (
    as_percent,
    fits,
    in_range,
    is_guessed,
    is_impossible,
    is_trivial,
    runs_wrong,
    unhundredth,
)
from service.rules.charter.units import Dimension, unit_of
from service.rules.checks.check import Check, CheckContext, Example, Problem
from service.rules.source.wording import clip
from service.rules.values.finding import Severity

DASH = re.compile(r"\s-\s")
RUNS_OVER = "YAML reads this line and the next as one: begin every dash of the list in the same column"


def done_threshold(context: CheckContext) -> Iterator[Problem]:
    """Lines that the grammar does not read, each with what would be one."""
    for key in ("done", "stop_if"):
        for item in context.texts(key):
            read = read_threshold(item.value)
            if (
                isinstance(read, Refusal)
                and item.plain
                and item.line != item.end_line
                and DASH.search(item.value)
            ):
                yield Problem(RUNS_OVER, item)
            elif isinstance(read, Refusal):
                fix = context.line_with(item, read.meant) if read.meant else None
                offset = read.offset if item.plain and item.line == item.end_line else 0
                yield Problem(read.message, item, fix, offset=offset)


DONE_THRESHOLD = Check(
    "done-threshold",
    "Every line of `done` is metric, sign, number and unit.",
    done_threshold,
    why="An adjective can be argued about after the fact, a number with its unit cannot.",
    examples=(
        Example("- fast enough", "- latency_p95 <= 300 ms at 50 req/s", "done"),
        Example("- accuracy of about 92 %", "- accuracy >= 92 % on holdout with n >= 2000", "done"),
    ),
)


def done_direction(context: CheckContext) -> Iterator[Problem]:
    """A bound that asks for the bad direction, unless another line bounds the good one."""
    right = {each.key for each in context.charter.done if not runs_wrong(each)}
    for item, threshold in context.thresholds("done"):
        metric = threshold.known
        if metric and runs_wrong(threshold) and threshold.key not in right:
            sign = threshold.op.translate(str.maketrans("<>", "><"))
            message = f"`{threshold.metric[:32]}` is better when {metric.way}: write `{sign}`"
            fix = threshold.printed.replace(f" {threshold.op} ", f" {sign} ", 1)
            yield Problem(message, item, context.line_with(item, fix))


DONE_DIRECTION = Check(
    "done-direction",
    "A bound is on the side on which its metric is bad.",
    done_direction,
    Severity.WARNING,
    why="A latency of at least 300 ms is met by being slow. To bound both sides is fine.",
    examples=(Example("- latency_p95 >= 300 ms at 50 req/s", "- latency_p95 <= 300 ms at 50 req/s", "done"),),
)


def done_duplicate(context: CheckContext) -> Iterator[Problem]:
    """Two lines on the same metric under the same conditions, unless they bound it from both sides."""
    seen: dict[tuple[object, ...], Threshold] = {}
    for threshold in context.charter.done:
        first = seen.setdefault((threshold.key, threshold.op.rstrip("=")), threshold)
        if first is not threshold:
            name = threshold.metric[:32]
            message = f"`{name}` is already bounded on line {first.line}: keep one of the two"
            yield Problem(message, threshold)


DONE_DUPLICATE = Check(
    "done-duplicate",
    "No threshold stands twice in `done`.",
    done_duplicate,
    why="Of two bounds on the same thing one is not meant.",
    examples=(
        Example(
            "- latency_p95 <= 300 ms at 50 req/s\n- p95_latency <= 0.4 s at 50 req/s",
            "- latency_p95 <= 300 ms at 50 req/s\n- accuracy >= 92 % on holdout with n >= 2000",
            "done",
        ),
    ),
)


def done_free_scale(context: CheckContext) -> Iterator[Problem]:
    """Metrics on a free scale: their range cannot be checked."""
    told: set[str] = set()
    for item, threshold in context.thresholds("done", "stop_if"):
        metric = threshold.known
        if metric and metric.span is None and metric.name not in told:
            told.add(metric.name)
            message = (
                f"`{threshold.metric[:32]}` has no one scale, its range is not checked: "
                "name the scale in the prose"
            )
            yield Problem(message, item)


DONE_FREE_SCALE = Check(
    "done-free-scale",
    "A metric without one scale is not checked for its range.",
    done_free_scale,
    Severity.NOTICE,
    why="BLEU goes to 1 or to 100, a rating to 5 or to 10: the prose has to say which.",
    examples=(
        Example(
            "- human_rating >= 4.2 on pilot with n >= 100",
            "- win_rate >= 60 % on pilot with n >= 100",
            "done",
        ),
    ),
)


LONGEST_SHOWN = 12
SIDES = {"<": "below", ">": "above"}


def done_range(context: CheckContext) -> Iterator[Problem]:
    """Values outside of the natural range of their metric."""
    for item, threshold in context.thresholds("done", "stop_if"):
        metric = threshold.known
        if is_impossible(threshold):
            op = f"{threshold.op}="
            message = (
                f"No `{threshold.metric[:32]}` is {SIDES[threshold.op]} that: write `{op}`, or another bound"
            )
            yield Problem(message, item, context.line_with(item, replace(threshold, op=op).printed))
        if metric is None or metric.span is None or in_range(threshold):
            continue
        meant = as_percent(threshold)
        name = threshold.metric[:32]
        if meant:
            share = plain(meant.value)
            asked = (
                f"did you mean `{share} %`? Write that"
                if len(share) <= LONGEST_SHOWN
                else "write `%` behind it"
            )
            message = f"`{name}` is a ratio, at most 1: {asked}"
            yield Problem(message, item, context.line_with(item, meant.printed))
        else:
            yield Problem(
                f"`{name}` cannot be that: write a bound {between(metric, metric.span, threshold)}", item
            )


def between(metric: Metric, span: Span, threshold: Threshold) -> str:
    """The range in words, in percents where the line is."""
    factor, sign = (100, " %") if threshold.unit.text == "%" else (1, "")
    low = None if span.low is None else f"{span.low * factor}{sign}"
    high = None if span.high is None else f"{span.high * factor}{sign}"
    if low and high:
        return f"from {low} to {high}"
    if span.whole:
        return f"of {low} or more in whole {metric.unit}"
    if high:
        return f"of at most {high}"
    return f"above {low}" if span.above_low else f"of at least {low}"


DONE_RANGE = Check(
    "done-range",
    "A bound lies in the natural range of its metric.",
    done_range,
    why="No accuracy is 92 and no latency is zero: such a line can never be met, or never fails.",
    examples=(
        Example(
            "- accuracy >= 92 on holdout with n >= 2000",
            "- accuracy >= 92 % on holdout with n >= 2000",
            "done",
        ),
        Example("- error_rate < 120 % over 7 d", "- error_rate < 0.5 % over 7 d", "done"),
    ),
)


def done_statistic(context: CheckContext) -> Iterator[Problem]:
    """A mean of a latency, and a latency that does not say which of its values is bounded."""
    for item, threshold in context.thresholds("done"):
        meant = percentile(threshold)
        if meant:
            stated = with_statistic(threshold.metric)[1]
            told = "A mean hides the slow tail" if stated else "One latency of many"
            yield Problem(
                f"{told}: write a percentile, like `{meant[:32]}`",
                item,
                context.line_with(item, f"{meant}{threshold.text[len(threshold.metric) :]}"),
            )


def percentile(threshold: Threshold) -> str | None:
    """The percentile to ask for instead, where the line asks for none of its values."""
    metric = threshold.known
    if metric is None or metric.kind is not Kind.LATENCY or metric.way is not Way.DOWN:
        return None
    base, statistic = with_statistic(metric.name)
    varies = base in ("latency", "ttft", "tpot")
    return f"{base}_p95" if varies and statistic in ("", MEAN) else None


DONE_STATISTIC = Check(
    "done-statistic",
    "A latency is bounded by a percentile.",
    done_statistic,
    Severity.WARNING,
    why="The mean of a latency can be fine while one user in ten waits for seconds.",
    examples=(
        Example("- latency_mean <= 300 ms at 50 req/s", "- latency_p95 <= 300 ms at 50 req/s", "done"),
    ),
)


def done_trivial(context: CheckContext) -> Iterator[Problem]:
    """Bounds that every value passes, or that guessing reaches."""
    for item, threshold in context.thresholds("done"):
        name = threshold.metric[:32]
        if is_trivial(threshold):
            yield Problem(f"Every `{name}` passes this: write the bound that would stop you", item)
        elif meant := unhundredth(threshold):
            small, large = plain(threshold.value), plain(meant.value)
            asked = (
                f"did you mean `{large} %`? Write that"
                if len(small) <= LONGEST_SHOWN
                else "write 100 times it"
            )
            message = f"{clip(small, LONGEST_SHOWN)} % is one in a hundred at most: {asked}"
            yield Problem(message, item, context.line_with(item, meant.printed))
        elif is_guessed(threshold):
            message = f"Guessing between two classes gives `{name}` 50 %: write more if there are two"
            yield Problem(message, item, severity=Severity.NOTICE)


DONE_TRIVIAL = Check(
    "done-trivial",
    "A bound can fail.",
    done_trivial,
    Severity.WARNING,
    why="A line that is true before anything is built decides nothing.",
    examples=(
        Example("- error_rate < 100 % over 7 d", "- error_rate < 0.5 % over 7 d", "done"),
        Example(
            "- accuracy >= 0.92 % on holdout with n >= 2000",
            "- accuracy >= 92 % on holdout with n >= 2000",
            "done",
        ),
    ),
)


LONGEST_BOUND_SHOWN = 60


def done_unit(context: CheckContext) -> Iterator[Problem]:
    """A bare number where a metric has units, and a unit that measures something else."""
    for item, threshold in context.thresholds("done", "stop_if"):
        metric = threshold.known
        if metric is None or fits(metric, threshold.unit):
            continue
        if threshold.unit.dimension is Dimension.NONE:
            meant = with_unit(threshold, metric)
            bound = f"{threshold.metric} {threshold.op} {plain(threshold.value)} {metric.unit}"
            asked = f"like `{bound}`" if len(bound) <= LONGEST_BOUND_SHOWN else f"`{metric.unit}`"
            message = f"{clip(plain(threshold.value), 12)} what? Write the unit, {asked}"
            yield Problem(message, item, context.line_with(item, meant))
        else:
            remedy = f"write it in `{metric.unit}`" if metric.unit else "write it without a unit"
            yield Problem(f"`{threshold.metric[:32]}` is {metric.measure}: {remedy}", item)


def with_unit(threshold: Threshold, metric: Metric) -> str:
    """The line with the unit to propose."""
    unit = unit_of(metric.unit)
    return replace(threshold, unit=unit).printed if unit else threshold.text


DONE_UNIT = Check(
    "done-unit",
    "Each number has the unit of its metric.",
    done_unit,
    why="300 may be milliseconds or seconds; 92 euros are no accuracy.",
    examples=(
        Example("- latency_p95 <= 300", "- latency_p95 <= 300 ms at 50 req/s", "done"),
        Example("- accuracy >= 92 ms", "- accuracy >= 92 % on holdout with n >= 2000", "done"),
    ),
)


def done_unknown_metric(context: CheckContext) -> Iterator[Problem]:
    """Each metric that nobody but its author knows, once."""
    told: set[str] = set()
    for item, threshold in context.thresholds("done", "stop_if"):
        name = threshold.metric
        if threshold.known or name in told:
            continue
        told.add(name)
        meant = near_metric(name)
        if meant:
            message = (
                f"`{name[:24]}` is not in the table, its unit, range and side are not checked: "
                f"did you mean `{meant}`?"
            )
            yield Problem(message, item)
        else:
            message = (
                f"`{name[:24]}` is not in the table, its unit, range and side are not checked: "
                "look twice at them"
            )
            yield Problem(message, item)


DONE_UNKNOWN_METRIC = Check(
    "done-unknown-metric",
    "A metric that the table lacks is taken as it is written.",
    done_unknown_metric,
    Severity.NOTICE,
    why="Your own metrics are welcome; only, nobody but you can tell whether 3 is much.",
    examples=(
        Example(
            "- acuracy >= 92 % on holdout with n >= 2000",
            "- accuracy >= 92 % on holdout with n >= 2000",
            "done",
        ),
    ),
)
