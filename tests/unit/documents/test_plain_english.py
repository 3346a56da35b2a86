"""The house style, held: no document, template, message or comment uses what the table is against."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness.places import ROOT
from tests.harness.prose import (
    CODE,
    JINJA,
    MESSAGES,
    RULES,
    blank,
    found_in,
    messages,
    remarks,
)

DOCUMENTS = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "bench" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
)
TEMPLATES = sorted(
    path for path in (ROOT / "templates").rglob("*") if path.suffix in {".md", ".html", ".txt"}
)
MODULES = sorted(
    path
    for folder in ("service", "evidence")
    for path in (ROOT / folder).rglob("*.py")
    if "versions" not in path.parts  # a migration stays as it was run
)
GENERATED = re.compile(r"<!-- generated: \w+ -->.*?<!-- end -->", re.DOTALL)
"""Written from the checks and the policy's keys, which are held where they stand."""


@dataclass(frozen=True, slots=True)
class Exempt:
    """A place that may break a rule, the words that it uses, and why."""

    place: str
    words: str
    why: str


EXEMPT = (
    Exempt("service/rules/charter/slips.py", "cannot", "a word that people write in a charter"),
    Exempt("service/reconcile/policy.py", "cannot", "an event of the log: alerts look for its name"),
    Exempt("service/web/connection.py", "cannot", "an event of the log: alerts look for its name"),
)


def breaches(path: Path) -> Iterator[tuple[int, str, str]]:
    """Each turn of phrase in a file that the table is against, by its line."""
    if path.suffix == ".py":
        for line, text in messages(path):
            yield from found_in(blank(CODE, text), RULES + MESSAGES, first=line)
        for line, text in remarks(path):
            yield from found_in(blank(CODE, text), RULES, first=line)
    else:
        quoted = JINJA if path in TEMPLATES else GENERATED
        yield from found_in(blank(CODE, blank(quoted, path.read_text())), RULES + MESSAGES)


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", [*DOCUMENTS, *TEMPLATES], ids=place)
def test_a_document_uses_everyday_words(path: Path) -> None:
    assert complaints(path) == []


@pytest.mark.parametrize("folder", sorted({path.parent for path in MODULES}), ids=place)
def test_messages_and_comments_use_everyday_words(folder: Path) -> None:
    assert [each for path in MODULES if path.parent == folder for each in complaints(path)] == []


@pytest.mark.parametrize("exempt", EXEMPT, ids=lambda exempt: f"{exempt.place}: {exempt.words}")
def test_an_exception_is_still_needed(exempt: Exempt) -> None:
    assert exempt.words in {words.lower() for _, words, _ in breaches(ROOT / exempt.place)}


def complaints(path: Path) -> list[str]:
    excused = {exempt.words for exempt in EXEMPT if exempt.place == place(path)}
    return [
        f"{place(path)}:{line}: {words!r}, write: {instead}"
        for line, words, instead in breaches(path)
        if words.lower() not in excused
    ]
