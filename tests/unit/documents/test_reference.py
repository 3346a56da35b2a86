"""docs/charter.md is what the code says, and its examples do what they show."""

from __future__ import annotations

import re
from datetime import date

import pytest
from yaml import safe_load

from service.rules.charter.metrics import ROWS
from service.rules.checks import CHECKS
from service.rules.checks.check import Check
from service.rules.checks.judge import judge
from service.rules.source.text import CharterFile, FileKind
from tests.harness.golden import assert_current
from tests.harness.places import CHARTERS, ROOT
from tests.unit.documents.reference import MARKED, PARTS, fill
from tests.unit.rules.samples import judged, rendered

TODAY = date(2026, 11, 22)
DOCUMENT = ROOT / "docs" / "charter.md"


def test_it_is_current() -> None:
    written = assert_current(DOCUMENT, fill)
    assert {match["name"] for match in MARKED.finditer(written)} == set(PARTS)


def test_every_code_has_its_place() -> None:
    text = DOCUMENT.read_text()
    met = {
        code
        for path in (CHARTERS / "err").glob("*.out")
        for code in re.findall(r"\[([a-z-]+)\]$", path.read_text(), re.MULTILINE)
    }
    headings = set(re.findall(r"^### ([a-z-]+)", text, re.MULTILINE))
    assert headings == {check.code for check in CHECKS}
    assert {code for code in met - headings if f"`{code}`" not in text} == set()


def test_every_source_of_a_metric_is_told_in_full() -> None:
    told = DOCUMENT.read_text().partition("Direction, unit and range come from")[2].partition("\n\n")[0]
    names = {" ".join(name.split()) for name in re.findall(r"\[([^\]]+)\]\(https://", told)}
    names |= {" ".join(name.split()) for name in re.findall(r"(?:^|,)\s+([^,\[\]()]+?)\s+\(", told)}
    assert {row.source for row in ROWS} == names


def test_every_link_inside_it_leads_somewhere() -> None:
    text = DOCUMENT.read_text()
    anchors = {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]*)\)", text)) <= anchors


def test_every_fence_of_yaml_is_yaml() -> None:
    fences = re.findall(r"^```yaml\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    checked = [fence for fence in fences if fence.startswith("# bad")]
    assert len(checked) >= len(CHECKS) - 3
    for fence in fences:
        if fence not in checked:
            assert safe_load(fence)


@pytest.mark.parametrize("name", ["POC.md"])
def test_the_whole_example_is_complete(name: str) -> None:
    data = (ROOT / "docs" / "examples" / name).read_bytes()
    judgement = judge(CharterFile(FileKind.FILE, data), today=TODAY)
    assert judgement.valid
    assert judgement.findings == ()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_a_section_says_what_why_and_shows_what_is_found(check: Check) -> None:
    assert check.about.endswith(".")
    assert check.why.endswith(".")
    assert check.examples
    for example in check.examples:
        bad, good = (
            {finding.code for finding in judged(rendered(example, text)).findings}
            for text in (example.bad, example.good)
        )
        assert check.code in bad
        assert check.code not in good
