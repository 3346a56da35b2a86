"""A pause, or the end: since when or until when, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from service.rules.charter.values import parse_pause, parse_stop
from service.rules.checks.check import CheckContext, Example, Problem, check
from service.rules.values.finding import Severity

LONGEST = timedelta(days=60)


@check(
    why="A pause without an end is a stop that nobody decided.",
    examples=(
        Example("paused: waiting for data", "paused: until 2026-12-18 - waiting for the data contract"),
        Example(
            "paused: until 2026-10-01 - waiting for data",
            "paused: until 2026-12-18 - waiting for the data contract",
        ),
    ),
)
def paused_format(context: CheckContext) -> Iterator[Problem]:
    """`paused: until DATE - reason`."""
    text, pause = context.text("paused"), context.charter.paused
    if text and parse_pause(text.value) is None:
        yield Problem("A pause has an end and a reason: write `paused: until YYYY-MM-DD - reason`", text)
    elif pause and pause.value.until < context.today:
        severity = context.severity(lambda charter: charter.paused)
        message = f"This pause ended on {pause.value.until}: delete the line, or write a later day"
        yield Problem(message, pause, severity=severity)


@check(
    Severity.WARNING,
    why="A pause silences everything, so product has to agree to a long one.",
    examples=(
        Example(
            "paused: until 2027-06-30 - waiting for the contract",
            "paused: until 2026-12-18 - waiting for the contract",
        ),
    ),
)
def paused_long(context: CheckContext) -> Iterator[Problem]:
    """A pause of more than 60 days is for product to sign."""
    pause = context.charter.paused
    if pause and pause.value.until - context.today > LONGEST:
        latest = context.today + LONGEST
        message = (
            f"Product signs pauses of over {LONGEST.days} calendar days: until then, end it by `{latest}`"
        )
        yield Problem(message, pause)


@check(
    when_stopped=True,
    why="Stopping is a good end if the charter says when and why.",
    examples=(Example("stopped: yes", "stopped: 2026-11-20 - the baseline was good enough"),),
)
def stopped_format(context: CheckContext) -> Iterator[Problem]:
    """`stopped: DATE - reason`."""
    text, stop = context.text("stopped"), context.charter.stopped
    if text and parse_stop(text.value) is None:
        message = f"A stop has a day and a reason: write `stopped: {context.today} - reason`"
        yield Problem(message, text)
    elif stop and context.is_to_come(stop.value.on):
        yield Problem(f"{stop.value.on} is in the future: write the day it was stopped", stop)
