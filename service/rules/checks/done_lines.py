"""The lines of `done`: how many, and whether each is a threshold that can be met and can fail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from service.rules.charter.lines import read_threshold
from service.rules.charter.metrics import MEAN, Kind, Measure, Metric, Span, Way, with_statistic
from service.rules.charter.quantity import Refusal, plain, read_quantity
from service.rules.charter.threshold import Threshold
from service.rules.charter.unit_fit import (
    as_percent,
    fits,
    in_range,
    is_guessed,
    is_impossible,
    is_open_share,
    is_trivial,
    runs_wrong,
    unhundredth,
)
from service.rules.charter.units import Dimension
from service.rules.checks.check import CheckContext, Example, Problem, check
from service.rules.source.nodes import Sequence
from service.rules.source.text import clip
from service.rules.values.finding import Severity

FEWEST, MOST = 2, 12
DASH = re.compile(r"\s-\s")
RUNS_OVER = "YAML reads this line and the next as one: begin every dash of the list in the same column"
CANDIDATES = {
    Measure.TIME: "`ms`, `s`, `min` or `h`",
    Measure.SIZE: "`MB`, `GB` or `GiB`",
    Measure.MONEY: "`USD` or `EUR`",
}
"""Units of which nobody but the author knows the one that is meant."""
LONGEST_SHOWN = 12
KILO = 1000
SPEED = "- latency_p95 <= 300 ms at 50 req/s"
ACCURACY = "- accuracy >= 92 % on holdout with n >= 2000"
SIDES = {"<": "below", ">": "above"}


@check(
    why="One number can be met at the cost of all others; nobody remembers more than twelve.",
    examples=(Example(f"done:\n  {ACCURACY}", f"done:\n  {ACCURACY}\n  {SPEED}"),),
)
def done_count(context: CheckContext) -> Iterator[Problem]:
    """`done` has 2 to 12 lines."""
    done = context.node("done")
    if not isinstance(done, Sequence):
        return
    count = len(done.items)
    if count < FEWEST:
        on_quality = any(metric.is_quality for metric in context.done_metrics())
        added = "latency, cost or reliability" if on_quality else "quality"
        message = f"`done` has {count} of at least {FEWEST} lines: add one on {added}"
        yield Problem(message, context.key("done"))
    elif count > MOST:
        extra = done.items[MOST]
        yield Problem(f"`done` has {count} lines: keep the {MOST} that decide", extra)


@check(
    why="People can argue about an adjective after the fact, but not about a number with its unit.",
    examples=(
        Example("- fast enough", SPEED, "done"),
        Example("- accuracy of about 92 %", ACCURACY, "done"),
    ),
)
def done_threshold(context: CheckContext) -> Iterator[Problem]:
    """Every line of `done` is metric, sign, number and unit."""
    for key in ("done", "stop_if"):
        for item in context.texts(key):
            read = read_threshold(item.value)
            if not isinstance(read, Refusal):
                continue
            if item.plain and item.line != item.end_line and DASH.search(item.value):
                yield Problem(RUNS_OVER, item)
            else:
                fix = context.line_with(item, read.meant) if read.meant else None
                example = context.line_with(item, read.example) if read.example else None
                offset = read.offset if item.plain and item.line == item.end_line else 0
                yield Problem(read.message, item, fix, offset=offset, example=example)


@check(
    why="300 may be milliseconds or seconds; 92 euros isn't an accuracy.",
    examples=(
        Example("- latency_p95 <= 300", SPEED, "done"),
        Example("- accuracy >= 92 ms", ACCURACY, "done"),
    ),
)
def done_unit(context: CheckContext) -> Iterator[Problem]:
    """Each number has the unit of its metric."""
    for item, threshold in context.thresholds("done", "stop_if"):
        metric = threshold.known
        if metric is None or (fits(metric, threshold.unit) and not is_billions(threshold)):
            continue
        if is_billions(threshold) and metric.measure in (Measure.SIZE, Measure.COUNT):
            message = f"`{plain(threshold.value)[:12]}B` are bytes: write the billions in digits, or use `GB`"
            yield Problem(message, item)
        elif threshold.unit.dimension is Dimension.NONE:
            units = CANDIDATES.get(metric.measure, f"`{metric.unit}`")
            message = f"{clip(plain(threshold.value), LONGEST_SHOWN)} what? Write {units} after it"
            yield Problem(message, item)
        else:
            remedy = f"write it in `{metric.unit}`" if metric.unit else "write it without a unit"
            yield Problem(f"`{threshold.metric[:32]}` is {metric.measure}: {remedy}", item)


def is_billions(threshold: Threshold) -> bool:
    """Whether a bare `B` is rather a number of parameters than one of bytes: `7B`."""
    return threshold.unit.text == "B" and threshold.value < KILO


@check(
    why="An accuracy of 92 or a latency of zero can't happen: such a line can never be met, or never fails.",
    examples=(
        Example("- accuracy >= 92 on holdout with n >= 2000", ACCURACY, "done"),
        Example("- error_rate < 120 % over 7 d", "- error_rate < 0.5 % over 7 d", "done"),
    ),
)
def done_range(context: CheckContext) -> Iterator[Problem]:
    """A bound lies in the natural range of its metric."""
    for item, threshold in context.thresholds("done", "stop_if"):
        metric = threshold.known
        if is_impossible(threshold):
            op = f"{threshold.op}="
            message = (
                f"No `{threshold.metric[:32]}` is {SIDES[threshold.op]} that: write `{op}` or another bound"
            )
            meant = replace(threshold, op=op).printed
            yield Problem(message, item, example=context.line_with(item, meant))
        if is_open_share(threshold):
            bare = clip(plain(threshold.value), LONGEST_SHOWN)
            yield Problem(f"`{threshold.metric[:32]}` is a ratio: {bare} what? Add the `%`", item)
        if metric is None or metric.span is None or in_range(threshold):
            continue
        percent = as_percent(threshold)
        name = threshold.metric[:32]
        if percent:
            share = plain(percent.value)
            asked = (
                f"did you mean `{share} %`? Write that"
                if len(share) <= LONGEST_SHOWN
                else "write `%` after it"
            )
            message = f"`{name}` is a ratio, at most 1: {asked}"
            yield Problem(message, item, context.line_with(item, percent.printed))
        else:
            yield Problem(
                f"`{name}` can't be that: write a bound {between(metric, metric.span, threshold)}", item
            )


def between(metric: Metric, span: Span, threshold: Threshold) -> str:
    """The range in words, in percents where the line is."""
    low, high = span.ends(percent=threshold.unit.text == "%")
    if low and high:
        return f"from {low} to {high}"
    if span.whole:
        return f"of {low} or more in whole {metric.unit}"
    if high:
        return f"of at most {high}"
    return f"above {low}" if span.above_low else f"of at least {low}"


@check(
    why="If two lines bound the same thing, one of them is a mistake.",
    examples=(Example(f"{SPEED}\n- p95_latency <= 0.4 s at 50 req/s", f"{SPEED}\n{ACCURACY}", "done"),),
)
def done_duplicate(context: CheckContext) -> Iterator[Problem]:
    """No threshold stands twice in `done`."""
    seen: dict[tuple[object, ...], Threshold] = {}
    for threshold in context.charter.done:
        first = seen.setdefault((threshold.key, threshold.op.rstrip("=")), threshold)
        if first is not threshold:
            name = threshold.metric[:32]
            message = f"`{name}` is already bounded on line {first.line}: keep one of the two"
            yield Problem(message, threshold)


@check(
    Severity.NOTICE,
    why="In some languages 10.000 is ten thousand; here the point is a decimal point.",
    examples=(
        Example("- throughput >= 10.000 req/s", "- throughput >= 10000 req/s", "done"),
        Example("load: 1.500 req/s", "load: 1500 req/s", "target"),
    ),
)
def number_thousands(context: CheckContext) -> Iterator[Problem]:
    """A number with three decimals could be thousands."""
    for item, threshold in context.thresholds("done", "stop_if"):
        is_amount = threshold.unit.dimension not in (Dimension.RATIO, Dimension.NONE)
        load = read_quantity(threshold.clauses.get("at"))
        for value in (threshold.value if is_amount else None, load.value if load else None):
            if value is not None and may_be_thousands(value):
                yield Problem(asked_thousands(value), item)
    for key in ("load", "data"):
        scalar = context.text("target", key)
        quantity = read_quantity(scalar.value) if scalar else None
        if scalar and quantity and may_be_thousands(quantity.value):
            yield Problem(asked_thousands(quantity.value), scalar)


def may_be_thousands(value: Decimal) -> bool:
    """Whether it is written as one to three digits, a point and three more, and does not begin with 0."""
    return value.as_tuple().exponent == -3 and 1 <= value < KILO  # noqa: PLR2004 - three decimals


def asked_thousands(value: Decimal) -> str:
    """Which of the two it is."""
    return f"`{value}` is read as {plain(value)}: write `{plain(value)}` or `{plain(value * KILO)}`"


@check(
    why="A slow service meets a latency of at least 300 ms. Bounding both sides is fine.",
    examples=(Example("- latency_p95 >= 300 ms at 50 req/s", SPEED, "done"),),
)
def done_direction(context: CheckContext) -> Iterator[Problem]:
    """A bound is on the side on which its metric is bad."""
    right = {each.key for each in context.charter.done if not runs_wrong(each)}
    for item, threshold in context.thresholds("done"):
        metric = threshold.known
        if metric and runs_wrong(threshold) and threshold.key not in right:
            sign = threshold.op.translate(str.maketrans("<>", "><"))
            message = f"`{threshold.metric[:32]}` is better when {metric.way}: write `{sign}`"
            fix = threshold.printed.replace(f" {threshold.op} ", f" {sign} ", 1)
            yield Problem(message, item, example=context.line_with(item, fix))


@check(
    Severity.WARNING,
    why="A line that is true before anything is built decides nothing.",
    examples=(
        Example("- error_rate < 100 % over 7 d", "- error_rate < 0.5 % over 7 d", "done"),
        Example("- accuracy >= 0.92 % on holdout with n >= 2000", ACCURACY, "done"),
    ),
)
def done_trivial(context: CheckContext) -> Iterator[Problem]:
    """A bound can fail."""
    for item, threshold in context.thresholds("done"):
        name = threshold.metric[:32]
        if is_trivial(threshold):
            yield Problem(f"Every `{name}` passes this: write the bound that would stop you", item)
        elif meant := unhundredth(threshold):
            small, large = plain(threshold.value), plain(meant.value)
            asked = (
                f"did you mean `{large} %`? Write that"
                if len(small) <= LONGEST_SHOWN
                else "write 100 times that"
            )
            message = f"{clip(small, LONGEST_SHOWN)} % is at most 1 in 100: {asked}"
            yield Problem(message, item, example=context.line_with(item, meant.printed))
        elif is_guessed(threshold):
            message = f"Guessing between two classes gives `{name}` 50 %: write more if there are two"
            yield Problem(message, item, severity=Severity.NOTICE)


@check(
    Severity.WARNING,
    why="The mean of a latency can be fine while one user in ten waits for seconds.",
    examples=(Example("- latency_mean <= 300 ms at 50 req/s", SPEED, "done"),),
)
def done_statistic(context: CheckContext) -> Iterator[Problem]:
    """A latency is bounded by a percentile."""
    for item, threshold in context.thresholds("done"):
        if meant := percentile(threshold):
            stated = with_statistic(threshold.metric)[1]
            told = "A mean hides the slow tail: write" if stated else "Of which requests? Write"
            example = context.line_with(item, f"{meant}{threshold.text[len(threshold.metric) :]}")
            message = f"{told} a percentile, for example `{meant[:32]}`"
            yield Problem(message, item, example=example)


def percentile(threshold: Threshold) -> str | None:
    """The percentile to ask for instead, where the line asks for none of its values."""
    metric = threshold.known
    if metric is None or metric.kind is not Kind.LATENCY or metric.way is not Way.DOWN:
        return None
    base, statistic = with_statistic(metric.name)
    varies = base in ("ttft", "tpot", "itl") or base.endswith("latency")
    return f"{base}_p95" if varies and statistic in ("", MEAN) else None
