"""Where numbers are taken before it is live."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.nodes import Mapping
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.finding import Severity


def find(sheet: Sheet) -> Iterator[Complaint]:
    """A target that names no environment to measure in."""
    target = sheet.node("target")
    if (
        isinstance(target, Mapping)
        and sheet.text("target", "measured_in") is None
        and sheet.charter.target.environment
    ):
        message = (
            "Numbers will count from the target only: add `measured_in` if a staging has its load and data"
        )
        yield Complaint(message, sheet.key("target"))


CHECK = Check(
    "measured-in",
    "`measured_in` names where numbers are taken first.",
    find,
    Severity.NOTICE,
    why="Before it is live, numbers come from a staging or a shadow; that counts only if it is named.",
    examples=(Example("", "measured_in: support-staging", "target"),),
)
