"""The exact line to write for a change of a charter, in the style of the block that it stands in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from service.rules.charter.line_keys import Waiver, parse_waiver
from service.rules.charter.model import Charter, Located
from service.rules.charter.reader import read_charter
from service.rules.charter.values import Stop
from service.rules.source.block import Block
from service.rules.source.loader import Document, load
from service.rules.source.nodes import Entry, Mapping, Scalar, Sequence
from service.rules.source.text import CharterFile, FileKind, read_text

QUOTES = "\"'"
ABOVE = {"owner": ("poc",), "ship_by": ("owner", "poc")}
"""Below which key a missing one is added; any other comes last."""
PLACES = frozenset({"line", "last_line", "done_line"})
# What stands bare: letters first, then nothing that YAML could take for a sign of its own.
PLAIN = re.compile(r"[A-Za-z0-9/.][A-Za-z0-9 _./@%<>=$€£~+()'\"|*,-]*(?<! )")
URL = re.compile(r"https?://[A-Za-z0-9_./-]+")
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
PIECE = 200
MOST_ON_A_LINE = 240


@dataclass(frozen=True, slots=True)
class Change:
    """Another value for a key at the top of a charter: as it is written, and as it is read."""

    key: str
    written: str
    value: object
    is_item: bool = False
    """Whether it is an item of the key's list, in place of the one for the same thing."""

    @property
    def line(self) -> str:
        """What is to stand in the charter, in one line."""
        return f"{self.key}: {self.written}" if not self.is_item else f"- {self.written}"


@dataclass(frozen=True, slots=True)
class Amendment:
    """Lines to write at a line of the file, in place of those that stand there; `before` is None for none."""

    line: int
    before: str | None
    after: str


def shipping_on(day: date) -> Change:
    """Another ship date."""
    return Change("ship_by", day.isoformat(), day)


def owned_by(login: str) -> Change:
    """Another owner."""
    return Change("owner", login, login)


def stopped_on(day: date, reason: str) -> Change:
    """An end on purpose."""
    return Change("stopped", f"{day.isoformat()} - {reason}", Stop(day, reason))


def waived_by(waiver: Waiver) -> Change:
    """A line of `done` that may be missed until a day."""
    return Change("waived", waiver.written, waiver, is_item=True)


def amended(file: CharterFile, change: Change) -> Amendment | None:
    """The lines that make a charter say the new value and change nothing else; None where no line can."""
    document, text = load(file), read_text(file)
    if document.block is None or document.root is None or not isinstance(text, str):
        return None
    entry = document.root.entry(change.key)
    if entry and change.is_item:
        made = _with_item(document.lines, entry, change)
    else:
        made = _rewritten(document.lines, entry, change) if entry else _added(document, document.root, change)
    if made is None:
        return None
    before = read_charter(document.root, document.block, document.lines)
    return made if _says(applied(text, made), before, change) else None


def applied(text: str, amendment: Amendment) -> str:
    """A file with an amendment made, its line ends kept."""
    lines = text.split("\n")
    start = amendment.line - 1
    replaced = len(amendment.before.split("\n")) if amendment.before is not None else 0
    # A line that is new ends like the one above it: a block never begins a file.
    end = "\r" if lines[start if replaced else start - 1].endswith("\r") else ""
    lines[start : start + replaced] = [f"{line}{end}" for line in amendment.after.split("\n")]
    return "\n".join(lines)


def _rewritten(lines: tuple[str, ...], entry: Entry, change: Change) -> Amendment | None:
    """The line of a key that is there, with what stands around its value."""
    key, value = entry.key, entry.value
    if not isinstance(value, Scalar):
        return None
    first = lines[key.line - 1]
    if key.line == value.line == value.end_line:
        head, tail = first[: value.column - 1], first[value.end_column - 1 :]
        mark = first[value.column - 1 : value.column]
        quoted = bool(mark) and mark in QUOTES and change.written.replace("-", "").replace("_", "").isalnum()
        written = f"{mark}{change.written}{mark}" if quoted else scalar(change.written)
        space = " " if head.endswith(":") else ""
        return Amendment(key.line, first, f"{head}{space}{written}{tail}")
    return _on_one_line(lines, key, value, change)


def _on_one_line(lines: tuple[str, ...], key: Scalar, value: Scalar, change: Change) -> Amendment:
    """A value that takes several lines, written on the line of its key."""
    block_scalar = (
        value.end_line > value.line and not lines[value.end_line - 1][: value.end_column - 1].strip()
    )
    last = value.end_line - block_scalar
    while not lines[last - 1].strip():
        last -= 1
    tail = "" if block_scalar else lines[last - 1][value.end_column - 1 :]
    after = f"{lines[key.line - 1][: key.end_column - 1]}: {scalar(change.written)}{tail}"
    return Amendment(key.line, "\n".join(lines[key.line - 1 : last]), after)


def _with_item(lines: tuple[str, ...], entry: Entry, change: Change) -> Amendment | None:
    """A list with an item more, or with another in the place of the one for the same thing."""
    key, items = entry.key, entry.value
    margin = " " * (key.column - 1)
    if not isinstance(items, Sequence) or not items.items:
        before = lines[key.line - 1]
        bare = before[: key.end_column - 1]
        return Amendment(key.line, before, f"{bare}:\n{margin}  - {scalar(change.written)}")
    scalars = [item for item in items.items if isinstance(item, Scalar)]
    dashes = all(lines[each.line - 1][: each.column - 1].strip() == "-" for each in scalars)
    if len(scalars) < len(items.items) or not dashes:
        return None
    assert isinstance(change.value, Waiver)
    for each in scalars:
        waiver = parse_waiver(each.value)
        if isinstance(waiver, Waiver) and waiver.key.about == change.value.key.about:
            return _item_instead(lines, each, change)
    last = scalars[-1]
    head = lines[last.line - 1][: last.column - 1]
    end = last.end_line - (last.end_column == 1)
    return Amendment(end + 1, None, f"{head}{scalar(change.written)}")


def _item_instead(lines: tuple[str, ...], item: Scalar, change: Change) -> Amendment:
    """An item that is replaced, on one line."""
    last = item.end_line - (item.end_column == 1 and item.end_line > item.line)
    tail = lines[last - 1][item.end_column - 1 :] if last == item.end_line else ""
    before = "\n".join(lines[item.line - 1 : last])
    head = lines[item.line - 1][: item.column - 1]
    return Amendment(item.line, before, f"{head}{scalar(change.written)}{tail}")


def _added(document: Document, root: Mapping, change: Change) -> Amendment | None:
    """A line for a key that is not there."""
    block = document.block
    assert block is not None
    margin = " " * block.indent
    written = (
        [f"{change.key}:", f"  - {scalar(change.written)}"]
        if change.is_item
        else pair(change.key, change.written)
    )
    after = "\n".join(f"{margin}{line}" for line in written)
    return Amendment(_last(document.lines, block, root, change.key) + 1, None, after)


def _last(lines: tuple[str, ...], block: Block, root: Mapping, key: str) -> int:
    """The line below which a key is added."""
    for name in ABOVE.get(key, ()):
        entry = root.entry(name)
        if entry and isinstance(entry.value, Scalar) and entry.key.line == entry.value.end_line:
            return entry.key.line
    filled = (
        number for number in range(block.last_line, block.opening_line, -1) if lines[number - 1].strip()
    )
    return next(filled, block.last_line)


def _says(text: str, before: Charter, change: Change) -> bool:
    """Whether a charter is as before, but for the one value."""
    document = load(CharterFile(FileKind.FILE, text.encode()))
    if document.block is None or document.root is None:
        return False
    after = read_charter(document.root, document.block, document.lines)
    kept = (name for name in Charter.__slots__ if name not in PLACES | {change.key})
    read = getattr(after, change.key)
    if isinstance(change.value, Waiver):
        says = [each.value for each in read] == _waivers(before, change.value)
    else:
        says = isinstance(read, Located) and read.value == change.value
    return says and all(getattr(after, name) == getattr(before, name) for name in kept)


def _waivers(before: Charter, waiver: Waiver) -> list[Waiver]:
    """The waivers of a charter with one more, or with it in the place of the one for the same line."""
    waivers = [each.value for each in before.waived]
    same = [each.key.about == waiver.key.about for each in waivers]
    if not any(same):
        return [*waivers, waiver]
    place = same.index(True)
    return [*waivers[:place], waiver, *waivers[place + 1 :]]


def pair(key: str, value: str | None) -> Iterator[str]:
    """A key with its value, on as many lines as that takes."""
    if value is not None:
        yield from f"{scalar(key)}: {scalar(value)}".rstrip().split("\n")


def scalar(value: str) -> str:
    """A value as YAML reads it back: bare where it can be, else in double quotes."""
    short = len(value) <= MOST_ON_A_LINE
    if short and (not value or URL.fullmatch(value) or PLAIN.fullmatch(value)):
        return value
    pieces: list[str] = [""]
    for char in value:
        if len(pieces[-1]) > PIECE:
            pieces.append("\\" if char == " " else "")
        pieces[-1] += escaped(char)
    return '"' + "\\\n    ".join(pieces) + '"'


def escaped(char: str) -> str:
    """A character between double quotes; what no editor shows is written by its number."""
    if char in ESCAPES:
        return ESCAPES[char]
    if char.isprintable() and char != "\ufeff":
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004
