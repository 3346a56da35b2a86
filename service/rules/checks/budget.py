"""What a POC may cost: said for those who pay, and never judged."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.quantity import Quantity, Refusal, parse_quantity
from service.rules.charter.units import Dimension
from service.rules.checks.check import CheckContext, Example, Problem, check
from service.rules.source.text import shown


@check(
    why="The people who pay ask what it may cost, and a number without a currency doesn't tell them.",
    examples=(
        Example("budget: 40k", "budget: 40000 EUR"),
        Example("budget: 5000 EUR/month", "budget: 15000 EUR"),
    ),
)
def budget(context: CheckContext) -> Iterator[Problem]:
    """A budget is one sum of money."""
    text = context.text("budget")
    if text is None or context.charter.budget is not None:
        return
    read = parse_quantity(text.value)
    said = shown(text.value)
    if isinstance(read, Refusal):
        message, meant = f"{said} isn't a sum of money", read.meant
    elif read.unit.dimension is Dimension.MONEY:
        message, meant = f"{said} is zero", None
    else:
        message, meant = f"{said} {unlike(read)}", None
    fix = context.line_with(text, meant) if meant else None
    yield Problem(f"{message}: write the whole sum with its currency, for example `40000 EUR`", text, fix)


def unlike(read: Quantity) -> str:
    """Why a quantity isn't a sum."""
    if read.unit.dimension is Dimension.NONE:
        return "has no currency"
    return "is a price, not a sum" if Dimension.MONEY in read.unit.parts else "isn't money"
