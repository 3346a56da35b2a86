"""Evidence that can be read."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.evidence import parse_source
from service.rules.charter.line_keys import Key, key_of, parse_key
from service.rules.charter.metrics import Metric
from service.rules.charter.quantity import Refusal
from service.rules.charter.threshold import Threshold
from service.rules.charter.unit_fit import fits
from service.rules.charter.units import NO_UNIT, Dimension, Unit
from service.rules.charter.values import is_unfilled
from service.rules.checks.check import CheckContext, Example, Problem, check
from service.rules.source.nodes import Scalar, Sequence
from service.rules.source.text import shown
from service.rules.values.finding import Severity


@check(
    why="A number counts when anybody can find it: one file, one path, one value or aggregate.",
    examples=(
        Example("accuracy: see the notebook", "accuracy: eval/metrics.json $.accuracy", "evidence"),
        Example(
            "latency_p95: load/out.json $.values[*] ms",
            "latency_p95: load/out.json p95 of $.values[*] ms",
            "evidence",
        ),
        Example(
            "accuracy: eval/metrics.json $..accuracy",
            "accuracy: eval/metrics.json $.model.accuracy",
            "evidence",
        ),
    ),
)
def evidence_source(context: CheckContext) -> Iterator[Problem]:
    """Each line of `evidence` is a file, a JSONPath, and the unit."""
    for entry in context.entries("evidence"):
        if not isinstance(entry.value, Scalar) or is_unfilled(entry.value.value):
            continue
        key, source = parse_key(entry.key.value), parse_source(entry.value.value)
        if isinstance(key, Refusal):
            yield Problem(key.message, entry.key)
        if isinstance(source, Refusal):
            offset = source.offset if entry.value.plain and entry.value.line == entry.value.end_line else 0
            yield Problem(source.message, entry.value, offset=offset)


@check(
    why="A number that no line asks for decides nothing. Neither does one that could answer two lines.",
    examples=(
        Example(
            "accuracy_v2: eval/metrics.json $.accuracy", "accuracy: eval/metrics.json $.accuracy", "evidence"
        ),
    ),
)
def evidence_metric(context: CheckContext) -> Iterator[Problem]:
    """Each key of `evidence` is a metric of `done`."""
    stops = context.node("stop_if")
    unread = isinstance(stops, Sequence) and len(stops.items) != len(context.charter.stop_if)
    if not context.all_read() or unread:
        return
    done = context.charter.done
    first: dict[tuple[object, ...], int] = {}
    for evidence in context.charter.evidence:
        asked = answered(evidence.key, done) or answered(evidence.key, context.charter.stop_if)
        name = shown(evidence.metric.value, 32)
        if not asked:
            yield Problem(f"No line of `done` asks for {name}: add one, or delete this", evidence.metric)
        elif len(asked) > 1:
            meant = key_of(next(iter(reversed(asked.values()))), done)
            yield Problem(
                f"{name} could be for {len(asked)} lines: say which, like {shown(meant, 40)}", evidence.metric
            )
        elif line := first.get(key := next(iter(asked))):
            yield Problem(f"{name} has its evidence on line {line}: keep one of the two", evidence.metric)
        else:
            first[key] = evidence.metric.line


def answered(key: Key, done: tuple[Threshold, ...]) -> dict[tuple[object, ...], Threshold]:
    """The lines that a key is for, by what makes them the same; the one that it names outright, if any."""
    asked = {threshold.key: threshold for threshold in done if key.answers(threshold)}
    named = {each: threshold for each, threshold in asked.items() if key.names(threshold)}
    return named if len(named) == 1 else asked


@check(
    why="212 in a file may be milliseconds or seconds, and we don't compare euros with dollars.",
    examples=(
        Example("latency_p95: load/k6.json $.p95 USD", "latency_p95: load/k6.json $.p95 ms", "evidence"),
    ),
)
def evidence_unit(context: CheckContext) -> Iterator[Problem]:
    """The number's unit can be compared with the bound's."""
    for evidence in context.charter.evidence:
        asked = next((each for each in context.charter.done if evidence.key.answers(each)), None)
        if asked is None:
            continue
        unit, metric = evidence.reading.unit, asked.known
        name = asked.metric[:32]
        if unit is NO_UNIT and metric and not fits(metric, NO_UNIT):
            message = (
                f"`{name}` is {metric.measure}: end the line with the file's unit, as in `{metric.unit}`"
            )
            yield Problem(message, evidence.source, severity=Severity.WARNING)
        elif unit is not NO_UNIT and not comparable(unit, asked, metric):
            remedy = f"end it with `{asked.unit.text}`" if asked.unit.text else "leave the unit out"
            yield Problem(
                f"This unit can't be compared with the bound on `{name}`: {remedy}", evidence.source
            )


def comparable(unit: Unit, asked: Threshold, metric: Metric | None) -> bool:
    """Whether a number in the unit can meet the bound."""
    plain = (Dimension.NONE, Dimension.RATIO)
    if asked.unit.dimension in plain:
        return unit.dimension in plain or (metric is not None and fits(metric, unit))
    return unit.canonical == asked.unit.canonical
