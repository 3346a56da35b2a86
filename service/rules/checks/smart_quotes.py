"""Typographic quotation marks around a value: YAML takes them for part of it."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.nodes import scalars
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.values import in_smart_quotes


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Values that begin and end with such marks."""
    for scalar in scalars(sheet.root):
        text = scalar.value
        if in_smart_quotes(text) and scalar.plain:
            fix = sheet.line_with(scalar, f'"{text[1:-1]}"') if not set('"\\') & set(text) else None
            yield Complaint(
                "These quotation marks would be part of the value: use straight ones", scalar, fix
            )


CHECK = Check(
    "smart-quotes",
    "Quotation marks are straight.",
    find,
    when_stopped=True,
    why="YAML takes typographic quotation marks for a part of the value.",
    examples=(Example("owner: “jane-doe”", 'owner: "jane-doe"'),),
)
