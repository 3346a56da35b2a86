"""Paths lead to something: in `infra` an error for whoever writes one, a notice for others (design 5.5)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from service.rules.charter.layout import INFRA
from service.rules.charter.model import Charter, InfraEntry, Located
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.wording import shown
from service.rules.finding import Severity
from service.rules.outside import evidence_path, infra_path


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Paths of `infra` and files of `evidence` that are not in the repository."""
    missing = sheet.outside.missing_paths
    if not missing:
        return
    for field in INFRA:
        entry = sheet.text("infra", field.name)
        path = infra_path(_entry(field.name, sheet.charter))
        if entry and path in missing:
            written = sheet.writes(partial(_entry, field.name))
            message = f"{shown(entry.value)} is not in the repository: mend the path, or write `missing`"
            severity = Severity.ERROR if written else Severity.NOTICE
            yield Complaint(message, entry, sheet.line_with(entry, "missing"), severity)
    told: set[str] = set()
    for evidence in sheet.charter.evidence:
        path = evidence_path(evidence.source.value)
        if path is not None and path in missing and path not in told:
            told.add(path)
            # Never an error: a charter is written before there are numbers, and a workflow may bring them.
            message = f"{shown(path)} is not in the repository: mend the path, unless a workflow writes it"
            yield Complaint(message, evidence.source, severity=Severity.NOTICE)


def _entry(name: str, charter: Charter) -> Located[InfraEntry] | None:
    entry: Located[InfraEntry] | None = getattr(charter.infra, name)
    return entry


CHECK = Check(
    "path-missing",
    "Each path that a charter names is in the repository.",
    find,
    why="A pipeline that is only a name is not there; asked of GitHub, or of the repository around `POC.md`.",
    examples=(Example("eval_pipeline: .github/workflows/evil.yml", "eval_pipeline: missing", "infra"),),
)
