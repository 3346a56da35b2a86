"""The check run `POC charter`: what its template shows beside the charter itself, and its annotations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from service.rules.charter.model import Charter
from service.rules.checks import CHECKS
from service.rules.checks.verdict import ChangeKind, Verdict
from service.rules.evidence.values import Result
from service.rules.source.block import lines_of
from service.rules.source.text import CHARTER_PATH, clip, in_words, read_text
from service.rules.stall.stalls import LONGEST_PAUSE, PresentPause
from service.rules.values.actions import Annotation, Conclusion
from service.rules.values.finding import Finding, Severity
from service.rules.values.groups import Group
from service.texts.goalposts import GoalpostsView, Person, goalposts_view, move_findings, signers
from service.texts.markdown import plural

UNJUDGED = "Couldn't be judged"
"""How the title begins where there is no verdict: one takes its place, and it takes the place of none."""
LONGEST_QUOTE = 120
"""Characters of a line in a table; what is wrong with a longer one is not in its end."""
EXPLAINED = frozenset(check.code for check in CHECKS)
"""The codes that have a section of their own in docs/charter.md."""
ALL_FINDINGS = "findings"
"""The section that names the others."""
LEVELS = {Severity.ERROR: "failure", Severity.WARNING: "warning", Severity.NOTICE: "notice"}


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding beside the line that it is about."""

    line: int
    severity: Severity
    says: str
    message: str
    proposal: tuple[str, str] | None
    code: str
    anchor: str
    """The section of its document that explains it."""


@dataclass(frozen=True, slots=True)
class Signing:
    """How far a charter is signed to start, and who is missing."""

    missing: tuple[str, ...]
    """Logins, in the order of their groups."""
    signed: int
    of: int
    outlook: str = ""
    """What past signatures say of the ship date; empty without a record."""


@dataclass(frozen=True, slots=True)
class CheckView:
    """What the summary of the check run `POC charter` is made of."""

    situation: ChangeKind
    poc_reason: str
    base_ref: str
    errors: tuple[FindingView, ...]
    remarks: tuple[FindingView, ...]
    charter: Charter | None
    results: Sequence[Result]
    """What was measured on that commit."""
    draft_url: str
    observe: bool
    goalposts: GoalpostsView | None = None
    pause: PresentPause | None = None
    """What counts of the charter's pause."""
    docs_url: str = ""
    """Where the documents are; without it no finding has a link."""
    observing: date | None = None
    """Since when nothing is held up here."""
    signing: Signing | None = None
    """On a pull request with a charter that is fine."""

    @property
    def pause_in_part(self) -> bool:
        """Whether the charter asks for a longer pause than counts."""
        asked = self.charter.paused.value.until if self.charter and self.charter.paused else None
        return bool(asked and self.pause and asked > self.pause.period.until)

    @property
    def failed(self) -> bool:
        """Whether the charter has errors."""
        return bool(self.errors)

    @property
    def missing(self) -> tuple[str, ...]:
        """The entries of `infra` that are `missing`."""
        return tuple(self.charter.infra.missing) if self.charter else ()

    @property
    def signers(self) -> tuple[Person, ...]:
        """The groups for which the charter names somebody, and whom."""
        named = signers(self.charter, Group) if self.charter else ()
        return tuple((group, person) for group, person in named if person)


def check_view(
    verdict: Verdict,
    *,
    poc_reason: str,
    base_ref: str,
    draft_url: str,
    observe: bool,
    results: Sequence[Result] = (),
    pause: PresentPause | None = None,
    docs_url: str = "",
    signing: Signing | None = None,
    observing: date | None = None,
) -> CheckView:
    """Lay a verdict out for its template, with what was measured on that commit, and what of a pause counts.

    No day of a long pause is said: in a pull request it would be another one each day.
    """
    judgement = verdict.judgement
    charter = judgement.charter if judgement else None
    text = read_text(verdict.case.judged) if verdict.case.judged else ""
    lines = lines_of(text) if isinstance(text, str) else ()
    errors, remarks = finding_views(judgement.findings if judgement else (), lines)
    return CheckView(
        situation=verdict.case.situation,
        poc_reason=poc_reason,
        base_ref=base_ref,
        errors=errors,
        remarks=remarks,
        charter=charter,
        results=results,
        draft_url=draft_url,
        observe=observe,
        goalposts=goalposts_view(verdict.moves, charter, results, before=verdict.compared),
        pause=pause,
        docs_url=docs_url,
        signing=signing,
        observing=observing,
    )


def annotate(verdict: Verdict) -> tuple[Annotation, ...]:
    """A finding's annotation on its line; none for a charter that this commit does not hold."""
    if verdict.judgement is None or verdict.case.situation is ChangeKind.BEHIND:
        return ()
    warned = move_findings([move for move in verdict.moves if move.eases])
    return tuple(annotation(finding, CHARTER_PATH) for finding in (*verdict.judgement.findings, *warned))


def finding_views(
    findings: Sequence[Finding], lines: Sequence[str]
) -> tuple[tuple[FindingView, ...], tuple[FindingView, ...]]:
    """The errors and the other findings, each beside its line."""
    views = [
        FindingView(
            each.line,
            each.severity,
            clip(lines[each.line - 1], LONGEST_QUOTE) if each.line <= len(lines) else "",
            each.message,
            each.proposal,
            each.code,
            each.code if each.code in EXPLAINED else ALL_FINDINGS,
        )
        for each in findings
    ]
    errors = tuple(view for view in views if view.severity is Severity.ERROR)
    return errors, tuple(view for view in views if view.severity is not Severity.ERROR)


def annotation(finding: Finding, path: str) -> Annotation:
    """A finding as GitHub shows it beside the lines of a file."""
    return Annotation(
        path=path,
        start_line=finding.line,
        end_line=finding.end_line or finding.line,
        level=LEVELS[finding.severity],
        message=finding.told("\n\n"),
        title=finding.code,
        start_column=finding.column,
    )


def check_title(view: CheckView, conclusion: Conclusion) -> str:
    """The verdict in a few words."""
    match view.situation:
        case ChangeKind.NO_CHARTER:
            title = "No charter yet"
        case ChangeKind.DELETED:
            title = "This change removes the charter"
        case _ if view.failed and view.charter is None:
            title = "The charter can't be read"
        case _ if view.failed:
            lines = plural(len({finding.line for finding in view.errors}), "line")
            verb = "needs" if lines.startswith("1 ") else "need"
            title = f"{lines} of the charter {verb} a change"
        case _ if view.charter and view.charter.stopped:
            title = "Stopped on purpose"
        case ChangeKind.BEHIND:
            title = f"Charter complete on {view.base_ref}"
        case _:
            title = "Charter complete"
    if view.charter and view.charter.paused and not (view.failed or view.charter.stopped):
        part = f", of which {LONGEST_PAUSE.days} calendar days count" if view.pause_in_part else ""
        title = f"{title}; paused until {in_words(view.charter.paused.value.until)}{part}"
    title = f"{title}; {view.goalposts.counted}" if view.goalposts else title
    observed = view.observe or view.failed
    return f"{title} (observing)" if observed and conclusion is Conclusion.NEUTRAL else title


def said_and_asked(cause: str) -> tuple[str, str]:
    """What GitHub said, and what it was asked for, if it was."""
    asked, _, said = cause.rstrip(".").partition(": ")
    return (said, asked) if said else (asked, "")


def again(at: datetime) -> str:
    """How the summary goes on; no part of the verdict, because it moves with each attempt."""
    return (
        f". We try again at {at:%H:%M} UTC on {in_words(at.date())}, and every hour after that. "
        "The check's **Re-run** button tries at once.\n"
    )
