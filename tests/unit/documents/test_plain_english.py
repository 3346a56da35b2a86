"""Documents in everyday words: some words and turns of phrase that a reader would have to translate.

What people read on GitHub (templates, messages of checks) has golden texts and isn't held here.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.harness.places import ROOT

DOCUMENTS = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "bench" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
)
INSTEAD = {
    r"mend(?:s|ed|ing)?": "fix",
    r"dear(?:er|est|ly)?": "expensive",
    r"lack(?:s|ed|ing)?": "is missing, is without",
    r"beforehand": "in advance, first",
    r"as (?:it|they) stands?": "as is",
    r"is no (?:date|login|sign-in|number|text|address|failure|error)\b": "isn't a ...",
    r"can(?:not)? be had": "can be fetched, found, installed",
    r"for ever": "forever",
    r"how many-th": "which",
    r"whosoever|whomever": "who",
    r"amiss": "wrong",
    r"in the way of": "why not",
    r"besides which|wherein|whereof|thereof|therein|hitherto|heretofore": "say it in two sentences",
    r"look(?:s|ed|ing)? (?:at|on) (?:a|the) (?:subject|POC|pull request)s?": "reconcile",
    r"a look (?:reads|takes|writes|that|at a)": "a reconciliation",
}
"""A pattern that isn't used, and what to write instead."""

GENERATED = re.compile(r"<!-- generated: \w+ -->.*?<!-- end -->", re.DOTALL)
"""Written from the checks and the policy's keys, whose messages have golden texts."""
CODE = re.compile(r"^```.*?^```|``[^\n]+?``|`[^`\n]+`", re.DOTALL | re.MULTILINE)
"""Quoted text is as the program writes it."""


def prose(text: str) -> str:
    """The text without code and without generated parts, its lines kept."""
    for part in (GENERATED, CODE):
        text = part.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    return text


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_uses_everyday_words(path: Path) -> None:
    text = prose(path.read_text())
    found = [
        f"{path.name}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]!r}, write: {instead}"
        for pattern, instead in INSTEAD.items()
        for match in re.finditer(rf"\b(?:{pattern})\b", text, re.IGNORECASE)
    ]
    assert found == []
