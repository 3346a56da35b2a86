"""docs/glossary.md: each word has one row, and the file that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.harness.places import ROOT

ROWS = re.findall(
    r"^\| \*\*(.+?)\*\*.*?\| (.+?) \| `(.+?)` \|$",
    (ROOT / "docs" / "glossary.md").read_text(),
    re.MULTILINE,
)


def test_it_has_the_words_a_contributor_needs() -> None:
    words = [word for word, _, _ in ROWS]
    assert len(words) >= 20
    assert len(set(words)) == len(words)


@pytest.mark.parametrize(("word", "meaning", "path"), ROWS, ids=[word for word, _, _ in ROWS])
def test_a_word_has_a_meaning_and_a_file(word: str, meaning: str, path: str) -> None:
    assert meaning.endswith("."), word
    assert (ROOT / path).is_file()


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_it_is_linked(document: str) -> None:
    assert "(docs/glossary.md)" in (ROOT / document).read_text()


DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_the_files_that_a_decision_names_are_there(path: Path) -> None:
    text = path.read_text()
    named = re.findall(r"`((?:service|tests|bench)/[\w./-]+)`", text)
    assert [each for each in named if not (ROOT / each).exists()] == []
