"""A key that a charter does not know."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.layout import CHARTER, Field, Shape
from service.rules.charter.nodes import Entry, Mapping
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.spelling import meant_key, unknown_entries
from service.rules.charter.wording import shown

SHOWN_KEYS = 20

# Keys that people expect, and where what they would say is found instead.
ELSEWHERE = {
    "name": "the name is the Markdown heading: delete this line",
    "title": "the title is the Markdown heading: delete this line",
    "description": "prose stands below the block, in Markdown: move it there",
    "status": "the state is derived from what happens: delete this line",
    "state": "the state is derived from what happens: delete this line",
    "team": "one person owns a POC: write `owner` instead",
}


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Keys at the top and in the sections that are not in the layout."""
    yield from unknown(sheet, CHARTER, sheet.root)
    for entry in sheet.root.entries:
        field = CHARTER.field(entry.key.value)
        if field and field.shape is Shape.SECTION and isinstance(entry.value, Mapping):
            yield from unknown(sheet, field, entry.value)


def unknown(sheet: Sheet, section: Field, node: Mapping) -> Iterator[Complaint]:
    """The entries of one mapping that its section does not list."""
    for entry in unknown_entries(section, node):
        yield complaint(sheet, section, node, entry)


def complaint(sheet: Sheet, section: Field, node: Mapping, entry: Entry) -> Complaint:
    """One unknown key, with the key that was meant where one is near."""
    name = entry.key.value
    if section is CHARTER and name in ELSEWHERE:
        return Complaint(f"No key {shown(name)} here; {ELSEWHERE[name]}", entry.key)
    meant = meant_key(section, node, name)
    if meant:
        fix = sheet.line_with(entry.key, meant)
        return Complaint(f"No key {shown(name, SHOWN_KEYS)} here: write `{meant}`", entry.key, fix)
    place = "a charter" if section is CHARTER else f"`{section.name}`"
    return Complaint(
        f"No key {shown(name, SHOWN_KEYS)} in {place}: delete it, or move it below the block", entry.key
    )


CHECK = Check(
    "unknown-key",
    "Only the keys of the language stand in a charter.",
    find,
    when_stopped=True,
    why="A misspelt key would be read by nobody, and its value would be missing.",
    examples=(Example("ship_day: 2027-02-26", "ship_by: 2027-02-26"),),
)
