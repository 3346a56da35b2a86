"""What a file of evidence holds: plain values, with every number exact."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from service.rules.source.wording import shown

MOST_CHARACTERS = 100
LARGEST_EXPONENT, SMALLEST_EXPONENT = 30, -60
# As JSON has them: YAML 1.1 and 1.2 read `010`, `1_000` and `22:30` differently.
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Odd:
    """A value that is no number, no text and nothing else that JSON has: what it is, and what to do."""

    what: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why nothing can be read from a file, and what to do about it."""

    problem: str


Tree = dict[str, "Tree"] | list["Tree"] | str | int | Decimal | bool | None | Odd


def not_finite(text: str) -> Odd:
    """What `NaN` and `Infinity` are read as: neither is JSON, yet tools write them beside good numbers."""
    return Odd(f"is {'NaN' if 'nan' in text.lower() else 'Infinity'}: measure again")


def decimal_of(text: str) -> Decimal | Odd:
    """The exact value of a number's text, within what anybody measures."""
    if len(text) > MOST_CHARACTERS:
        return Odd(f"has {len(text)} characters: round the number")
    try:
        value = Decimal(text)
    except InvalidOperation:
        return out_of_reach(text)
    if not value:
        return Decimal(0)
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < SMALLEST_EXPONENT or value.adjusted() >= LARGEST_EXPONENT:
        return out_of_reach(text)
    return value


def out_of_reach(text: str) -> Odd:
    """What a number beyond 30 digits before the point, or 60 behind it, is read as."""
    return Odd(f"is {shown(text, 14)}, beyond any measure: measure again")


class Literal(str):
    """A number as it stands in the JSON; also `NaN` and `Infinity`, which are none."""

    __slots__ = ()


class Object(dict[str, object]):
    """A JSON object, with the first key that it has twice."""

    twice: str | None = None


class NoJSONError(Exception):
    """What is wrong with a text that is no JSON."""


def exact(data: bytes) -> object:
    """Read a JSON text."""
    try:
        return json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_int=Literal,
            parse_float=Literal,
            parse_constant=Literal,
        )
    except json.JSONDecodeError as error:
        raise NoJSONError(f"line {error.lineno}, column {error.colno}: {error.msg.lower()}") from error
    except UnicodeDecodeError as error:
        raise NoJSONError("not UTF-8") from error
    except RecursionError as error:
        raise NoJSONError("nested too deep") from error


def _object(pairs: list[tuple[str, object]]) -> Object:
    made = Object(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                made.twice = key
                break
            seen.add(key)
    return made
