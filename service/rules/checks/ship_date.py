"""The ship date, as a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from service.rules.charter.keys import usual_ship_date
from service.rules.charter.values import ISO_DATE, iso, parse_date
from service.rules.checks.check import CheckContext, Example, Problem, check
from service.rules.source.text import shown
from service.rules.values.finding import Severity

FARTHEST = timedelta(days=180)


@check(
    why="A quarter, or soon, can slip without anybody noticing; a day can't.",
    examples=(
        Example("ship_by: Q1 2027", "ship_by: 2027-02-26"),
        Example("ship_by: 26.02.2027", "ship_by: 2027-02-26"),
    ),
)
def ship_date(context: CheckContext) -> Iterator[Problem]:
    """`ship_by` is a day."""
    ship_by = context.text("ship_by")
    if ship_by is None or parse_date(ship_by.value):
        return
    if ISO_DATE.fullmatch(ship_by.value):
        yield Problem(f"{shown(ship_by.value)} isn't in the calendar: write a day that exists", ship_by)
        return
    meant = iso(ship_by.value)
    remedy = f"like `{meant}`" if meant else f"for example `{usual_ship_date(context.today)}`"
    message = f"{shown(ship_by.value)} isn't a date: write year, month and day, {remedy}"
    yield Problem(message, ship_by, context.line_with(ship_by, meant) if meant else None)


@check(
    why="A date in the past plans nothing. Where only time passed, this is a notice.",
    examples=(Example("ship_by: 2026-02-26", "ship_by: 2027-02-26"),),
)
def ship_date_passed(context: CheckContext) -> Iterator[Problem]:
    """The ship date is still to come."""
    ship_by = context.charter.ship_by
    if ship_by and ship_by.value < context.today:
        severity = context.severity(lambda charter: charter.ship_by)
        message = f"{ship_by.value} has passed: write the new day or `stopped: {context.today} - <reason>`"
        yield Problem(message, ship_by, severity=severity)


@check(
    Severity.WARNING,
    why="A project that takes over half a year to reach its users isn't a proof of concept any more.",
    examples=(Example("ship_by: 2027-12-31", "ship_by: 2027-02-26"),),
)
def ship_date_far(context: CheckContext) -> Iterator[Problem]:
    """The ship date is at most 180 days ahead."""
    ship_by = context.charter.ship_by
    if ship_by and ship_by.value - context.today > FARTHEST:
        days = (ship_by.value - context.today).days
        message = (
            f"{days} calendar days ahead is far: take a smaller step, and write a day within {FARTHEST.days}"
        )
        yield Problem(message, ship_by)
