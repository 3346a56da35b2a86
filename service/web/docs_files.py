"""The documents of this version: their files, parsed."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

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
    """Beside the package in a checkout and an image, inside it in a wheel."""
    package = Path(__file__).parents[1]
    folder = next((each for each in (package.parent / "docs", package / "docs") if each.is_dir()), None)
    return sorted(folder.glob(pattern)) if folder else []


def parsed(file: Path) -> list[Token]:
    """A document's Markdown; comments, which mark what is generated, are left out."""
    return MARKDOWN.parse(re.sub(r"^<!--.*?-->\n", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE))


def anchor(heading: str) -> str:
    """What leads to a heading; how bad a finding is, in brackets after its code, isn't part of it."""
    words = re.sub(r"\s*\(.*\)$", "", heading.lower())
    return re.sub(r"[^\w-]", "", words.replace(" ", "-"))
