"""A line of `evidence` becomes a number: what its path finds in its file, or an aggregate of many values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from service.rules.charter.evidence import STEP, Source, read_path
from service.rules.charter.quantity import EXACT, ROUNDED
from service.rules.evidence.document import NUMBER, Odd, Tree, Unreadable, decimal_of, read_document
from service.rules.evidence.values import Unread
from service.rules.source.text import shown

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathQuery

COMPILED_PATHS = 256
SHOWN_KEYS = 9
NOTHING: Any = object()
Document = Tree | Unreadable
"""A file of evidence as it was read."""
MOST_CHARACTERS = 120
MOST_VALUES = 500_000
TOO_LARGE = Unread("The file of evidence is larger than 5 MB: commit a summary that holds the number")
ABSENT = Unreadable("no such file in this commit: commit it, or fix its name")


def select(tree: Tree, path: str) -> Iterator[Tree] | Unreadable:
    """The values at a path, one by one; only of paths in the charter's restricted form."""
    read, rest = read_path(path)
    if rest.startswith(".."):
        return Unreadable("`..` could find many numbers: write the whole path")
    if rest or read.filters > 1:
        return Unreadable("not a path for evidence: write names and indexes, `$.a.b[0]`")
    query = compiled(path)
    if query is None:
        return Unreadable("not a JSONPath: write names and indexes, like `$.a.b[0]`")
    values: Any = tree
    return (node.value for node in query.finditer(values))  # type: ignore[misc]


@lru_cache(COMPILED_PATHS)
def compiled(path: str) -> JSONPathQuery | None:
    """A path ready to be applied; None where it isn't a JSONPath."""
    import jsonpath_rfc9535 as jsonpath  # noqa: PLC0415 (few charters need it, and it takes up memory)

    try:
        return jsonpath.compile(path)
    except jsonpath.JSONPathError:
        return None


def nothing_found(tree: Tree, path: str) -> str:
    """Where a path that finds nothing leaves the tree, with what is there instead."""
    position, above = 1, tree
    while step := STEP.match(path, position):
        here = select(tree, path[: step.end()])
        value = None if isinstance(here, Unreadable) else next(here, NOTHING)
        if value is NOTHING:
            return missing(above, step.lastgroup, step[0])
        position, above = step.end(), value
    return "nothing is there: fix the path"


def missing(above: Tree, kind: str | None, step: str) -> str:
    """What a step looked for in vain, and what it could have found."""
    if kind == "filter":
        return f"nothing matches {shown(step, 30)}: fix the filter"
    keys = ", ".join(islice(above, SHOWN_KEYS)) if isinstance(above, dict) and kind != "index" else ""
    if keys.strip():
        return f"no {shown(step, 18)}, but {shown(keys, 26)}: fix the path"
    if isinstance(above, list):
        return f"no {shown(step, 18)} in a list of {len(above)}: fix the path"
    return f"nothing at {shown(step, 24)}: fix the path"


def mean(values: Sequence[Decimal]) -> Decimal:
    """The arithmetic mean; rounded once, to 34 digits, where it has no end."""
    return ROUNDED.divide(total(values), Decimal(len(values)))


def total(values: Sequence[Decimal]) -> Decimal:
    """The sum."""
    result = Decimal(0)
    for value in values:
        result = EXACT.add(result, value)
    return result


def rate(values: Sequence[Decimal]) -> Decimal:
    """The share of values that are not zero: of `true` among true and false."""
    return ROUNDED.divide(Decimal(sum(1 for value in values if value)), Decimal(len(values)))


def percentile(values: Sequence[Decimal], percent: int) -> Decimal:
    """The percentile by linear interpolation between the two values next to rank `percent` of n - 1.

    This is what k6 reports (`TrendSink.P`, metrics/sink.go) and what NumPy and pandas do where nothing else
    is asked for: definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages", The American
    Statistician 50 (1996). The nearest rank, which other tools take, differs by at most one step of the
    sorted values.
    """
    ordered = sorted(values)
    low, rest = divmod(percent * (len(ordered) - 1), 100)
    if not rest:
        return ordered[low]
    step = EXACT.subtract(ordered[low + 1], ordered[low])
    return EXACT.add(ordered[low], EXACT.multiply(step, Decimal(rest).scaleb(-2)))


def document_of(file: str, data: bytes | None) -> Document:
    """A file as lines of `evidence` look into it; `data` is None where there is no such file."""
    return ABSENT if data is None else read_document(file, data)


def value_in(tree: Document, source: Source) -> Decimal | Unread:
    """The number that a line finds in a file that is read already, exact, as the file writes it.

    Whatever the file holds, nothing is raised: what isn't a number is told, with what to do about it.
    """
    if isinstance(tree, Unreadable):
        return told(source, tree)
    value = value_at(tree, source.path, source.aggregate)
    if not source.per or isinstance(value, Unreadable):
        return told(source, value) if isinstance(value, Unreadable) else value
    below = value_at(tree, source.per, None)
    if isinstance(below, Unreadable):
        return told(replace(source, path=source.per), below)
    if not below:
        return told(replace(source, path=source.per), Unreadable("is divided by zero: measure again"))
    return ROUNDED.divide(value, below)


def value_at(tree: Tree, path: str, aggregate: str | None) -> Decimal | Unreadable:
    """The number at a path, or what an aggregate makes of those that are there."""
    found = select(tree, path)
    if isinstance(found, Unreadable):
        return found
    value = one(found) if aggregate is None else aggregated(found, aggregate)
    return Unreadable(nothing_found(tree, path)) if value is None else value


def one(found: Iterator[Tree]) -> Decimal | Unreadable | None:
    """The only value, as a number; None where there is none."""
    first = next(found, NOTHING)
    if first is NOTHING:
        return None
    if more := sum(1 for _ in found):
        return Unreadable(f"{more + 1} values, not one: name one, or write `mean of`")
    number = number_of(first)
    return Unreadable(number.what) if isinstance(number, Odd) else number


def aggregated(found: Iterator[Tree], aggregate: str) -> Decimal | Unreadable | None:
    """What an aggregate makes of all values; None where there is none."""
    numbers: list[Decimal] = []
    for place, value in enumerate(islice(found, MOST_VALUES + 1)):
        if place == MOST_VALUES:
            return Unreadable("too many values: commit a summary with the number")
        number = Decimal(value) if isinstance(value, bool) and aggregate == "rate" else number_of(value)
        if isinstance(number, Odd):
            return Unreadable(f"value {place + 1} {number.what}")
        numbers.append(number)
    return AGGREGATES[aggregate](numbers) if numbers else None


def number_of(value: Tree) -> Decimal | Odd:
    """A value as a number; what it is instead, where it is none."""
    if isinstance(value, Decimal | Odd):
        return value
    if value is None:
        return Odd("is null: let the tool write a number")
    if isinstance(value, bool):
        return Odd(f"is {str(value).lower()}: write a number, or `rate of` a list")
    if isinstance(value, int):
        return decimal_of(str(value))
    if isinstance(value, str):
        return number_in(value)
    return Odd(f"is {'a list' if isinstance(value, list) else 'an object'}: point to one number in it")


def number_in(text: str) -> Decimal | Odd:
    """The number that a text is: Prometheus, CSV and others write them so."""
    if NUMBER.fullmatch(text):
        return decimal_of(text)
    what = f"the text {shown(text, 14)}" if text.strip() else "an empty text"
    return Odd(f"is {what}: write a number")


def told(source: Source, unreadable: Unreadable) -> Unread:
    """The reason, behind the file and the path that it is about."""
    room = MOST_CHARACTERS - len(unreadable.problem) - len("`` ``: ")
    file_room = max(min(len(source.file), room - len(source.path)), room // 2)
    file, path = shown(source.file, file_room), shown(source.path, room - min(len(source.file), file_room))
    return Unread(f"{file} {path}: {unreadable.problem}")


AGGREGATES: dict[str, Callable[[Sequence[Decimal]], Decimal]] = {
    "mean": mean,
    "p50": lambda values: percentile(values, 50),
    "p95": lambda values: percentile(values, 95),
    "p99": lambda values: percentile(values, 99),
    "min": min,
    "max": max,
    "sum": total,
    "rate": rate,
}
