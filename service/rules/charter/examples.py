"""An example for a line that isn't a threshold: of the metric that it names, or of one of its family."""

from __future__ import annotations

import re

from service.rules.charter.lexicon import CORRECTNESS, MONEY, QUALITY, SERVICE, SPEED, Vague
from service.rules.charter.metrics import (
    NAMES,
    Kind,
    Measure,
    Metric,
    Way,
    metric_by_ending,
    metric_of,
    with_statistic,
)

LONGEST_MESSAGE = 120
MOST_WORDS = 24
LONGEST_NAME = 5
"""Words of a metric's name."""
WORDS = re.compile(r"[a-z0-9]+")
COST_PER = re.compile(
    r"\b(?:costs?|price)\s+(?:per|of each|for each|an?)\s+"
    r"(?:(?:active|single|individual|processed|resolved|successful)\s+)?(?P<thing>[a-z]{2,20})"
)
PRICE_PER = re.compile(
    r"^\W*(?:the\s+)?(?:costs?|price)\b.{1,60}\bper\s+"
    r"(?:(?:active|single|individual|processed|resolved|successful)\s+)?(?P<thing>[a-z]{2,20})\W*$"
)
SPOKEN = {
    "satisfaction": "csat",
    "speed": "latency",
    "answer_time": "latency",
    "false_positive": "false_positive_rate",
    "false_negative": "false_negative_rate",
    "false_alarm": "false_alarm_rate",
    "time_saving": "time_saved",
    "cost": "cost_per_request",
    "price": "cost_per_request",
    "error": "error_rate",
    "failure": "failure_rate",
    "hallucination": "hallucination_rate",
    "adoption": "adoption_rate",
    "retention": "retention_rate",
    "conversion": "conversion_rate",
    "memory": "memory_peak",
}
"""How people call a metric in a sentence."""
ORDINARY_WORDS = (
    "far map lift comet spice cider meteor kid bias coverage parameters relevance consistency coherence "
    "fluency helpfulness completeness ter der mos sus ces"
)
ORDINARY = frozenset(ORDINARY_WORDS.split())
"""Names of the table that are words of a sentence as well."""
PERCENTILES = frozenset(f"p{number}" for number in (*range(1, 101), *range(900, 1000), *range(9900, 10000)))
NAMED = frozenset(word for name in (*NAMES, *SPOKEN) for word in name.split("_") if not word.isdigit())
VOCABULARY = NAMED | PERCENTILES
"""Every word of a metric's name: without one of them a few words name none."""
IN_UNITS = (
    (re.compile(r"\d\s*(?:ms|msec|millis\w*|s|secs?|seconds?)\b", re.IGNORECASE), "latency_p95"),
    (re.compile(r"[$€£]|\b(?:USD|EUR|GBP|dollars?|euros?|cents?)\b"), "cost_per_request"),
    (re.compile(r"\d\s*[kKMGT]i?B\b"), "memory_peak"),
    (re.compile(r"\d\s*(?:req\w*/s\w*|[rq]ps|[RQ]PS)\b"), "throughput"),
)
"""What a unit says of a metric that is not named."""


def recognised(text: str) -> Metric | None:
    """The metric that a line speaks of: the longest name of the table in it, or what its unit tells."""
    lowered = text[: LONGEST_MESSAGE * 2].lower()
    if price := COST_PER.search(lowered):
        return metric_of(f"cost_per_{price['thing']}")
    if (price := PRICE_PER.search(lowered)) and (found := metric_of(f"cost_per_{price['thing']}")):
        return found
    words = WORDS.findall(lowered.replace("_", " "))[:MOST_WORDS]
    known = [word in VOCABULARY or word.removesuffix("s") in VOCABULARY for word in words]
    for length in range(LONGEST_NAME, 0, -1) if any(known) else ():
        for start in range(len(words) - length + 1):
            if not any(known[start : start + length]):
                continue
            name = "_".join(words[start : start + length])
            if name in ORDINARY or name.isdigit():
                continue
            singular = name.removesuffix("s")
            if found := metric_of(name) or metric_of(SPOKEN.get(singular, SPOKEN.get(name, singular))):
                return found
    written = re.match(r"[a-z0-9_]+", lowered)
    if written and (typed := metric_by_ending(written[0])):
        return typed
    return next(
        (metric_of(name) for unit, name in IN_UNITS if unit.search(text[: LONGEST_MESSAGE * 2])), None
    )


def example_of(metric: Metric) -> str:  # noqa: C901, PLR0911 - a line for each measure
    """A line on a metric that says all that one should."""
    name, up = metric.name, metric.way is not Way.DOWN
    on_data = " on holdout with n >= 2000"
    match metric.measure:
        case Measure.TIME if metric.kind is Kind.LATENCY and metric.unit == "ms":
            name = name if with_statistic(name)[1] not in ("", "mean") else f"{with_statistic(name)[0]}_p95"
            return f"{name} <= 300 ms at 50 req/s"
        case Measure.TIME:
            return (
                f"{name} >= 500 h" if up else f"{name} <= {30 if metric.unit == 'min' else 4} {metric.unit}"
            )
        case Measure.SAVED_TIME:
            return f"{name} >= 200 h/month"
        case Measure.SHARE if metric.kind is Kind.QUALITY:
            return f"{name} {'>= 92 %' if up else '<= 5 %'}{on_data}"
        case Measure.SHARE:
            return f"{name} {'>= 95 %' if up else '<= 2 %'} over 30 d"
        case Measure.MONEY if metric.unit == "USD" and not up:
            return f"{name} < 0.02 USD"
        case Measure.MONEY:
            return f"{name} {'>=' if up else '<='} 4000 {metric.unit}"
        case Measure.SIZE:
            return f"{name} <= 16 {metric.unit}"
        case Measure.NUMBER:
            return (
                f"{name} {number_of(metric, up=up)}{' on pilot with n >= 100' if metric.span is None else ''}"
            )
        case Measure.COUNT | Measure.THROUGHPUT | Measure.VOLUME:
            return f"{name} {'>= 50' if up else '<= 12'} {metric.unit}"
        case Measure.TARGET:
            return f"{name} {'>= 30' if up else '<= 12'}{on_data}"


def number_of(metric: Metric, *, up: bool) -> str:
    """A bound without a unit, in the range of its metric."""
    high = metric.span.high if metric.span else None
    if not up:
        return "<= 0.2" if metric.span and not metric.span.low else "<= 12"
    if metric.span is None or high == 5 or metric.name == "pesq":  # noqa: PLR2004 - stars of five
        return ">= 4.2"
    return ">= 0.8" if high == 1 else ">= 40"


def question_of(metric: Metric) -> Vague:
    """The family whose question a line on that metric leaves open."""
    match metric.kind:
        case Kind.LATENCY:
            return SPEED
        case Kind.COST if metric.measure is Measure.MONEY:
            return MONEY
        case Kind.RELIABILITY if metric.measure is Measure.SHARE:
            return SERVICE
        case Kind.QUALITY if metric.measure is Measure.SHARE:
            return CORRECTNESS
        case _ if metric.name == "csat":
            return QUALITY
        case _:
            return Vague("", "Which number, in which unit?", "")


def with_example(message: str, example: str) -> str:
    """The message and the example, as much of it as a message has room for."""
    for part in dict.fromkeys((example, example.partition(" on ")[0])):
        told = f"{message} `{part}`"
        if len(told) <= LONGEST_MESSAGE:
            return told
    return message.rpartition(", for example")[0] or message.rpartition(" For example")[0]
