"""Waivers: which line may be missed, until when, and why."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.line_keys import LONGEST_WAIVER, Waiver, key_of, parse_waiver, waived_lines
from service.rules.charter.model import Located
from service.rules.charter.quantity import Refusal
from service.rules.checks.check import CheckContext, Example, Problem, check
from service.rules.source.text import choice, shown
from service.rules.values.finding import Severity

FEW = 3
GOOD = "waived:\n  - latency_p95 until 2026-12-18 - the new cluster comes in December"


@check(
    why="A waiver without an end is a lower bound that nobody agreed to.",
    examples=(Example("waived:\n  - latency_p95 for now", GOOD),),
)
def waived_format(context: CheckContext) -> Iterator[Problem]:
    """A line of `waived` is `METRIC until DATE - reason`."""
    for text in context.texts("waived"):
        read = parse_waiver(text.value)
        if isinstance(read, Refusal):
            yield Problem(f"{read.message}: write `<metric> until YYYY-MM-DD - <reason>`", text)


@check(
    why="A waiver that fits no line, or two of them, would only be noticed on the day it counts.",
    examples=(
        Example("waived:\n  - latency_p50 until 2026-12-18 - the new cluster comes in December", GOOD),
    ),
)
def waived_metric(context: CheckContext) -> Iterator[Problem]:
    """A waiver is for one line of `done`, and there is one for it."""
    done, seen = context.charter.done, set[tuple[object, ...]]()
    if not context.all_read():
        return
    for waiver in context.charter.waived:
        key = waiver.value.key
        if key.about in seen:
            yield Problem(f"{shown(key.printed)} is waived twice here: delete one of the lines", waiver)
        seen.add(key.about)
        if not waived_lines(waiver.value, done):
            keys = tuple(dict.fromkeys(key_of(line, done) for line in done))
            near = [each for each in keys if each.split()[0] == key.metric] or list(keys)
            message = f"No single line of `done` is {shown(key.printed, 30)}: write {choice(near[:FEW], 40)}"
            yield Problem(message, waiver)


@check(
    why="A longer waiver is a different bound: change it in `done`, where everybody sees it.",
    examples=(
        Example("waived:\n  - latency_p95 until 2027-06-30 - the new cluster comes in June", GOOD),
        Example("waived:\n  - latency_p95 until 2026-10-01 - the new cluster comes in October", GOOD),
    ),
)
def waived_until(context: CheckContext) -> Iterator[Problem]:
    """A waiver ends within 60 days, on a day that is still to come."""
    for waiver in context.charter.waived:
        until = waiver.value.until
        if until < context.today:
            message = f"This waiver ended on {until}: delete the line, or write a later day"
            yield Problem(message, waiver, severity=written(context, waiver))
        elif waiver.value.is_too_long(context.today):
            latest = context.today + LONGEST_WAIVER
            message = (
                f"A waiver of over {LONGEST_WAIVER.days} calendar days doesn't count: end it by `{latest}`"
            )
            yield Problem(message, waiver, severity=written(context, waiver))


def written(context: CheckContext, waiver: Located[Waiver]) -> Severity:
    """An error where this change writes the waiver: time alone turns nothing red."""
    return context.severity(lambda charter: waiver in charter.waived)
