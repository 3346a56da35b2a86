"""A verdict as the values that a template shows, and as annotations; the words are the templates'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from service.rules.charter.model import Charter, Located
from service.rules.checks.verdict import ChangeKind, Verdict
from service.rules.evidence.values import Result
from service.rules.source.block import lines_of
from service.rules.source.text import CHARTER_PATH, clip, read_text
from service.rules.values.actions import Annotation
from service.rules.values.finding import Finding, Severity
from service.texts.goalposts import GoalpostsView, goalposts_view, measured_for, move_findings

LONGEST_QUOTE = 120
"""Characters of a line in a table; what is wrong with a longer one is not in its end."""
LEVELS = {Severity.ERROR: "failure", Severity.WARNING: "warning", Severity.NOTICE: "notice"}


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding beside the line that it is about."""

    line: int
    severity: str
    says: str
    message: str
    fix: str | None


@dataclass(frozen=True, slots=True)
class DoneView:
    """One line of `done`, and what was measured for it so far."""

    line: str
    measured: str


@dataclass(frozen=True, slots=True)
class CharterView:
    """A charter as a reader wants it: who, when, where, and when it is done."""

    owner: str | None
    ship_by: date | None
    environment: str | None
    measured_in: str | None
    load: str | None
    data: str | None
    auth: str | None
    done: tuple[DoneView, ...]
    rollback: str | None
    within: str | None
    missing: tuple[str, ...]
    signoffs: tuple[tuple[str, str], ...]
    paused_until: date | None
    paused_because: str | None
    stopped_on: date | None
    stopped_because: str | None


@dataclass(frozen=True, slots=True)
class CheckView:
    """What the summary of the check run `POC charter` is made of."""

    situation: ChangeKind
    poc_reason: str
    base_ref: str
    errors: tuple[FindingView, ...]
    remarks: tuple[FindingView, ...]
    charter: CharterView | None
    draft_url: str
    observe: bool
    goalposts: GoalpostsView | None = None

    @property
    def failed(self) -> bool:
        """Whether the charter has errors."""
        return bool(self.errors)


def check_view(
    verdict: Verdict,
    *,
    poc_reason: str,
    base_ref: str,
    draft_url: str,
    observe: bool,
    results: Sequence[Result] = (),
) -> CheckView:
    """Lay a verdict out for its template, with what was measured on that commit."""
    judgement = verdict.judgement
    lines = _lines(verdict)
    findings = judgement.findings if judgement else ()
    views = [_finding(finding, lines) for finding in findings]
    return CheckView(
        situation=verdict.case.situation,
        poc_reason=poc_reason,
        base_ref=base_ref,
        errors=tuple(view for view in views if view.severity == Severity.ERROR),
        remarks=tuple(view for view in views if view.severity != Severity.ERROR),
        charter=_charter(judgement.charter, results) if judgement and judgement.charter else None,
        draft_url=draft_url,
        observe=observe,
        goalposts=goalposts_view(verdict.moves, judgement.charter if judgement else None, results),
    )


def annotate(verdict: Verdict) -> tuple[Annotation, ...]:
    """A finding's annotation on its line; none for a charter that this commit does not hold."""
    if verdict.judgement is None or verdict.case.situation is ChangeKind.BEHIND:
        return ()
    warned = move_findings([move for move in verdict.moves if move.eases])
    return tuple(_annotation(finding) for finding in (*verdict.judgement.findings, *warned))


def _annotation(finding: Finding) -> Annotation:
    message = finding.message if finding.fix is None else f"{finding.message}\n\n{finding.fix}"
    return Annotation(
        path=CHARTER_PATH,
        start_line=finding.line,
        end_line=finding.end_line or finding.line,
        level=LEVELS[finding.severity],
        message=message,
        title=finding.code,
        start_column=finding.column,
    )


def _lines(verdict: Verdict) -> tuple[str, ...]:
    """The lines as the findings count them; none where the file holds no text."""
    text = read_text(verdict.case.judged) if verdict.case.judged else ""
    return lines_of(text) if isinstance(text, str) else ()


def _finding(finding: Finding, lines: tuple[str, ...]) -> FindingView:
    says = clip(lines[finding.line - 1], LONGEST_QUOTE) if finding.line <= len(lines) else ""
    return FindingView(finding.line, finding.severity, says, finding.message, finding.fix)


def _text(located: Located[object] | None) -> str | None:
    return None if located is None else str(located.value)


def _charter(charter: Charter, results: Sequence[Result]) -> CharterView:
    target, rollback, infra = charter.target, charter.rollback, charter.infra
    entries = {
        "feature_store": infra.feature_store,
        "model_registry": infra.model_registry,
        "eval_pipeline": infra.eval_pipeline,
        "deploy_process": infra.deploy_process,
    }
    signers = {
        "data science": charter.signoffs.data_science,
        "platform": charter.signoffs.platform,
        "product": charter.signoffs.product,
        "security": charter.signoffs.security,
    }
    return CharterView(
        owner=_text(charter.owner),
        ship_by=charter.ship_by.value if charter.ship_by else None,
        environment=_text(target.environment),
        measured_in=_text(target.measured_in),
        load=target.load.value.text if target.load else None,
        data=target.data.value.text if target.data else None,
        auth=_text(target.auth),
        done=tuple(DoneView(line.printed, measured_for(line, results)) for line in charter.done),
        rollback=_text(rollback.how),
        within=rollback.within.value.text if rollback.within else None,
        missing=tuple(name for name, entry in entries.items() if entry and entry.value.kind == "missing"),
        signoffs=tuple((group, signer.value) for group, signer in signers.items() if signer),
        paused_until=charter.paused.value.until if charter.paused else None,
        paused_because=charter.paused.value.reason if charter.paused else None,
        stopped_on=charter.stopped.value.on if charter.stopped else None,
        stopped_because=charter.stopped.value.reason if charter.stopped else None,
    )
