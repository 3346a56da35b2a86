"""How many lines `done` has."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.metrics import Kind, Measure
from service.rules.checks.check import Check, CheckContext, Example, Problem
from service.rules.source.nodes import Sequence
from service.rules.values.finding import Severity

FEWEST, MOST = 2, 12


def done_count(context: CheckContext) -> Iterator[Problem]:
    """One number is no definition of done, and thirteen are none that anybody remembers."""
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


DONE_COUNT = Check(
    "done-count",
    "`done` has 2 to 12 lines.",
    done_count,
    why="One number can be met at the cost of all others; more than twelve are not remembered.",
    examples=(
        Example(
            "done:\n  - accuracy >= 92 % on holdout with n >= 2000",
            "done:\n  - accuracy >= 92 % on holdout with n >= 2000\n  - latency_p95 <= 300 ms at 50 req/s",
        ),
    ),
)


FEWEST_KNOWN = 2


def done_operation(context: CheckContext) -> Iterator[Problem]:
    """No such line, where the table knows every metric."""
    metrics = context.done_metrics()
    if len(metrics) >= FEWEST_KNOWN and not any(metric.is_operation for metric in metrics):
        yield Problem(
            "No line bounds latency, cost or reliability: add one, like `latency_p95 <= 300 ms at 50 req/s`",
            context.key("done"),
        )


DONE_OPERATION = Check(
    "done-operation",
    "At least one line of `done` is on latency, cost or reliability.",
    done_operation,
    Severity.WARNING,
    why="What is right may still be too slow, too dear or too often down for those who wait for it.",
    examples=(
        Example(
            "done:\n  - accuracy >= 92 % on pilot with n >= 99\n  - recall >= 95 % on pilot with n >= 300",
            "done:\n  - accuracy >= 92 % on holdout with n >= 2000\n  - latency_p95 <= 300 ms at 50 req/s",
        ),
    ),
)


def done_quality(context: CheckContext) -> Iterator[Problem]:
    """No such line, where the table knows every metric."""
    metrics = context.done_metrics()
    if len(metrics) >= FEWEST_KNOWN and not any(metric.is_quality for metric in metrics):
        yield Problem(
            "No line bounds quality or safety: add one, like `accuracy >= 92 % on holdout with n >= 2000`",
            context.key("done"),
        )


DONE_QUALITY = Check(
    "done-quality",
    "At least one line of `done` is on quality, safety or business.",
    done_quality,
    Severity.WARNING,
    why="What is fast and cheap may still be wrong.",
    examples=(
        Example(
            "done:\n  - latency_p95 <= 300 ms at 50 req/s\n  - error_rate < 0.5 % over 7 d",
            "done:\n  - accuracy >= 92 % on holdout with n >= 2000\n  - latency_p95 <= 300 ms at 50 req/s",
        ),
    ),
)


def done_sample(context: CheckContext) -> Iterator[Problem]:
    """Ratios of quality that do not name a data set and a sample size."""
    for item, threshold in context.thresholds("done"):
        metric = threshold.known
        if metric is None or metric.kind is not Kind.QUALITY or metric.measure is not Measure.SHARE:
            continue
        lacks = [
            clause
            for word, clause in (("on", "on <dataset>"), ("n", "with n >= <size>"))
            if word not in threshold.clauses
        ]
        if lacks:
            asked = (
                "On what, and how many?"
                if len(lacks) > 1
                else "On what?"
                if "<d" in lacks[0]
                else "Of how many?"
            )
            yield Problem(
                f"`{threshold.metric[:32]}` {asked[0].lower()}{asked[1:]} Add `{' '.join(lacks)}`", item
            )


DONE_SAMPLE = Check(
    "done-sample",
    "A ratio of quality names its data set and its sample size.",
    done_sample,
    Severity.WARNING,
    why="92 % of 50 hand-picked cases and 92 % of 2,000 sampled ones are different claims.",
    examples=(Example("- accuracy >= 92 %", "- accuracy >= 92 % on holdout with n >= 2000", "done"),),
)


def done_window(context: CheckContext) -> Iterator[Problem]:
    """Metrics that mean nothing without a time, without one."""
    for item, threshold in context.thresholds("done"):
        if threshold.known and threshold.known.windowed and "over" not in threshold.clauses:
            message = f"`{threshold.metric[:32]}` over how long? Add the time, like `over 30 d`"
            yield Problem(message, item)


DONE_WINDOW = Check(
    "done-window",
    "An availability says over how long.",
    done_window,
    Severity.WARNING,
    why="99.9 % over an hour says little; over a month it allows 43 minutes.",
    examples=(Example("- availability >= 99.9 %", "- availability >= 99.9 % over 30 d", "done"),),
)
