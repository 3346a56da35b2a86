"""What holds for all of the code and neither mypy nor ruff sees."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import service
from service.rules.gate.lifecycle import State
from service.store.portfolio import Tab
from tests.harness.places import ROOT

LONG = 300
SAYS_WHY = f"Over {LONG} lines"
NO_MODULES = ("service.__main__", "service.store.migrations.")
"""Importing these runs a command."""
PARTIAL = {
    "CANDIDATES": "the other measures have one unit",
    "COUNTED": "what is met is not missing",
    "DIMENSIONS": "a target has the unit of its baseline",
    "GOOD_SIGN": "a way that the operator decides has no sign of its own",
    "MEASURED": "metrics are only told by their ending where it names one of these",
    "NEEDED": "the other events are answered without a permission of their own",
    "NOT_A_FILE": "the others are read, or reported as missing",
    "PLATFORM": "only these are said",
}
"""Tables that leave a member of their enumeration out, and why."""


def tables() -> Iterator[tuple[str, str, frozenset[Enum]]]:
    """The tables with a row for a member of one enumeration, and the members that have none."""
    for module in pkgutil.walk_packages(service.__path__, "service."):
        if not module.name.startswith(NO_MODULES):
            for name, value in vars(importlib.import_module(module.name)).items():
                kinds = {type(key) for key in value} if isinstance(value, dict) else set()
                for kind in kinds if len(kinds) == 1 else ():
                    if issubclass(kind, Enum):
                        yield module.name, name, frozenset(kind) - frozenset(value)


def test_a_new_member_of_an_enumeration_has_its_row_in_each_table() -> None:
    found = list(tables())
    assert [(module, name, left) for module, name, left in found if left and name not in PARTIAL] == []
    assert set(PARTIAL) == {name for _, name, left in found if left}


def test_each_end_has_its_tab_on_the_portfolio() -> None:
    assert {*Tab} == {Tab.OPEN, *(state for state in State if state.has_ended)}


def test_a_long_module_says_why_and_no_other_does() -> None:
    paths = [
        path for folder in ("service", "bench", "tests/harness") for path in (ROOT / folder).rglob("*.py")
    ]
    assert [path for path in paths if is_long(path) != explains(path)] == []


def is_long(path: Path) -> bool:
    return len(path.read_text(encoding="utf-8").splitlines()) > LONG


def explains(path: Path) -> bool:
    return SAYS_WHY in (ast.get_docstring(ast.parse(path.read_bytes())) or "")
