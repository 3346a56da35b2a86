"""Where the charter stands in the text, decided before any YAML is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

DECLARATION = "poc:"
FRONT_MATTER = "---"
YAML_WORDS = frozenset({"yaml", "yml"})
FENCE = re.compile(r"(?P<indent> {0,3})(?P<marks>`{3,}|~{3,})[ \t]*(?P<info>[^\n]*)")
HTML = re.compile(
    r" {0,3}(?:(?:[-*+>]|[0-9]{1,9}[.)])[ \t]*){0,8}"
    r"<(?P<kind>!--|!\[CDATA\[|![a-z]|\?|(?:script|pre|style|textarea)(?=[\s>]|$))",
    re.IGNORECASE,
)
HTML_ENDS = {
    "!--": re.compile("-->"),
    "![cdata[": re.compile(r"\]\]>"),
    "?": re.compile(r"\?>"),
    "!": re.compile(">"),
    "": re.compile("</(?:script|pre|style|textarea)>", re.IGNORECASE),
}
# A charter begins near the top, and a block of 16 KiB has no more lines than that.
MOST_LINES_ABOVE = 2_000
MOST_FENCES = 1_000
MOST_LINES = MOST_LINES_ABOVE + 16 * 1024


@dataclass(frozen=True, slots=True)
class Block:
    """The YAML of a file: its lines, where the first of them stands, and the marks around them."""

    lines: tuple[str, ...]
    first_line: int
    marks: str
    indent: int = 0
    closed: bool = True

    @property
    def text(self) -> str:
        """The block as one string."""
        return "\n".join(self.lines) + "\n"

    @property
    def opening_line(self) -> int:
        """The line of the fence, or of the `---`, that opens it."""
        return self.first_line - 1

    @property
    def last_line(self) -> int:
        """The line of its last content, or of its opening where it has none."""
        return self.opening_line + len(self.lines)

    @property
    def declares(self) -> bool:
        """Whether it calls itself a charter."""
        return any(line.startswith(DECLARATION) for line in self.lines)


@dataclass(frozen=True, slots=True)
class Fence:
    """A line that opens or may close a fenced block."""

    line: int
    indent: int
    marks: str
    info: str

    @property
    def opens_yaml(self) -> bool:
        """Whether the block that it opens calls itself YAML."""
        return self.marks[0] == "`" and self.info.partition(" ")[0].lower() in YAML_WORDS

    @property
    def can_open(self) -> bool:
        """Whether it opens a block: an info string after backticks holds none (CommonMark 4.5)."""
        return self.marks[0] == "~" or "`" not in self.info

    def closes(self, other: Fence) -> bool:
        """Whether it ends the block that the other one opened."""
        same = self.marks[0] == other.marks[0]
        return same and len(self.marks) >= len(other.marks) and not self.info


def lines_of(text: str) -> tuple[str, ...]:
    """The file's first lines as GitHub counts them, without their line ends."""
    lines = text.split("\n", MOST_LINES)[:MOST_LINES]
    return tuple(line.removesuffix("\r") for line in lines) if "\r" in text else tuple(lines)


def find_block(text: str, lines: tuple[str, ...]) -> Block | None:
    """The block that declares the charter, or None: such a file isn't a charter, never a broken one."""
    return next(declaring(text, lines), None)


def declaring(text: str, lines: tuple[str, ...], *, hidden: bool = False) -> Iterator[Block]:
    """Every block that calls itself a charter; only the first of them is one."""
    if DECLARATION not in text:
        return
    front = front_matter(lines)
    if front and front.declares:
        yield front
    yield from (
        block
        for block in fenced_blocks(lines, hidden=hidden)
        if block.declares and not (front and front.declares and block.first_line <= front.last_line)
    )


def front_matter(lines: tuple[str, ...]) -> Block | None:
    """What stands between `---` on the first line and the next `---`."""
    if lines[0].rstrip() != FRONT_MATTER:
        return None
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == FRONT_MATTER:
            return Block(lines[1:number], 2, FRONT_MATTER)
    return Block(lines[1:], 2, FRONT_MATTER, closed=False)


def fenced_blocks(lines: tuple[str, ...], *, hidden: bool = False) -> Iterator[Block]:
    """Every fenced YAML block that opens near the top, those inside other fences left out.

    Those in an HTML comment, which GitHub doesn't show, count only where `hidden` ones are asked for.
    """
    opened: Fence | None = None
    for fence in islice(_fences(lines, hidden=hidden), MOST_FENCES):
        if opened is None and fence.line > MOST_LINES_ABOVE:
            return
        if opened is None:
            opened = fence
            continue
        if opened.opens_yaml:
            yield fenced(lines, opened, fence.line - 1, closed=True)
        opened = None
    if opened and opened.opens_yaml:
        yield fenced(lines, opened, len(lines), closed=False)


def _fences(lines: tuple[str, ...], *, hidden: bool) -> Iterator[Fence]:
    """The lines that open a fence and those that close it, in turn."""
    opened: Fence | None = None
    ends: re.Pattern[str] | None = None
    for number, line in enumerate(lines, start=1):
        if opened is None and ends is None and "<" in line and not hidden:
            ends = _html_ends(line)
        if ends:
            ends = None if ends.search(line) else ends
        elif fence := fence_of(line, number):
            if opened is None and fence.can_open:
                opened = fence
            elif opened and fence.closes(opened):
                opened = None
            else:
                continue
            yield fence


def _html_ends(line: str) -> re.Pattern[str] | None:
    """The end of the HTML that begins on a line, where its content is not Markdown (CommonMark 4.6)."""
    begun = HTML.match(line)
    if begun is None:
        return None
    kind = begun["kind"].lower()
    return HTML_ENDS.get(kind) or HTML_ENDS["!" if kind.startswith("!") else ""]


def fenced(lines: tuple[str, ...], opening: Fence, last: int, *, closed: bool) -> Block:
    """The content of a fence, without the indentation that the fence itself has."""
    content = lines[opening.line : last]
    if opening.indent:
        margin = re.compile(f" {{0,{opening.indent}}}")
        content = tuple(margin.sub("", line, count=1) for line in content)
    return Block(content, opening.line + 1, opening.marks, opening.indent, closed)


def fence_of(line: str, number: int) -> Fence | None:
    """The fence that a line is, if it is one."""
    if "```" not in line and "~~~" not in line:
        return None
    match = FENCE.fullmatch(line)
    return Fence(number, len(match["indent"]), match["marks"], match["info"].strip()) if match else None
