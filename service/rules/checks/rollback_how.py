"""How to turn it off, so that somebody else could."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.sheet import Check, Complaint, Example, Sheet

FEWEST_CHARACTERS = 10


def find(sheet: Sheet) -> Iterator[Complaint]:
    """A way that is too short to follow."""
    how = sheet.text("rollback", "how")
    if how and len(how.value.strip()) < FEWEST_CHARACTERS:
        yield Complaint(
            "Nobody could follow this at night: write what is turned off and what takes over", how
        )


CHECK = Check(
    "rollback-how",
    "`rollback.how` can be followed.",
    find,
    why="Whoever turns it off may not be the one who built it.",
    examples=(
        Example(
            "how: revert", "how: turn flag ai_triage off, tickets go back to the manual queue", "rollback"
        ),
    ),
)
