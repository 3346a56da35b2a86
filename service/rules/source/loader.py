"""A file becomes a document: its text, its block and the nodes in it, or what stands in the way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from service.rules.source.block import Block, find_block, lines_of
from service.rules.source.composer import compose
from service.rules.source.nodes import Mapping
from service.rules.source.text import CharterFile, FileKind, read_text
from service.rules.source.traps import CHARTER
from service.rules.values.finding import Finding, Severity

MAX_BLOCK_BYTES = 16 * 1024
MAX_LINE_CHARACTERS = 300
MOST_LINES_TOLD = 20
# What YAML refuses, or takes for a line break.
INVISIBLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
NO_CHARTER = "no-charter"


@dataclass(frozen=True, slots=True)
class Document:
    """What was read from a charter's file; `block` is None where the file declares no charter."""

    lines: tuple[str, ...] = ()
    block: Block | None = None
    root: Mapping | None = None
    findings: tuple[Finding, ...] = ()


def load(file: CharterFile) -> Document:
    """Read a file as far as it can be read; raises on no input."""
    if file.kind is FileKind.ABSENT:
        return Document()
    text = read_text(file)
    if isinstance(text, Finding):
        return Document(findings=(text,))
    lines = lines_of(text)
    block = find_block(text, lines)
    if block is None:
        return Document(lines, findings=(no_charter(text),))
    refusals = tuple(islice(refused(block), MOST_LINES_TOLD))
    if refusals:
        return Document(lines, block, findings=refusals)
    composition = compose(block)
    return Document(lines, block, composition.root, composition.findings)


def no_charter(text: str) -> Finding:
    """The finding for a file of the charter's name that declares none."""
    found = "No charter in this file" if text.strip() else "The file is empty"
    message = f"{found}: add a fenced yaml block that begins with `poc: 1` (`poc-governor init` writes one)"
    return Finding(NO_CHARTER, Severity.ERROR, message, line=1)


def refused(block: Block) -> Iterator[Finding]:
    """What keeps a block from being read as YAML at all."""
    if not block.closed:
        message = f"The block that opens here is never closed: add a line {block.marks} after its last field"
        yield Finding("unclosed-block", Severity.ERROR, message, block.opening_line)
    elif len(block.text.encode()) > MAX_BLOCK_BYTES:
        message = "The charter's block is larger than 16 KiB: move prose out of it into the Markdown"
        yield Finding("block-too-large", Severity.ERROR, message, block.first_line)
    else:
        yield from refused_lines(block)


def refused_lines(block: Block, name: str = CHARTER.name) -> Iterator[Finding]:
    """Lines that are too long, or hold what no editor shows."""
    for number, line in enumerate(block.lines, start=block.first_line):
        if len(line) > MAX_LINE_CHARACTERS:
            message = f"{len(line)} characters: keep lines of the {name} to {MAX_LINE_CHARACTERS}"
            yield Finding("line-too-long", Severity.ERROR, message, number, MAX_LINE_CHARACTERS + 1)
            continue
        hidden = INVISIBLE.search(line)
        if hidden:
            message = f"An invisible character (U+{ord(hidden[0]):04X}) stands here: delete it"
            fix = INVISIBLE.sub("", line)
            yield Finding("control-character", Severity.ERROR, message, number, hidden.start() + 1, fix=fix)
