"""On what a ratio was measured, and on how many."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.metrics import Kind, Measure
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.finding import Severity


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Ratios of quality that do not name a data set and a sample size."""
    for item, threshold in sheet.thresholds("done"):
        metric = threshold.known
        if metric is None or metric.kind is not Kind.QUALITY or metric.measure is not Measure.SHARE:
            continue
        lacks = [
            clause
            for word, clause in (("on", "on <dataset>"), ("n", "with n >= <size>"))
            if word not in threshold.clauses
        ]
        if lacks:
            asked = (
                "On what, and how many?"
                if len(lacks) > 1
                else "On what?"
                if "<d" in lacks[0]
                else "Of how many?"
            )
            yield Complaint(
                f"`{threshold.metric[:32]}` {asked[0].lower()}{asked[1:]} Add `{' '.join(lacks)}`", item
            )


CHECK = Check(
    "done-sample",
    "A ratio of quality names its data set and its sample size.",
    find,
    Severity.WARNING,
    why="92 % of 50 hand-picked cases and 92 % of 2,000 sampled ones are different claims.",
    examples=(Example("- accuracy >= 92 %", "- accuracy >= 92 % on holdout with n >= 2000", "done"),),
)
