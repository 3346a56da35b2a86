"""Lines of real plans with the verdict that they deserve: tests/charters/lines.tsv."""

from __future__ import annotations

import re

import pytest

from service.rules.values.finding import Severity
from tests.harness.places import CHARTERS
from tests.unit.rules.samples import SAMPLE, judged

LINES = [line.split("\t") for line in (CHARTERS / "lines.tsv").read_text().splitlines()]
BEFORE, AFTER = re.split(r"(?<=done:\n)[\s\S]*(?=rollback:)", SAMPLE)


def quoted(line: str) -> str:
    """The line as YAML takes it whatever stands in it."""
    return f"'{line}'"


@pytest.mark.parametrize(("label", "line"), LINES)
def test_a_line_is_judged_as_it_is_labelled(label: str, line: str) -> None:
    text = f"{BEFORE}  - {quoted(line)}\n  - own_thing <= 3\n{AFTER}"
    said = [each for each in judged(text).findings if each.severity is Severity.ERROR]
    assert (label == "bad") == bool(said), said
    assert {each.line for each in said} <= {BEFORE.count("\n") + 1}
