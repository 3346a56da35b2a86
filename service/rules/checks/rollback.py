"""How to turn it off, so that somebody else could."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.rules.charter.quantity import Refusal, parse_duration
from service.rules.charter.values import parse_drill
from service.rules.checks.check import CheckContext, Example, Problem, check
from service.rules.source.text import shown
from service.rules.values.finding import Severity

FEWEST_CHARACTERS = 10
NOT_YET = re.compile(r"(?:not|no|never|planned|pending|soon|n/?a|none)\b", re.IGNORECASE)


@check(
    why="The person who turns it off may not be the one who built it.",
    examples=(
        Example(
            "how: revert", "how: turn flag ai_triage off, tickets go back to the manual queue", "rollback"
        ),
    ),
)
def rollback_how(context: CheckContext) -> Iterator[Problem]:
    """`rollback.how` can be followed."""
    how = context.text("rollback", "how")
    if how and len(how.value.strip()) < FEWEST_CHARACTERS:
        yield Problem("Nobody could follow this at night: write what is turned off and what takes over", how)


@check(
    why="Harm lasts for as long as it takes to turn it off.",
    examples=(Example("within: quickly", "within: 10 min", "rollback"),),
)
def rollback_within(context: CheckContext) -> Iterator[Problem]:
    """`rollback.within` is a duration."""
    within = context.text("rollback", "within")
    if within is None:
        return
    read = parse_duration(within.value)
    if isinstance(read, Refusal):
        meant = read.meant if read.meant and not isinstance(parse_duration(read.meant), Refusal) else None
        remedy = f"write `{meant}`" if meant else "write number and unit, for example `10 min`"
        message = f"{shown(within.value)} isn't a duration: {remedy}"
        yield Problem(message, within, context.line_with(within, meant) if meant else None)


@check(
    why="Nobody knows whether an untried rollback works. The day and the duration show that somebody did.",
    examples=(
        Example("drilled: yes", "drilled: 2026-11-12 in 4 min", "rollback"),
        Example("drilled: 2027-01-15 in 4 min", "drilled: 2026-11-12 in 4 min", "rollback"),
    ),
)
def rollback_drilled(context: CheckContext) -> Iterator[Problem]:
    """`rollback.drilled` is a day in the past, and a duration."""
    drilled = context.text("rollback", "drilled")
    if drilled is None:
        return
    drill = parse_drill(drilled.value)
    if drill is None:
        if NOT_YET.match(drilled.value):
            yield Problem(
                f"{shown(drilled.value)} isn't a drill: leave the line out until you've done one", drilled
            )
            return
        message = f"{shown(drilled.value)} isn't a drill"
        yield Problem(
            f"{message}: write its day and duration, for example `{context.today} in 4 min`", drilled
        )
    elif context.is_to_come(drill.on):
        yield Problem(f"{drill.on} is in the future: write the day it was tried", drilled)


@check(
    Severity.WARNING,
    why="The drill is the best estimate there is; a shorter promise is a guess.",
    examples=(Example("drilled: 2026-11-12 in 40 min", "drilled: 2026-11-12 in 4 min", "rollback"),),
)
def rollback_slow(context: CheckContext) -> Iterator[Problem]:
    """The drill took no longer than `within`."""
    rollback = context.charter.rollback
    if rollback.drilled and rollback.within:
        took, within = rollback.drilled.value.took, rollback.within.value
        if took.canonical_value > within.canonical_value:
            said = f"The drill took {took.text[:24]}, `within` says {within.text[:24]}"
            message = f"{said}: write the longer time or drill again"
            yield Problem(" ".join(message.split()), rollback.drilled)
