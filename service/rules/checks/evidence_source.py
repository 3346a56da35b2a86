"""Evidence that can be read."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.evidence import parse_key, parse_source
from service.rules.charter.nodes import Scalar
from service.rules.charter.quantity import Refusal
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.values import is_unfilled


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Lines that name no number in a file."""
    for entry in sheet.entries("evidence"):
        if not isinstance(entry.value, Scalar) or is_unfilled(entry.value.value):
            continue
        key, source = parse_key(entry.key.value), parse_source(entry.value.value)
        if isinstance(key, Refusal):
            yield Complaint(key.message, entry.key)
        if isinstance(source, Refusal):
            offset = source.offset if entry.value.plain and entry.value.line == entry.value.end_line else 0
            yield Complaint(source.message, entry.value, offset=offset)


CHECK = Check(
    "evidence-source",
    "Each line of `evidence` is a file, a JSONPath, and the unit.",
    find,
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
