"""Prose beside the numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.rules.charter.nodes import Place, Spot
from service.rules.charter.prose import prose_lines
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.finding import Severity

FEWEST_WORDS = 4
PLACEHOLDER = re.compile(r"(?:TODO|TBD|FIXME)\b|<[^<>]*>$")


def find(sheet: Sheet) -> Iterator[Complaint]:
    """A charter that says in no sentence what it is for."""
    summary = sheet.charter.summary or ""
    if PLACEHOLDER.match(summary):
        message = "This sentence is still open: write for whom this is and what it costs them"
        yield Complaint(message, placeholder(sheet))
    elif len(summary.split(None, FEWEST_WORDS)) < FEWEST_WORDS:
        message = "No sentence says for whom this is: write one outside the block and name its scope"
        yield Complaint(message, sheet.key("poc"))


def placeholder(sheet: Sheet) -> Place:
    """Where the sentence stands that nobody has written yet."""
    prose = prose_lines(sheet.lines, sheet.charter.line - 1, sheet.charter.last_line)
    spots = (Spot(number, 1) for number, line in prose if PLACEHOLDER.match(line.lstrip()))
    return next(spots, sheet.key("poc"))


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
        Example(
            "# Triage\n\nTODO: who does this work today.",
            "# Triage\n\nAgents read 180 000 tickets a day; triage routes each to a queue.",
            "body",
        ),
    ),
)
