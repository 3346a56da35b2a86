"""One threshold, one line."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.sheet import Check, Complaint, Sheet
from service.rules.charter.threshold import Threshold


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Two lines on the same metric under the same conditions, unless they bound it from both sides."""
    seen: dict[tuple[object, ...], Threshold] = {}
    for threshold in sheet.charter.done:
        first = seen.setdefault((threshold.key, threshold.op.rstrip("=")), threshold)
        if first is not threshold:
            message = (
                f"`{threshold.metric[:32]}` is already bounded on line {first.line}: keep one of the two"
            )
            yield Complaint(message, threshold)


CHECK = Check("done-duplicate", "No threshold stands twice in `done`.", find)
