"""A key that a charter needs."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.layout import CHARTER, Field, Shape
from service.rules.charter.nodes import Mapping
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.spelling import misspelt
from service.rules.charter.wording import listed


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Required keys that are not there, at the top and inside the sections that are."""
    elsewhere = misspelt(CHARTER, sheet.root)
    for field in CHARTER.fields:
        node = sheet.root.get(field.name)
        if node is None and field.required and field.name not in elsewhere:
            yield Complaint(top_level(sheet, field), sheet.key(), fix(sheet, field, indent=0))
        elif isinstance(node, Mapping):
            yield from inside(sheet, field, node)


def inside(sheet: Sheet, section: Field, node: Mapping) -> Iterator[Complaint]:
    """Required keys that a section lacks."""
    elsewhere = misspelt(section, node)
    for field in section.fields:
        if field.required and node.get(field.name) is None and field.name not in elsewhere:
            message = f"`{section.name}` lacks `{field.name}`: add {field.asks}"
            indent = node.entries[0].key.column - 1 if node.entries else 2
            yield Complaint(message, sheet.key(section.name), fix(sheet, field, indent))


def top_level(sheet: Sheet, field: Field) -> str:
    """What to add to the charter."""
    if field.shape is Shape.SECTION:
        names = tuple(inner.name for inner in field.fields if inner.required)
        return f"`{field.name}` is missing ({field.asks}): add it, with {listed(names)}"
    if field.shape is Shape.LIST:
        return f"`{field.name}` is missing: add {field.asks}, like `- {field.sample(sheet.today)}`"
    return f"`{field.name}` is missing: add {field.asks}, `{field.name}: {field.sample(sheet.today)}`"


def fix(sheet: Sheet, field: Field, indent: int) -> str | None:
    """The line to add, where one line is enough."""
    if field.shape not in (Shape.TEXT, Shape.DATE):
        return None
    return f"{' ' * indent}{field.name}: {field.sample(sheet.today)}"


CHECK = Check(
    "missing-key",
    "Every required key is there.",
    find,
    why="Each key stands for a question that comes up after the demo, when it is dear to answer.",
    examples=(Example("", "owner: jane-doe"),),
)
