"""Numbers, not adjectives: every line of `done` is a threshold."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.rules.charter.quantity import Refusal
from service.rules.charter.remedy import read_threshold
from service.rules.charter.sheet import Check, Complaint, Example, Sheet

DASH = re.compile(r"\s-\s")
RUNS_OVER = "YAML reads this line and the next as one: begin every dash of the list in the same column"


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Lines that the grammar does not read, each with what would be one."""
    for key in ("done", "stop_if"):
        for item in sheet.texts(key):
            read = read_threshold(item.value)
            if (
                isinstance(read, Refusal)
                and item.plain
                and item.line != item.end_line
                and DASH.search(item.value)
            ):
                yield Complaint(RUNS_OVER, item)
            elif isinstance(read, Refusal):
                fix = sheet.line_with(item, read.meant) if read.meant else None
                offset = read.offset if item.plain and item.line == item.end_line else 0
                yield Complaint(read.message, item, fix, offset=offset)


CHECK = Check(
    "done-threshold",
    "Every line of `done` is metric, sign, number and unit.",
    find,
    why="An adjective can be argued about after the fact, a number with its unit cannot.",
    examples=(
        Example("- fast enough", "- latency_p95 <= 300 ms at 50 req/s", "done"),
        Example("- accuracy of about 92 %", "- accuracy >= 92 % on holdout with n >= 2000", "done"),
    ),
)
