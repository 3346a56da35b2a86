"""Units that fit their metric."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.rules.charter.metrics import family_of, has_wrong_unit, lacks_unit
from service.rules.charter.sheet import Check, Complaint, Sheet
from service.rules.charter.threshold import Threshold, parse_threshold

BOUND = re.compile(r"^([a-z0-9_]+\s*[<>=≤≥]+\s*-?[0-9.]+)")


def find(sheet: Sheet) -> Iterator[Complaint]:
    """A bare number where a metric has units, and a unit that measures something else."""
    for item in sheet.texts("done") + sheet.texts("stop_if"):
        threshold = parse_threshold(item.value)
        family = family_of(threshold.metric) if isinstance(threshold, Threshold) else None
        if not isinstance(threshold, Threshold) or family is None:
            continue
        if lacks_unit(threshold):
            meant = BOUND.sub(rf"\1 {family.unit}", threshold.text, count=1)
            message = f"{threshold.value:.8g} what? Write the unit, `{threshold.metric[:32]} {threshold.op} "
            message += f"{threshold.value:.8g} {family.unit}`"
            fix = sheet.line_with(item, meant) if isinstance(parse_threshold(meant), Threshold) else None
            yield Complaint(message, item, fix)
        elif has_wrong_unit(threshold):
            message = f"`{threshold.metric[:32]}` is {family.dimension}: write it in `{family.unit}`"
            yield Complaint(message, item)


CHECK = Check("done-unit", "Each number has the unit of its metric.", find)
