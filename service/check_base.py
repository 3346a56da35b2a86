"""`check --base`: which goalposts moved since this branch left another."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from service.git import charter_at_merge_base
from service.rules.charter.file import CharterFile
from service.rules.charter.goalposts import moved
from service.rules.finding import Finding
from service.rules.judge import Judgement, judge
from service.rules.report_goalposts import counted, move_findings


def compared(
    file: CharterFile, place: Path, base: str, today: date
) -> tuple[Judgement, tuple[Finding, ...], str]:
    """The verdict as of the base, the moves as findings, and how many in words; raises GitError."""
    before = judge(charter_at_merge_base(place, base), today=today).charter
    judgement = judge(file, before=before, today=today)
    moves = moved(before, judgement.charter) if before and judgement.charter and judgement.valid else ()
    return judgement, move_findings(moves), counted(moves)
