"""Evidence in a unit that its threshold can be compared with."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.fit import fits
from service.rules.charter.metrics import Metric
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.threshold import Threshold
from service.rules.charter.units import NO_UNIT, Dimension, Unit
from service.rules.finding import Severity


def find(sheet: Sheet) -> Iterator[Complaint]:
    """A unit that measures something else than the line asks for, and none where one is needed."""
    for evidence in sheet.charter.evidence:
        asked = next((each for each in sheet.charter.done if evidence.key.answers(each)), None)
        if asked is None:
            continue
        unit, metric = evidence.reading.unit, asked.known
        name = asked.metric[:32]
        if unit is NO_UNIT and metric and not fits(metric, NO_UNIT):
            message = (
                f"`{name}` is {metric.measure}: end the line with the unit of the file, like `{metric.unit}`"
            )
            yield Complaint(message, evidence.source, severity=Severity.WARNING)
        elif unit is not NO_UNIT and not comparable(unit, asked, metric):
            remedy = f"end it with `{asked.unit.text}`" if asked.unit.text else "leave the unit out"
            yield Complaint(
                f"This unit cannot be compared with the bound on `{name}`: {remedy}", evidence.source
            )


def comparable(unit: Unit, asked: Threshold, metric: Metric | None) -> bool:
    """Whether a number in the unit can meet the bound."""
    plain = (Dimension.NONE, Dimension.RATIO)
    if asked.unit.dimension in plain:
        return unit.dimension in plain or (metric is not None and fits(metric, unit))
    return unit.canonical == asked.unit.canonical


CHECK = Check(
    "evidence-unit",
    "The number's unit can be compared with the bound's.",
    find,
    why="212 in a file may be milliseconds or seconds, and euros are not compared with dollars.",
    examples=(
        Example("latency_p95: load/k6.json $.p95 USD", "latency_p95: load/k6.json $.p95 ms", "evidence"),
    ),
)
