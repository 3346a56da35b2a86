"""Dates and days in everything that people read: one style in a text, and days by their names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.harness.places import GOLDEN

CODE = re.compile(r"^(`{3,}).*?^\1|`[^`]*`|\]\([^)]*\)", re.MULTILINE | re.DOTALL)
ISO = re.compile(r"\b20\d\d-\d\d-\d\d\b")
BARE_DAYS = re.compile(r"(?<!working )(?<!calendar )\bdays?\b")
TEXTS = sorted([*GOLDEN.rglob("*.md"), *GOLDEN.rglob("*.txt")])


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_date_is_in_words_but_in_a_line_to_write(path: Path) -> None:
    assert ISO.findall(CODE.sub("", path.read_text())) == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_days_beside_working_days_have_their_name(path: Path) -> None:
    sentences = re.split(r"[.;:!?] |\n", CODE.sub("", path.read_text()))
    mixed = [said for said in sentences if "working day" in said and re.search(r"\d+ days?\b", said)]
    assert [said for said in mixed if re.search(r"\d+ days?\b", said) and BARE_DAYS.search(said)] == []
