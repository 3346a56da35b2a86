"""A policy's nodes on the table: values are read off, and what cannot be read is complained of."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from itertools import islice
from typing import TypeVar

from service.rules.charter.nodes import Entry, Mapping, Node, Place, Scalar, Sequence
from service.rules.charter.quantity import Refusal
from service.rules.charter.wording import shown
from service.rules.finding import Finding, Severity
from service.rules.policy.layout import Key

T = TypeVar("T")
NOTHING = Mapping((), 1, 1)
MOST_ITEMS = 100
MOST_TOLD = 20
"""Findings of one list, and unknown keys of one section: nobody reads more at once."""
LONGEST_KEY = 40
NEAR_ENOUGH = 0.7
SHOWN = 20


class Page:
    """Collects the findings while the values are read."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self.lines = lines
        self.findings: list[Finding] = []

    def refuse(self, code: str, message: str, at: Place, fix: str | None = None) -> None:
        """Complain of a place."""
        self.findings.append(Finding(code, Severity.ERROR, message, at.line, at.column, fix=fix))

    def line_with(self, scalar: Scalar, value: str) -> str | None:
        """The scalar's line with another value in its place; None where it takes several lines."""
        if scalar.line != scalar.end_line:
            return None
        line = self.lines[scalar.line - 1]
        return f"{line[: scalar.column - 1]}{value}{line[scalar.end_column - 1 :]}"

    def section(self, parent: Mapping, key: Key) -> Mapping:
        """The mapping under a key, its unknown keys told; an empty one where there is none."""
        entry = parent.entry(key.name)
        if entry is None:
            return NOTHING
        if not isinstance(entry.value, Mapping):
            first = key.keys[0] if key.keys else Key("name", "", "[value]")
            like = f"{first.name}: {first.example}".rstrip()
            self._misshapen(entry, f"write lines like `{like}` below it")
            return NOTHING
        self.unknown(key, entry.value)
        return entry.value

    def unknown(self, section: Key, node: Mapping) -> None:
        """Tell the entries that a section does not list, with the key that was meant where one is near."""
        if section.free:
            return
        unlisted = (entry for entry in node.entries if section.key(entry.key.value) is None)
        for entry in islice(unlisted, MOST_TOLD):
            name, meant = entry.key.value, self._meant(section, node, entry.key.value)
            if meant:
                fix = self.line_with(entry.key, meant)
                message = f"No key {shown(name, SHOWN)} here: write `{meant}`"
                self.refuse("unknown-key", message, entry.key, fix)
            else:
                place = "a policy" if section.name == "policy file" else f"`{section.name}`"
                self.refuse("unknown-key", f"No key {shown(name, SHOWN)} in {place}: delete it", entry.key)

    def value(self, parent: Mapping, key: Key, parse: Callable[[str], T | Refusal], default: T) -> T:
        """The one value of a key, read; the default where it is left out, or cannot be read."""
        entry = parent.entry(key.name)
        if entry is None:
            return default
        if not isinstance(entry.value, Scalar) or not entry.value.value:
            self._misshapen(entry, f"write one value, like `{key.name}: {key.example}`")
            return default
        read = self._read(entry.value, parse)
        return default if read is None else read

    def values(
        self,
        parent: Mapping,
        name: str,
        parse: Callable[[str], T | Refusal],
        *,
        example: str,
        most: int = MOST_ITEMS,
    ) -> tuple[T, ...]:
        """The values of a list, as far as they can be read; none where it is left out."""
        entry = parent.entry(name)
        if entry is None:
            return ()
        if not isinstance(entry.value, Sequence):
            fix = self._listed(entry.value) if isinstance(entry.value, Scalar) else None
            self._misshapen(entry, f"write a list, like `{name}: {example}`", fix)
            return ()
        if len(entry.value.items) > most:
            message = f"{len(entry.value.items)} values: keep {shown(name)} to {most}"
            self.refuse("too-many-values", message, entry.key)
            return ()
        return self._items(entry.value.items, parse)

    def _items(self, items: tuple[Node, ...], parse: Callable[[str], T | Refusal]) -> tuple[T, ...]:
        told, read = len(self.findings), []
        for item in items:
            if len(self.findings) - told >= MOST_TOLD:
                break
            if not isinstance(item, Scalar):
                self.refuse("wrong-shape", "A list holds single values here: write one value", item)
            elif (value := self._read(item, parse)) is not None:
                read.append(value)
        return tuple(read)

    def _read(self, scalar: Scalar, parse: Callable[[str], T | Refusal]) -> T | None:
        read = parse(scalar.value.strip())
        if not isinstance(read, Refusal):
            return read
        fix = None if read.meant is None else self.line_with(scalar, read.meant)
        self.refuse("wrong-value", read.message, scalar, fix)
        return None

    def _misshapen(self, entry: Entry, remedy: str, fix: str | None = None) -> None:
        held = {Sequence: "holds a list", Mapping: "holds keys"}.get(type(entry.value), "holds one value")
        if isinstance(entry.value, Scalar) and not entry.value.value:
            held, remedy = "is empty", f"{remedy}, or delete it"
        self.refuse("wrong-shape", f"{shown(entry.key.value)} {held}: {remedy}", entry.key, fix)

    def _listed(self, scalar: Scalar) -> str | None:
        """The line with its one value as a list of one."""
        if not scalar.value or scalar.line != scalar.end_line:
            return None
        line = self.lines[scalar.line - 1]
        return self.line_with(scalar, f"[{line[scalar.column - 1 : scalar.end_column - 1]}]")

    @staticmethod
    def _meant(section: Key, node: Mapping, name: str) -> str | None:
        """The key, not yet there, that an unknown name stands for."""
        free = [key.name for key in section.keys if node.get(key.name) is None]
        written = name.lower().replace("-", "_").replace(" ", "_")
        near = get_close_matches(written, free, n=1, cutoff=NEAR_ENOUGH) if len(name) <= LONGEST_KEY else []
        return near[0] if near else None
