"""What CONTRIBUTING.md shows as an example isn't there yet, so the steps can be followed as written."""

from __future__ import annotations

import re

import pytest

from service.deliveries.routes import ROUTES
from service.rules.charter.metrics import NAMES
from service.rules.checks import CHECKS
from service.rules.gate.lifecycle import State
from tests.harness.places import ROOT

SECTION = re.compile(r"^## Add an? (?P<thing>\w+)\n(?P<text>.*?)(?=^## )", re.DOTALL | re.MULTILINE)
EXAMPLE = re.compile(r"The example is `(?P<name>[\w-]+)`")
THERE = {
    "check": {check.code for check in CHECKS},
    "metric": NAMES.keys(),
    "event": {event for event, _ in ROUTES},
    "state": {*State},
}


@pytest.fixture(scope="module")
def sections() -> dict[str, str]:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return {match["thing"]: match["text"] for match in SECTION.finditer(text)}


@pytest.mark.parametrize("thing", THERE)
def test_an_example_is_not_there_yet(thing: str, sections: dict[str, str]) -> None:
    example = EXAMPLE.search(sections[thing])
    assert example
    assert example["name"] not in THERE[thing], "it is there now: name another one in CONTRIBUTING.md"


def test_other_names_of_the_example_metric_are_not_there_yet(sections: dict[str, str]) -> None:
    names = re.findall(r"`(\w+(?:=\w+)+)`", sections["metric"])
    assert names
    assert not {part for each in names for part in each.split("=")} & NAMES.keys()
