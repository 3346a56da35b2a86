"""A value that nobody has written yet."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.layout import CHARTER, Field, Shape
from service.rules.charter.nodes import Mapping, Node, Scalar, Sequence
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.threshold import EXAMPLE
from service.rules.charter.values import is_unfilled


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Empty values, and placeholders such as TODO; an optional key may be left empty."""
    for entry in sheet.root.entries:
        field = CHARTER.field(entry.key.value)
        if field:
            yield from open_values(sheet, field, entry.value)


def open_values(sheet: Sheet, field: Field, node: Node) -> Iterator[Complaint]:
    """The values at or below a key that are still to be written."""
    if isinstance(node, Mapping):
        for entry in node.entries:
            inner = field.field(entry.key.value) or field
            yield from open_values(sheet, inner, entry.value)
    elif isinstance(node, Sequence):
        for item in node.items:
            if isinstance(item, Scalar) and is_unfilled(item.value):
                yield Complaint(f"This line is still open: write one like `{EXAMPLE}`", item)
    elif is_unfilled(node.value) and (field.required or node.value.strip()):
        yield Complaint(remedy(sheet, field), node)


def remedy(sheet: Sheet, field: Field) -> str:
    """What to write for a key."""
    if field.shape in (Shape.SECTION, Shape.METRICS, Shape.LIST):
        return f"`{field.name}` is still open: write {field.asks}"
    return f"`{field.name}` is still open: write {field.asks}, like `{field.sample(sheet.today)}`"


CHECK = Check(
    "unfilled",
    "Every value is written.",
    find,
    why="A placeholder passes for a decision until somebody needs it.",
    examples=(Example("owner: TODO", "owner: jane-doe"),),
)
