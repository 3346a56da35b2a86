"""One threshold, one line."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.threshold import Threshold


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Two lines on the same metric under the same conditions, unless they bound it from both sides."""
    seen: dict[tuple[object, ...], Threshold] = {}
    for threshold in sheet.charter.done:
        first = seen.setdefault((threshold.key, threshold.op.rstrip("=")), threshold)
        if first is not threshold:
            name = threshold.metric[:32]
            message = f"`{name}` is already bounded on line {first.line}: keep one of the two"
            yield Complaint(message, threshold)


CHECK = Check(
    "done-duplicate",
    "No threshold stands twice in `done`.",
    find,
    why="Of two bounds on the same thing one is not meant.",
    examples=(
        Example(
            "- latency_p95 <= 300 ms at 50 req/s\n- p95_latency <= 0.4 s at 50 req/s",
            "- latency_p95 <= 300 ms at 50 req/s\n- accuracy >= 92 % on holdout with n >= 2000",
            "done",
        ),
    ),
)
