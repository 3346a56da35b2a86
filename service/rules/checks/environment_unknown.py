"""The environments are those of the repository; a notice, for they may be made later."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.wording import shown
from service.rules.finding import Severity

LONGEST_NAME = 255
"""GitHub's."""


def find(sheet: Sheet) -> Iterator[Complaint]:
    """An environment, target or measured in, that GitHub does not list."""
    if sheet.outside.environments is None:
        return
    listed = {name.lower(): name for name in sheet.outside.environments}  # GitHub minds no case
    told: set[str] = set()
    for key in ("environment", "measured_in"):
        environment = sheet.text("target", key)
        name = environment.value.lower() if environment else ""
        if environment is None or name in listed or name in told:
            continue
        told.add(name)
        message = f"{shown(environment.value)} is no environment of this repository"
        if near := get_close_matches(name[:LONGEST_NAME], sorted(listed), n=1, cutoff=0.75):
            meant = listed[near[0]]
            fix = sheet.line_with(environment, meant)
            yield Complaint(f"{message}: write {shown(meant)}, or create it", environment, fix)
        else:
            yield Complaint(f"{message}: create it in the settings, or name one that is", environment)


CHECK = Check(
    "environment-unknown",
    "The environments exist in the repository's settings.",
    find,
    Severity.NOTICE,
    why="A protection rule holds what is deployed to a GitHub environment; asked of GitHub, not offline.",
    examples=(Example("environment: support-porduction", "environment: support-prod", "target"),),
)
