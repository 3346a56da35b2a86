"""Load and data: real volumes, with a unit, per something."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.nodes import Scalar
from service.rules.charter.quantity import Quantity, Refusal, parse_quantity
from service.rules.charter.remedy import REPAIRS
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.units import Dimension
from service.rules.charter.wording import clip, shown

EXAMPLES = {"load": "50 req/s", "data": "180000 tickets/day"}
LONGEST = 80


def find(sheet: Sheet) -> Iterator[Complaint]:
    """A load or a data volume that is no rate."""
    for key, example in EXAMPLES.items():
        scalar = sheet.text("target", key)
        if scalar:
            yield from complaints(sheet, key, scalar, example)


def complaints(sheet: Sheet, key: str, scalar: Scalar, example: str) -> Iterator[Complaint]:
    """What one of the two lacks."""
    quantity = parse_quantity(scalar.value)
    if isinstance(quantity, Refusal):
        meant = repaired(scalar.value)
        if meant:
            yield Complaint(f"Digits and unit only: write `{meant}`", scalar, sheet.line_with(scalar, meant))
        else:
            yield Complaint(
                f"{shown(scalar.value)} is no number with a unit: write `{key}: {example}`", scalar
            )
    elif quantity.value <= 0:
        yield Complaint(
            f"{shown(scalar.value)} is nothing: write the volume expected, like `{example}`", scalar
        )
    elif quantity.unit.dimension is Dimension.NONE:
        yield Complaint(f"{shown(scalar.value)} what, per what? Write `{key}: {example}`", scalar)
    elif quantity.unit.dimension is not Dimension.RATE:
        meant = f"{clip(quantity.text)}/{example.rpartition('/')[2]}"
        yield Complaint(f"{shown(scalar.value)} per what? Write a rate, like `{meant}`", scalar)


def repaired(text: str) -> str | None:
    """The rate that was meant by `180,000 tickets/day` or `50 rps`."""
    if len(text) > LONGEST:
        return None
    for repair in REPAIRS:
        text = repair.slip.sub(repair.meant, text)
    meant = text.strip()
    quantity = parse_quantity(meant)
    is_rate = isinstance(quantity, Quantity) and quantity.unit.dimension is Dimension.RATE
    return meant if is_rate and "`" not in meant else None


CHECK = Check(
    "target-quantity",
    "Load and data are rates: number, unit, per what.",
    find,
    why="Ten documents a week and ten a second are different systems.",
    examples=(
        Example("load: high", "load: 50 req/s", "target"),
        Example("data: 180000 tickets", "data: 180000 tickets/day", "target"),
    ),
)
