"""The values that a path finds, by RFC 9535, and what to write where it finds none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Any

import jsonpath_rfc9535 as jsonpath

from service.rules.charter.evidence import STEP, read_path
from service.rules.charter.quantity import EXACT, ROUNDED
from service.rules.evidence.tree import Tree, Unreadable
from service.rules.source.wording import shown

COMPILED_PATHS = 256
SHOWN_KEYS = 9
NOTHING: Any = object()


def select(tree: Tree, path: str) -> Iterator[Tree] | Unreadable:
    """The values at a path, one by one; only of paths in the charter's restricted form."""
    read, rest = read_path(path)
    if rest.startswith(".."):
        return Unreadable("`..` could find many numbers: write the whole path")
    if rest or read.filters > 1:
        return Unreadable("not a path for evidence: write names and indexes, `$.a.b[0]`")
    try:
        query = compiled(path)
    except jsonpath.JSONPathError:
        return Unreadable("not a JSONPath: write names and indexes, like `$.a.b[0]`")
    values: Any = tree
    return (node.value for node in query.finditer(values))  # type: ignore[misc]


@lru_cache(COMPILED_PATHS)
def compiled(path: str) -> jsonpath.JSONPathQuery:
    """A path ready to be applied."""
    return jsonpath.compile(path)


def nothing_found(tree: Tree, path: str) -> str:
    """Where a path that finds nothing leaves the tree, with what is there instead."""
    position, above = 1, tree
    while step := STEP.match(path, position):
        here = select(tree, path[: step.end()])
        value = None if isinstance(here, Unreadable) else next(here, NOTHING)
        if value is NOTHING:
            return missing(above, step.lastgroup, step[0])
        position, above = step.end(), value
    return "nothing is there: correct the path"


def missing(above: Tree, kind: str | None, step: str) -> str:
    """What a step looked for in vain, and what it could have found."""
    if kind == "filter":
        return f"nothing matches {shown(step, 30)}: correct the filter"
    keys = ", ".join(islice(above, SHOWN_KEYS)) if isinstance(above, dict) and kind != "index" else ""
    if keys.strip():
        return f"no {shown(step, 18)}, but {shown(keys, 26)}: correct the path"
    if isinstance(above, list):
        return f"no {shown(step, 18)} in a list of {len(above)}: correct the path"
    return f"nothing at {shown(step, 24)}: correct the path"


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
