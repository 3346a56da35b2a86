"""How many lines `done` has."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.nodes import Sequence
from service.rules.charter.sheet import Check, Complaint, Example, Sheet

FEWEST, MOST = 2, 12


def find(sheet: Sheet) -> Iterator[Complaint]:
    """One number is no definition of done, and thirteen are none that anybody remembers."""
    done = sheet.node("done")
    if not isinstance(done, Sequence):
        return
    count = len(done.items)
    if count < FEWEST:
        on_quality = any(metric.is_quality for metric in sheet.done_metrics())
        added = "latency, cost or reliability" if on_quality else "quality"
        message = f"`done` has {count} of at least {FEWEST} lines: add one on {added}"
        yield Complaint(message, sheet.key("done"))
    elif count > MOST:
        extra = done.items[MOST]
        yield Complaint(f"`done` has {count} lines: keep the {MOST} that decide", extra)


CHECK = Check(
    "done-count",
    "`done` has 2 to 12 lines.",
    find,
    why="One number can be met at the cost of all others; more than twelve are not remembered.",
    examples=(
        Example(
            "done:\n  - accuracy >= 92 % on holdout with n >= 2000",
            "done:\n  - accuracy >= 92 % on holdout with n >= 2000\n  - latency_p95 <= 300 ms at 50 req/s",
        ),
    ),
)
