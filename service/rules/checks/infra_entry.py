"""What it runs on: a fact that can be looked up, or a gap that is admitted."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.layout import INFRA
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.values import MISSING, NOT_APPLICABLE, parse_infra
from service.rules.charter.wording import shown


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Entries that are none of path, URL, `n/a - reason`, `missing`."""
    for field in INFRA:
        entry = sheet.text("infra", field.name)
        if entry is None or parse_infra(entry.value):
            continue
        if NOT_APPLICABLE.fullmatch(entry.value):
            yield Complaint("Why is none needed? Write `n/a - ` and the reason", entry)
        elif entry.value.lower().startswith(MISSING):
            yield Complaint(
                f"What is missing says only that: write `{MISSING}`", entry, sheet.line_with(entry, MISSING)
            )
        else:
            message = f"{shown(entry.value)} is nothing to look up"
            yield Complaint(f"{message}: write a path, a URL, `n/a - reason` or `missing`", entry)


CHECK = Check(
    "infra-entry",
    "Each entry of `infra` is a path, a URL, `n/a - reason` or `missing`.",
    find,
    why="What it needs to run exists, is not needed for a reason, or is missing and known to be.",
    examples=(
        Example("feature_store: soon", "feature_store: missing", "infra"),
        Example("feature_store: n/a", "feature_store: n/a - retrieval only, no features", "infra"),
    ),
)
