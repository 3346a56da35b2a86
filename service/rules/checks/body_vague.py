"""Vague words in the prose."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from service.rules.charter.lexicon import vague_in_prose
from service.rules.charter.nodes import Spot
from service.rules.charter.prose import prose_lines
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.finding import Severity

MOST_LINES = 200


def find(sheet: Sheet) -> Iterator[Complaint]:
    """The first word that sounds like a criterion; never more than one."""
    charter = sheet.charter
    prose = prose_lines(sheet.lines, charter.line - 1, charter.last_line)
    for number, line in islice(prose, MOST_LINES):
        found = vague_in_prose(line)
        if found:
            message = f"'{found[0].lower()}' promises more than `done` asks: say it there in a number"
            yield Complaint(message, Spot(number, found.start() + 1))
            return


CHECK = Check(
    "body-vague",
    "The prose promises nothing that `done` does not ask.",
    find,
    Severity.NOTICE,
    why="Adjectives in the prose are read as promises. This is said once, and never fails a charter.",
    examples=(
        Example(
            "Triage gives agents a blazingly fast and seamless answer.",
            "Triage routes each ticket to a queue.",
            "body",
        ),
    ),
)
