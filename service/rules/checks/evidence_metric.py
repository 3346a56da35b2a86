"""Evidence is for something that `done` asks."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.nodes import Sequence
from service.rules.charter.sheet import Check, Complaint, Sheet
from service.rules.charter.wording import shown


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Keys of `evidence` that no line of `done` begins with, once all of these can be read."""
    done = sheet.node("done")
    asked = {threshold.metric for threshold in sheet.charter.done}
    if not isinstance(done, Sequence) or len(done.items) > len(sheet.charter.done):
        return
    for evidence in sheet.charter.evidence:
        if evidence.metric.value not in asked:
            name = shown(evidence.metric.value, 32)
            yield Complaint(f"No line of `done` asks for {name}: add one, or delete this", evidence.metric)


CHECK = Check("evidence-metric", "Each key of `evidence` is a metric of `done`.", find)
