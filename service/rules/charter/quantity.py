"""A number with its unit, exact in every step."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction

from service.rules.charter.units import MEANT, NO_UNIT, SYMBOLS, Dimension, Unit, target_unit, unit_of
from service.rules.source.text import shown

NUMBER = r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?"
QUANTITY = re.compile(rf"(?P<currency>[$€£])?\s*(?P<number>{NUMBER})\s*(?P<unit>\S.{{0,60}})?")
THOUSANDS = re.compile(r"(?<![\d.,])(?P<head>[1-9]\d{0,2}),(?P<tail>\d{3})(?![\d,.])")
"""One comma and three digits: a thousand in English, a decimal comma in most of Europe."""
EXACT = Context(prec=120)
ROUNDED = Context(prec=34)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a text does not parse, the text that was certainly meant, and one that could be."""

    message: str
    meant: str | None = None
    offset: int = 0
    example: str | None = None


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and a unit, as written and in canonical form."""

    text: str
    value: Decimal
    unit: Unit

    @property
    def canonical_value(self) -> Decimal:
        """The value in the canonical unit, rounded once, so that equal amounts are equal numbers."""
        return canonical(self.value, self.unit)

    @property
    def canonical_unit(self) -> str:
        """The canonical unit: `s`, `B`, `ratio`, `USD`, `ticket`, `request/s`, or nothing."""
        return self.unit.canonical


def canonical(value: Decimal, unit: Unit) -> Decimal:
    """A value in its unit's canonical form."""
    exact = Fraction(value) * unit.factor
    return ROUNDED.divide(Decimal(exact.numerator), Decimal(exact.denominator))


def parse_quantity(text: str) -> Quantity | Refusal:
    """Read `50 req/s`, `$0.02`, `10 min`."""
    match = QUANTITY.fullmatch(text.strip())
    if match is None:
        return Refusal("no number with a unit")
    currency, written = match["currency"], (match["unit"] or "").strip()
    unit = read_unit(currency, written)
    if isinstance(unit, Refusal):
        meant = text.replace(written, unit.meant, 1) if unit.meant else None
        return Refusal(unit.message, meant, match.start("unit"))
    return Quantity(text.strip(), EXACT.create_decimal(match["number"]), unit)


def read_quantity(text: str | None) -> Quantity | None:
    """The quantity that a text is, if it is one."""
    quantity = parse_quantity(text) if text else None
    return quantity if isinstance(quantity, Quantity) else None


def read_unit(currency: str | None, written: str, *, any_token: bool = False) -> Unit | Refusal:
    """The unit of a number, which a currency sign may stand for; any token where a metric asks for none."""
    if currency:
        written = f"{currency}{written}" if written.startswith("/") else written or currency
    if not written:
        return NO_UNIT
    unit = unit_of(written) or (target_unit(written) if any_token else None)
    if unit is None:
        return Refusal(f"{shown(written)} isn't a unit here", MEANT.get(written))
    if currency and unit.canonical.partition("/")[0] != SYMBOLS[currency]:
        return Refusal("two units for one number")
    return unit


def plain(value: Decimal) -> str:
    """A number as people write it, without the zeros behind it."""
    return f"{value.normalize(EXACT):f}"


def parse_duration(text: str) -> Quantity | Refusal:
    """Read `10 min`: a quantity of time, more than none."""
    quantity = parse_quantity(text)
    if isinstance(quantity, Quantity) and (
        quantity.unit.dimension is not Dimension.TIME or quantity.value <= 0
    ):
        return Refusal("no duration")
    return quantity
