"""The tests' own layout: what is shared is in the harness, and golden files are compared in one place."""

from __future__ import annotations

import re
from pathlib import Path

from tests.harness.places import ROOT

FILES = [
    path
    for tier in ("unit", "stories", "e2e", "durability", "evidence_api")
    for path in sorted((ROOT / "tests" / tier).rglob("*.py"))
]


def test_no_test_imports_another() -> None:
    found = {
        path.name: re.findall(r"^from tests\S*\.test_\w+ import", path.read_text(), re.MULTILINE)
        for path in FILES
    }
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_golden_files_are_written_in_one_place() -> None:
    asked = re.compile(r"environ.*GOLDEN")
    assert [path.name for path in FILES if path != Path(__file__) and asked.search(path.read_text())] == []
