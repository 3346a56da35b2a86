"""Prose beside the numbers."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.finding import Severity

FEWEST_WORDS = 4


def find(sheet: Sheet) -> Iterator[Complaint]:
    """A charter that says in no sentence what it is for."""
    if len((sheet.charter.summary or "").split(None, FEWEST_WORDS)) < FEWEST_WORDS:
        message = "No sentence says for whom this is: write one outside the block and name its scope"
        yield Complaint(message, sheet.key("poc"))


CHECK = Check(
    "body-missing",
    "A sentence beside the block says for whom it is.",
    find,
    Severity.NOTICE,
    why="Numbers say how good it is; only prose says what for.",
    examples=(
        Example(
            "# Triage",
            "# Triage\n\nTriage routes each ticket to a queue; a wrong route costs 11 minutes.",
            "body",
        ),
    ),
)
