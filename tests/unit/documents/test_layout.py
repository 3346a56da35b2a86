"""The layout: chains of imports are short, tests share the harness, goldens are compared in one place."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import grimp  # of import-linter

from tests.harness.places import ROOT

FILES = [
    path
    for tier in ("unit", "stories", "e2e", "durability", "evidence_api")
    for path in sorted((ROOT / "tests" / tier).rglob("*.py"))
]
LONGEST_CHAIN = 24


def test_chains_of_imports_are_short() -> None:
    """What stands high in a long chain is slow to understand, and breaks with everything below it."""
    graph = grimp.build_graph("service", exclude_type_checking_imports=True, cache_dir=None)

    @cache
    def chain(module: str) -> tuple[str, ...]:
        below = (chain(each) for each in sorted(graph.find_modules_directly_imported_by(module)))
        return (module, *max(below, key=len, default=()))

    longest = max(map(chain, graph.modules), key=len)
    assert len(longest) <= LONGEST_CHAIN, f"{len(longest)} modules: {' > '.join(longest)}"


def test_no_test_imports_another() -> None:
    found = {
        path.name: re.findall(r"^from tests\S*\.test_\w+ import", path.read_text(), re.MULTILINE)
        for path in FILES
    }
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_golden_files_are_written_in_one_place() -> None:
    asked = re.compile(r"environ.*GOLDEN")
    assert [path.name for path in FILES if path != Path(__file__) and asked.search(path.read_text())] == []
