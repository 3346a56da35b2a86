"""JSON to the last digit: numbers stay as they are written, and a key that stands twice is not lost."""

from __future__ import annotations

import json


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
