"""A file becomes a document: its text, its block and the nodes in it, or what stands in the way.

Over 300 lines: one way through a file, from bytes to nodes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import NoReturn

import yaml

from service.rules.source import traps
from service.rules.source.block import DECLARATION, MOST_LINES_ABOVE, Block, declaring, lines_of
from service.rules.source.nodes import Entry, Mapping, Node, Scalar, Sequence
from service.rules.source.text import CharterFile, FileKind, read_text, shown
from service.rules.source.traps import CHARTER, FileLimits
from service.rules.values.finding import Finding, Severity

MAX_DUPLICATES = 20
MAX_BLOCK_BYTES = 16 * 1024
MAX_LINE_CHARACTERS = 300
MOST_FIXED = 30
"""Lines with a mistake, behind which is read on."""
MOST_LINES_TOLD = 20
# What YAML refuses, or takes for a line break.
INVISIBLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
ODD_SPACE = re.compile(r"[ ]*(?:-|\w+:)?[ ]*(?P<odd>[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000])\s*")
"""Where YAML asks for a space, and takes any other for a letter."""
NO_CHARTER = "no-charter"
FIXABLE = frozenset({"invalid-yaml", "yaml-anchor", "yaml-tag", "control-character"})
KEYED = re.compile(r"[ ]*(?:-|[a-z_]{1,40}:)(?=\s|$)")

SENTENCE = re.compile(r"(?m)^(?:stopped|paused):[ ]+\d{4}-\d\d-\d\d[ ].*$")
"""A date and a reason: a colon in the reason is part of the sentence, as in `stopped: DATE - data: why`."""
COLON_SPACE, KEPT_SPACE = re.compile(r"(?<=:) "), "\ue000"
"""What stands for the space behind such a colon while YAML is read; places stay as they are."""


class Refused(Exception):  # noqa: N818 - control flow inside this module, it never leaves it
    """The block cannot be read further."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


@dataclass(slots=True)
class Open:
    """A list or mapping whose end has not come yet."""

    is_mapping: bool
    line: int
    column: int
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: Scalar | None = None

    def close(self) -> Node:
        """The finished node."""
        if self.is_mapping:
            return Mapping(tuple(self.entries.values()), self.line, self.column)
        return Sequence(tuple(self.items), self.line, self.column)


def compose(block: Block, dialect: FileLimits = CHARTER) -> tuple[Mapping | None, tuple[Finding, ...]]:
    """The mapping that a block holds, if it does, and what is wrong with it as YAML.

    It never raises, and reads a bounded number of events.
    """
    return Composer(block, dialect).composed(dialect.events)


class Composer:
    """Builds one document from its events."""

    def __init__(self, block: Block, dialect: FileLimits) -> None:
        self.block = block
        self.dialect = dialect
        self.root: Node | None = None
        self.findings: list[Finding] = []
        self._open: list[Open] = []
        self._documents = 0
        self.taken = 0
        """How many events were read."""

    def composed(self, most: int) -> tuple[Mapping | None, tuple[Finding, ...]]:
        """The mapping that the block holds, read in at most so many events, and what is wrong with it."""
        try:
            for event in yaml.parse(SENTENCE.sub(_one_sentence, self.block.text), Loader=yaml.CSafeLoader):
                if self.taken >= most:
                    message = f"Too many values for a {self.dialect.name}: {self.dialect.shorten}"
                    self.refuse("too-many-values", event, message)
                self.taken += 1
                self.take(event)
        except Refused as refused:
            return None, (*self.findings, refused.finding)
        except yaml.YAMLError as error:
            return None, (*self.findings, traps.explain(error, self.block, self.dialect))
        if not isinstance(self.root, Mapping):
            return None, (*self.findings, traps.not_a_mapping(self.block, self.dialect))
        return self.root, tuple(self.findings)

    def take(self, event: yaml.Event) -> None:
        """Add one event to what is built."""
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self.refuse("second-document", event, "A second YAML document begins here: delete the `---`")
        elif isinstance(event, yaml.NodeEvent):
            self._take_node(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._add(self._open.pop().close(), event)

    def _take_node(self, event: yaml.NodeEvent) -> None:
        self._refuse_cleverness(event)
        line, column = self._place(event)
        if isinstance(event, yaml.ScalarEvent):
            end_line, end_column = self._located(event.end_mark)
            value = event.value.replace(KEPT_SPACE, " ")
            self._add(Scalar(value, line, column, end_line, end_column, plain=not event.style), event)
            return
        depth = self.dialect.depth
        if len(self._open) >= depth:
            self.refuse("too-deep", event, f"Nested deeper than {depth} levels: write this value flat")
        if self._open and self._open[-1].is_mapping and self._open[-1].key is None:
            message = "A list or mapping can't be a key: write a word before the colon"
            if "{{" in self.block.lines[line - self.block.first_line]:
                message = "This template was never filled in: write the value"
            self.refuse("invalid-yaml", event, message)
        self._open.append(Open(isinstance(event, yaml.MappingStartEvent), line, column))

    def _refuse_cleverness(self, event: yaml.NodeEvent) -> None:
        name = self.dialect.name
        if isinstance(event, yaml.AliasEvent):
            message = f"A {name} takes no aliases: {self.dialect.for_alias}"
            self.refuse("yaml-anchor", event, message, self._quoted(event) if self.dialect.stars else None)
        if event.anchor:
            message = f"A {name} takes no anchors: delete the word that begins with `&`"
            self.refuse("yaml-anchor", event, message)
        if isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)) and event.tag:
            message = f"A {name} takes no YAML tags: delete the word that begins with `!`"
            self.refuse("yaml-tag", event, message)

    def _add(self, node: Node, event: yaml.Event) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if not parent.is_mapping:
            parent.items.append(node)
        elif parent.key is None:
            if not isinstance(node, Scalar):
                self.refuse("invalid-yaml", event, "A key is a word: write one before the colon")
            parent.key = node
        else:
            self._add_entry(parent, Entry(parent.key, node))
            parent.key = None

    def _add_entry(self, parent: Open, entry: Entry) -> None:
        name = entry.key.value
        first = parent.entries.setdefault(name, entry)
        if first is not entry and len(self.findings) < MAX_DUPLICATES:
            message = f"{shown(name)} is already on line {first.key.line}: keep one of the two"
            place = entry.key
            self.findings.append(Finding("duplicate-key", Severity.ERROR, message, place.line, place.column))

    def _place(self, event: yaml.Event) -> tuple[int, int]:
        line, column = self._located(event.start_mark)
        return min(line, self.block.last_line), column

    def _located(self, mark: yaml.error.Mark | yaml._yaml.Mark | None) -> tuple[int, int]:
        row, column = (mark.line, mark.column) if mark else (0, 0)
        return self.block.first_line + row, column + 1 + self.block.indent

    def _quoted(self, event: yaml.Event) -> str | None:
        """The event's line with what it stands for in double quotes."""
        start, end = event.start_mark, event.end_mark
        if start is None or end is None:
            return None
        line = self.block.lines[start.line]
        return f'{line[: start.column]}"{line[start.column : end.column]}"{line[end.column :]}'

    def refuse(self, code: str, event: yaml.Event, message: str, fix: str | None = None) -> NoReturn:
        """Stop here, with a finding at the event."""
        line, column = self._place(event)
        raise Refused(Finding(code, Severity.ERROR, message, line, column, fix=fix))


@dataclass(frozen=True, slots=True)
class Document:
    """What was read from a charter's file; `block` is None where the file declares no charter."""

    lines: tuple[str, ...] = ()
    block: Block | None = None
    root: Mapping | None = None
    findings: tuple[Finding, ...] = ()


def _one_sentence(line: re.Match[str]) -> str:
    key, colon, rest = line[0].partition(": ")
    return key + colon + COLON_SPACE.sub(KEPT_SPACE, rest)


def load(file: CharterFile) -> Document:
    """Read a file as far as it can be read; raises on no input."""
    if file.kind is FileKind.ABSENT:
        return Document()
    text = read_text(file)
    if isinstance(text, Finding):
        return Document(findings=(text,))
    lines = lines_of(text)
    blocks = tuple(islice(declaring(text, lines), 2))
    if not blocks:
        return Document(lines, findings=(no_charter(text, lines),))
    block, *more = blocks
    refusals = tuple(islice(refused(block), MOST_LINES_TOLD))
    if refusals:
        return Document(lines, block, findings=refusals)
    root, findings = compose(block)
    return Document(lines, block, root, (*findings, *(second(block, other) for other in more)))


@dataclass(frozen=True, slots=True)
class Rest:
    """What a block says beside the lines that aren't YAML: the mistakes, and those lines made good."""

    mistakes: tuple[Finding, ...]
    root: Mapping | None = None
    block: Block | None = None
    lost: frozenset[int] = frozenset()
    """The lines whose values nobody could read."""


def rest_of(document: Document) -> Rest:
    """Read on behind each mistake: with the line that was meant, without its value, or without it."""
    block, mistakes = document.block, list(document.findings)
    if block is None or not mistakes or any(each.code not in FIXABLE for each in mistakes):
        return Rest(document.findings)
    tried: dict[int, int] = {}
    found, left = mistakes, CHARTER.events
    while left > 0 and len(tried) < MOST_FIXED:
        lines = list(block.lines)
        for mistake in found:
            row = mistake.line - block.first_line
            if not 0 <= row < len(lines):
                return Rest(tuple(mistakes))
            stage = tried.get(row, -1) + 1
            stage += stage == 0 and mistake.fix is None
            key = KEYED.match(lines[row])
            stage += stage == 1 and key is None
            tried[row] = stage
            written = {0: mistake.fix or "", 1: f"{key[0]} TODO" if key else "", 2: ""}
            if stage not in written:
                return Rest(tuple(mistakes))
            lines[row] = written[stage]
        block = replace(block, lines=tuple(lines))
        composer = Composer(block, CHARTER)
        root, said = composer.composed(left)
        left -= composer.taken + 1
        if root is not None:
            lost = frozenset(block.first_line + row for row, stage in tried.items() if stage)
            return Rest((*mistakes, *said), root, block, lost)
        if any(each.code not in FIXABLE or each.message.startswith(traps.NOT_YAML) for each in said):
            break
        found = list(said)
        mistakes += [each for each in said if each.line not in {told.line for told in mistakes}]
    return Rest(tuple(mistakes))


def second(block: Block, other: Block) -> Finding:
    """The finding for another block that calls itself a charter: people may read that one."""
    message = f"A second charter: the one on line {block.opening_line} counts. Keep one of the two"
    return Finding("second-charter", Severity.ERROR, message, other.opening_line)


def no_charter(text: str, lines: tuple[str, ...]) -> Finding:
    """The finding for a file of the charter's name that declares none."""
    if hidden := next(declaring(text, lines, hidden=True), None):
        message = "This block is inside HTML, where GitHub doesn't show it: move it out, or end the comment"
        return Finding(NO_CHARTER, Severity.ERROR, message, hidden.opening_line)
    if DECLARATION in text and (near := nearly_declaring(lines)):
        number, mistake = near
        message = f"{mistake}: begin the line above `poc: 1` with three backticks and `yaml`"
        return Finding(NO_CHARTER, Severity.ERROR, message, number)
    found = "No charter in this file" if text.strip() else "The file is empty"
    message = f"{found}: add a fenced yaml block that begins with `poc: 1` (`poc-governor init` writes one)"
    return Finding(NO_CHARTER, Severity.ERROR, message, line=1)


def nearly_declaring(lines: tuple[str, ...]) -> tuple[int, str] | None:
    """The line above `poc: 1` that does not open a block as a charter's, and what is wrong with it."""
    for number, line in enumerate(lines[:MOST_LINES_ABOVE], start=1):
        if line.strip().startswith(DECLARATION):
            above = lines[number - 2].strip() if number > 1 else ""
            indented = line[0] == " " or (number > 1 and lines[number - 2].startswith(" "))
            if above.startswith("~~~"):
                return number - 1, "A charter's block can't begin with `~~~`"
            if above.startswith("```") and indented:
                return number - 1, "An indented block isn't read"
            if above.startswith("```"):
                return number - 1, "This block doesn't say that it's YAML"
            if not above or line[0] != " ":
                return number, "This isn't inside a block"
    return None


def refused(block: Block) -> Iterator[Finding]:
    """What keeps a block from being read as YAML at all."""
    if not block.closed:
        message = f"This block is never closed: add a line {block.marks} after its last field"
        yield Finding("unclosed-block", Severity.ERROR, message, block.opening_line)
    elif len(block.text.encode()) > MAX_BLOCK_BYTES:
        message = "The charter's block is larger than 16 KiB: move prose out of it into the Markdown"
        yield Finding("block-too-large", Severity.ERROR, message, block.first_line)
    else:
        yield from refused_lines(block)


def refused_lines(block: Block, name: str = CHARTER.name) -> Iterator[Finding]:
    """Lines that are too long, or hold what no editor shows."""
    for number, line in enumerate(block.lines, start=block.first_line):
        if len(line) <= MAX_LINE_CHARACTERS and line.isascii() and line.isprintable():
            continue
        if len(line) > MAX_LINE_CHARACTERS:
            message = f"{len(line)} characters: keep lines of the {name} to {MAX_LINE_CHARACTERS}"
            yield Finding("line-too-long", Severity.ERROR, message, number, MAX_LINE_CHARACTERS + 1)
            continue
        if (space := ODD_SPACE.match(line)) and name == CHARTER.name:
            message = f"There's an unusual space (U+{ord(space['odd']):04X}) here: write a plain one"
            fix = f"{''.join(' ' if char.isspace() else char for char in space[0])}{line[space.end() :]}"
            yield Finding(
                "control-character", Severity.ERROR, message, number, space.start("odd") + 1, fix=fix
            )
            continue
        hidden = INVISIBLE.search(line)
        if hidden:
            message = f"There's an invisible character (U+{ord(hidden[0]):04X}) here: delete it"
            fix = INVISIBLE.sub("", line)
            yield Finding("control-character", Severity.ERROR, message, number, hidden.start() + 1, fix=fix)


def in_order(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Findings in the order in which a reader meets them."""
    return tuple(sorted(findings, key=lambda finding: (finding.line, finding.column, finding.code)))
