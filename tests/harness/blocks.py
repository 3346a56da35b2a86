"""The fenced blocks of the documents, and the commands in those that a shell runs."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.harness.places import ROOT

PAGES = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "bench" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
)
FENCE = re.compile(r"^( *)(`{3,})(\w*)\n(.*?)^\1\2$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its page, the line that it begins on, its language and its text."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    """The blocks of all pages, or those in some languages."""
    return [block for block in _all() if not languages or block.language in languages]


@cache
def _all() -> tuple[Block, ...]:
    return tuple(_found())


def _found() -> Iterator[Block]:
    for path in PAGES:
        written = path.read_text()
        for match in FENCE.finditer(written):
            line = written.count("\n", 0, match.start()) + 1
            yield Block(path.relative_to(ROOT).as_posix(), line, match[3], textwrap.dedent(match[4]))


def shell(block: Block) -> str:
    """What a shell runs of a block; the output that follows a `$ ` is left out."""
    shown = re.findall(r"^\$ (.*)$", block.text, re.MULTILINE)
    return "\n".join(shown) if shown else block.text


def commands(block: Block) -> Iterator[list[str]]:
    """Each command of a block as words, without variables before it and redirections after it."""
    for written in shell(block).replace("\\\n", " ").splitlines():
        line = re.sub(r"^\w+=\$\(", "", written)
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|<>")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set(";&|"):
                yield from _program(words)
                words = []
            else:
                words.append(word)


def _program(words: list[str]) -> Iterator[list[str]]:
    redirected = next((at for at, word in enumerate(words) if set(word) <= set("<>")), len(words))
    kept = words[:redirected]
    while kept and re.match(r"\w+=", kept[0]):
        kept.pop(0)
    if kept:
        yield kept
