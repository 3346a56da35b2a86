"""`check --base`: the goalposts that moved since this branch left another. Loaded only when asked for."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from service.cli.git import charter_at_merge_base
from service.rules.charter.goalposts import moved
from service.rules.charter.model import Charter
from service.rules.checks.judge import Judgement, judge
from service.rules.values.finding import Finding
from service.texts.goalposts import counted, move_findings


def charter_before(place: Path, base: str, today: date) -> Charter | None:
    """The charter where this branch left its base; raises GitError."""
    return judge(charter_at_merge_base(place, base), today=today).charter


def moves(before: Charter, judgement: Judgement) -> tuple[tuple[Finding, ...], str]:
    """The moves of a charter that can be judged as findings, and how many in words."""
    found = moved(before, judgement.charter) if judgement.charter and judgement.valid else ()
    return move_findings(found), counted(found)
