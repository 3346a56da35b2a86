"""Evidence is for one thing that `done` asks, or `stop_if`."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.evidence import Key, key_of
from service.rules.charter.nodes import Sequence
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.threshold import Threshold
from service.rules.charter.wording import shown


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Keys of `evidence` that no line asks for, once all lines can be read, or that several do."""
    stops = sheet.node("stop_if")
    unread = isinstance(stops, Sequence) and len(stops.items) != len(sheet.charter.stop_if)
    if not sheet.all_read("done") or unread:
        return
    done = sheet.charter.done
    first: dict[tuple[object, ...], int] = {}
    for evidence in sheet.charter.evidence:
        asked = answered(evidence.key, done) or answered(evidence.key, sheet.charter.stop_if)
        name = shown(evidence.metric.value, 32)
        if not asked:
            yield Complaint(f"No line of `done` asks for {name}: add one, or delete this", evidence.metric)
        elif len(asked) > 1:
            meant = key_of(next(iter(reversed(asked.values()))), done)
            yield Complaint(
                f"{name} could be for {len(asked)} lines: say which, like {shown(meant, 40)}", evidence.metric
            )
        elif line := first.get(key := next(iter(asked))):
            yield Complaint(f"{name} has its evidence on line {line}: keep one of the two", evidence.metric)
        else:
            first[key] = evidence.metric.line


def answered(key: Key, done: tuple[Threshold, ...]) -> dict[tuple[object, ...], Threshold]:
    """The lines that a key is for, by what makes them the same; the one that it names outright, if any."""
    asked = {threshold.key: threshold for threshold in done if key.answers(threshold)}
    named = {each: threshold for each, threshold in asked.items() if key.names(threshold)}
    return named if len(named) == 1 else asked


CHECK = Check(
    "evidence-metric",
    "Each key of `evidence` is a metric of `done`.",
    find,
    why="A number that no line asks for decides nothing; one that could answer two lines decides neither.",
    examples=(
        Example(
            "accuracy_v2: eval/metrics.json $.accuracy", "accuracy: eval/metrics.json $.accuracy", "evidence"
        ),
    ),
)
