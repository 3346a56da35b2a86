"""The target is one of the environments that the organisation's policy allows."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.wording import shown

MOST_LISTED = 2
SHOWN = 20
LONGEST_NAME = 255
NEAR_ENOUGH = 0.6


def find(sheet: Sheet) -> Iterator[Complaint]:
    """A target that the policy does not list; without a list each is right."""
    allowed = sorted(sheet.policy.environments)
    environment = sheet.text("target", "environment")
    name = environment.value.lower() if environment else ""
    if environment is None or not allowed or name in allowed:
        return
    near = get_close_matches(name[:LONGEST_NAME], allowed, n=1, cutoff=NEAR_ENOUGH)
    meant = near[0] if near else allowed[0] if len(allowed) == 1 else None
    message = f"{shown(environment.value, SHOWN)} is not allowed by the policy: write {choice(allowed)}"
    yield Complaint(message, environment, sheet.line_with(environment, meant) if meant else None)


def choice(allowed: list[str]) -> str:
    """The first names of the list."""
    names = [shown(name, SHOWN) for name in allowed[:MOST_LISTED]]
    more = len(allowed) - len(names)
    return f"{', '.join(names)} or {more} more" if more else " or ".join(names)


CHECK = Check(
    "environment-not-allowed",
    "The target is an environment that the organisation's policy lists.",
    find,
    why="A platform team runs what is deployed where it expects it; asked of the policy, not offline.",
    examples=(Example("environment: somewhere-else", "environment: support-prod", "target"),),
)
