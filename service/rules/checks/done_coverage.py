"""What the lines of `done` leave open: data set, time, whole kinds of metrics, and unknown names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from service.rules.charter.keys import near_metric
from service.rules.charter.metrics import Kind, Measure
from service.rules.charter.unit_fit import runs_wrong
from service.rules.checks.check import CheckContext, Example, Problem, check
from service.rules.values.finding import Severity

FEWEST_KNOWN = 2
SPEED = "latency_p95 <= 300 ms at 50 req/s"
ACCURACY = "accuracy >= 92 % on holdout with n >= 2000"
BOTH = f"done:\n  - {ACCURACY}\n  - {SPEED}"
SAMPLE = {
    ("on",): ("on what", "on <dataset>"),
    ("n",): ("of how many", "with n >= <size>"),
    ("on", "n"): ("on what, and how many", "on <dataset> with n >= <size>"),
}
"""What to ask and what to add, by the clauses that are missing."""


@check(
    Severity.WARNING,
    why="92 % of 50 hand-picked cases and 92 % of 2,000 sampled ones are different claims.",
    examples=(Example("- accuracy >= 92 %", f"- {ACCURACY}", "done"),),
)
def done_sample(context: CheckContext) -> Iterator[Problem]:
    """A ratio of quality names its data set and its sample size."""
    for item, threshold in context.thresholds("done"):
        metric = threshold.known
        if metric is None or metric.kind is not Kind.QUALITY or metric.measure is not Measure.SHARE:
            continue
        if open_ := tuple(word for word in ("on", "n") if word not in threshold.clauses):
            asked, clause = SAMPLE[open_]
            yield Problem(f"`{threshold.metric[:32]}` {asked}? Add `{clause}`", item)


@check(
    Severity.WARNING,
    why="99.9 % over an hour says little; over a month it allows 43 minutes.",
    examples=(Example("- availability >= 99.9 %", "- availability >= 99.9 % over 30 d", "done"),),
)
def done_window(context: CheckContext) -> Iterator[Problem]:
    """An availability says over how long."""
    for item, threshold in context.thresholds("done"):
        if threshold.known and threshold.known.windowed and "over" not in threshold.clauses:
            message = f"`{threshold.metric[:32]}` over how long? Add the time, for example `over 30 d`"
            yield Problem(message, item)


@check(
    Severity.WARNING,
    why="A fast and cheap service may still be wrong.",
    examples=(Example(f"done:\n  - {SPEED}\n  - error_rate < 0.5 % over 7 d", BOTH),),
)
def done_quality(context: CheckContext) -> Iterator[Problem]:
    """At least one line of `done` is on quality, safety or business."""
    metrics = context.done_metrics()
    if len(metrics) >= FEWEST_KNOWN and not any(metric.is_quality for metric in metrics):
        message = f"No line bounds quality or safety: add one, for example `{ACCURACY}`"
        yield Problem(message, context.key("done"))


@check(
    Severity.WARNING,
    why="A service that gives right answers may still be too slow, too expensive or too often down.",
    examples=(
        Example(
            "done:\n  - accuracy >= 92 % on pilot with n >= 99\n  - recall >= 95 % on pilot with n >= 300",
            BOTH,
        ),
    ),
)
def done_operation(context: CheckContext) -> Iterator[Problem]:
    """At least one line of `done` is on latency, cost or reliability."""
    metrics = context.done_metrics()
    if len(metrics) >= FEWEST_KNOWN and not any(metric.is_operation for metric in metrics):
        message = f"No line bounds latency, cost or reliability: add one, for example `{SPEED}`"
        yield Problem(message, context.key("done"))


@check(
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
def done_free_scale(context: CheckContext) -> Iterator[Problem]:
    """A metric without one scale is not checked for its range."""
    told: set[str] = set()
    for item, threshold in context.thresholds("done", "stop_if"):
        metric = threshold.known
        if metric and metric.span is None and metric.name not in told:
            told.add(metric.name)
            name = threshold.metric[:32]
            remedy = "name the scale in the prose"
            yield Problem(f"`{name}` has no single scale, so its range isn't checked: {remedy}", item)


@check(
    Severity.NOTICE,
    why="Your own metrics are welcome, but only you can tell whether 3 is a lot.",
    examples=(Example("- acuracy >= 92 % on holdout with n >= 2000", f"- {ACCURACY}", "done"),),
)
def done_unknown_metric(context: CheckContext) -> Iterator[Problem]:
    """A metric that isn't in the table is taken as written."""
    told: set[str] = set()
    for item, threshold in context.thresholds("done", "stop_if"):
        name = threshold.metric
        if threshold.known or name in told:
            continue
        told.add(name)
        meant = near_metric(name)
        if meant and not runs_wrong(replace(threshold, metric=meant)):
            yield Problem(f"`{name}` isn't in the table: did you mean `{meant}`?", item)
        else:
            message = f"`{name}` is your own metric: we can't check its unit, range or direction"
            yield Problem(message, item)
