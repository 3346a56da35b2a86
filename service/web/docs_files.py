"""The documents of this version: their files, parsed."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from service.packaged import packaged

INDEX = "README"
"""The list of the documents, for each kind of reader."""
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


@cache
def files() -> dict[str, Path]:
    """The documents by name."""
    return {path.stem: path for path in _below("*.md")}


@cache
def pictures() -> dict[str, Path]:
    """Their pictures by file name."""
    return {path.name: path for path in _below("images/*.png")}


def _below(pattern: str) -> list[Path]:
    return sorted(packaged("docs").glob(pattern))


def parsed(file: Path) -> list[Token]:
    """A document's Markdown; comments, which mark what is generated, are left out."""
    return MARKDOWN.parse(re.sub(r"^<!--.*?-->\n", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE))


def anchor(heading: str) -> str:
    """What leads to a heading; how bad a finding is, in brackets after its code, isn't part of it."""
    words = re.sub(r"\s*\(.*\)$", "", heading.lower())
    return re.sub(r"[^\w-]", "", words.replace(" ", "-"))
