"""The environments: places where others can use it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.wording import shown

MACHINES = frozenset({"laptop", "notebook", "colab", "jupyter", "macbook"})
NOWHERE = re.compile(r"(?:none|n/?a|nil|nowhere)(?:[\s,;(].*)?|-+", re.IGNORECASE)
CORNERS = frozenset({"local", "localhost", "sandbox", "playground"})


def find(sheet: Sheet) -> Iterator[Complaint]:
    """An environment, target or measured in, that is somebody's machine or a sandbox."""
    for key in ("environment", "measured_in"):
        environment = sheet.text("target", key)
        if environment and is_private(environment.value):
            message = f"{shown(environment.value)} is not where it will run: name a GitHub environment"
            yield Complaint(f"{message}, like `support-prod`", environment)
        elif environment and NOWHERE.fullmatch(environment.value.strip()):
            message = f"{shown(environment.value)} is no environment"
            remedy = (
                "name one of GitHub's, like `support-prod`" if key == "environment" else "delete the line"
            )
            yield Complaint(f"{message}: {remedy}", environment)


def is_private(name: str) -> bool:
    """Whether the name says that nobody else can reach it; a `local-news-prod` is no such place."""
    words = re.split(r"[^a-z0-9]+", name.lower())
    return bool(MACHINES.intersection(words)) or words[-1] in CORNERS or words == ["my", "machine"]


CHECK = Check(
    "target-environment",
    "The target is not a laptop, notebook or sandbox.",
    find,
    why="What works on a laptop or in a sandbox has not been tried where its users are.",
    examples=(Example("environment: laptop", "environment: support-prod", "target"),),
)
