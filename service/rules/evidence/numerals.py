"""Numbers as a table shows them: short, and never on the wrong side of a bound for being rounded."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from service.rules.charter.quantity import ROUNDED
from service.rules.charter.units import Unit
from service.rules.source.wording import clip

DIGITS = 4
LONGEST = 40


def grouped(number: int) -> str:
    """A whole number in groups of three: `15 000`."""
    return f"{number:,}".replace(",", " ")


def numeral(value: Fraction, *, digits: int = DIGITS, beside: Fraction | None = None) -> str:
    """A number with that many significant digits, or as many as it takes to lie on its side of a bound.

    What stands before the point is never rounded away.
    """
    places = _places(value, digits)
    while beside is not None and _side(_rounded(value, places), beside) != _side(value, beside):
        places += 1
    return clip(_written(value, places), LONGEST)


def with_unit(number: str, unit: Unit) -> str:
    """A number and its unit."""
    return f"{number} {clip(unit.text)}" if unit.text else number


def is_decimal(value: Fraction) -> bool:
    """Whether a number can be written with digits that end."""
    rest = value.denominator
    for factor in (2, 5):
        while rest % factor == 0:
            rest //= factor
    return rest == 1


def _places(value: Fraction, digits: int) -> int:
    if not value:
        return 0
    magnitude = ROUNDED.divide(Decimal(value.numerator), Decimal(value.denominator)).adjusted()
    return max(0, digits - 1 - magnitude)


def _rounded(value: Fraction, places: int) -> Fraction:
    return Fraction(round(value * 10**places), 10**places)


def _side(value: Fraction, bound: Fraction) -> int:
    return (value > bound) - (value < bound)


def _written(value: Fraction, places: int) -> str:
    scaled = round(value * 10**places)
    whole, rest = divmod(abs(scaled), 10**places)
    behind = f"{rest:0{places}d}".rstrip("0") if places else ""
    sign = "-" if scaled < 0 else ""
    return f"{sign}{grouped(whole)}.{behind}" if behind else f"{sign}{grouped(whole)}"
