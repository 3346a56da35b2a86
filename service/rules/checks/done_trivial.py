"""Bounds that could fail."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.fit import is_guessed, is_trivial, unhundredth
from service.rules.charter.quantity import plain
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.wording import clip
from service.rules.finding import Severity

LONGEST_SHOWN = 12


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Bounds that every value passes, or that guessing reaches."""
    for item, threshold in sheet.thresholds("done"):
        name = threshold.metric[:32]
        if is_trivial(threshold):
            yield Complaint(f"Every `{name}` passes this: write the bound that would stop you", item)
        elif meant := unhundredth(threshold):
            small, large = plain(threshold.value), plain(meant.value)
            asked = (
                f"did you mean `{large} %`? Write that"
                if len(small) <= LONGEST_SHOWN
                else "write 100 times it"
            )
            message = f"{clip(small, LONGEST_SHOWN)} % is one in a hundred at most: {asked}"
            yield Complaint(message, item, sheet.line_with(item, meant.printed))
        elif is_guessed(threshold):
            message = f"Guessing between two classes gives `{name}` 50 %: write more if there are two"
            yield Complaint(message, item, severity=Severity.NOTICE)


CHECK = Check(
    "done-trivial",
    "A bound can fail.",
    find,
    Severity.WARNING,
    why="A line that is true before anything is built decides nothing.",
    examples=(
        Example("- error_rate < 100 % over 7 d", "- error_rate < 0.5 % over 7 d", "done"),
        Example(
            "- accuracy >= 0.92 % on holdout with n >= 2000",
            "- accuracy >= 92 % on holdout with n >= 2000",
            "done",
        ),
    ),
)
