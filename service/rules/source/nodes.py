"""A YAML block as located nodes: every scalar a string, every key with its line and column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

# A list this long is refused for its length; reading on would only cost time.
MOST_ITEMS = 75


class Place(Protocol):
    """Anything that stands somewhere in the file."""

    @property
    def line(self) -> int:
        """Its line, from 1."""

    @property
    def column(self) -> int:
        """Its column, from 1."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place of which nothing else is known."""

    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value as it was written, whatever YAML would make of it."""

    value: str
    line: int
    column: int
    end_line: int
    end_column: int
    plain: bool = True

    def replaced(self, lines: tuple[str, ...], value: str) -> str | None:
        """Its line with another value in its place; None where it takes several lines."""
        if self.line != self.end_line:
            return None
        line = lines[self.line - 1]
        return f"{line[: self.column - 1]}{value}{line[self.end_column - 1 :]}"


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys with their values, in the order of the file; of a key written twice, the first."""

    entries: tuple[Entry, ...]
    line: int
    column: int

    def entry(self, key: str) -> Entry | None:
        """The entry of that key."""
        return next((entry for entry in self.entries if entry.key.value == key), None)

    def get(self, key: str) -> Node | None:
        """The value of that key."""
        entry = self.entry(key)
        return entry.value if entry else None


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its value."""

    key: Scalar
    value: Node


Node = Scalar | Sequence | Mapping


def as_text(node: Node) -> Scalar | None:
    """A value, or what `- accuracy: ">= 92 %"` says without the colon that makes it a mapping."""
    if isinstance(node, Scalar):
        return node
    if not isinstance(node, Mapping) or len(node.entries) != 1:
        return None
    key, value = node.entries[0].key, node.entries[0].value
    if not isinstance(value, Scalar) or key.line != value.end_line:
        return None
    text = f"{key.value} {value.value}"
    return Scalar(text, key.line, key.column, value.end_line, value.end_column, plain=False)


def scalars(node: Node) -> Iterator[Scalar]:
    """Every value below a node, keys left out."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from scalars(item)
    else:
        for entry in node.entries:
            yield from scalars(entry.value)
