"""Prose beside the numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from service.rules.charter.lexicon import vague_in_prose
from service.rules.charter.reader import prose_lines
from service.rules.checks.check import CheckContext, Example, Problem, check
from service.rules.source.nodes import Place, Spot
from service.rules.values.finding import Severity

FEWEST_WORDS = 4
PLACEHOLDER = re.compile(r"(?:TODO|TBD|FIXME)\b|<[^<>]*>$")
MOST_LINES = 200


@check(
    Severity.NOTICE,
    why="Numbers say how good it is; only prose says what it's for.",
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
def body_missing(context: CheckContext) -> Iterator[Problem]:
    """A sentence beside the block says for whom it is."""
    summary = context.charter.summary or ""
    if PLACEHOLDER.match(summary):
        message = "This sentence is still open: write who this is for and what it costs them"
        yield Problem(message, placeholder(context))
    elif len(summary.split(None, FEWEST_WORDS)) < FEWEST_WORDS:
        message = "No sentence says who this is for: write one outside the block and name its scope"
        yield Problem(message, context.key("poc"))


def placeholder(context: CheckContext) -> Place:
    """Where the sentence stands that nobody has written yet."""
    prose = prose_lines(context.lines, context.charter.line - 1, context.charter.last_line)
    spots = (Spot(number, 1) for number, line in prose if PLACEHOLDER.match(line.lstrip()))
    return next(spots, context.key("poc"))


@check(
    Severity.NOTICE,
    why="Adjectives in the prose read as promises. We say this once, and it never fails a charter.",
    examples=(
        Example(
            "Triage gives agents a blazingly fast and seamless answer.",
            "Triage routes each ticket to a queue.",
            "body",
        ),
    ),
)
def body_vague(context: CheckContext) -> Iterator[Problem]:
    """The prose promises nothing that `done` does not ask."""
    charter = context.charter
    prose = prose_lines(context.lines, charter.line - 1, charter.last_line)
    for number, line in islice(prose, MOST_LINES):
        found = vague_in_prose(line)
        if found:
            message = f"'{found[0].lower()}' promises more than `done` asks: say it there in a number"
            yield Problem(message, Spot(number, found.start() + 1))
            return
