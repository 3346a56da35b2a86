"""The version of the charter language."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.wording import shown


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Any other version than 1."""
    version = sheet.text("poc")
    if version and version.value != "1":
        message = f"There is no version {shown(version.value)} of the charter: write `poc: 1`"
        yield Complaint(message, version, sheet.line_with(version, "1"))


CHECK = Check(
    "version",
    "`poc: 1` is the version that is read.",
    find,
    when_stopped=True,
    why="The version says which rules the charter was written for.",
    examples=(Example("poc: 2", "poc: 1"),),
)
