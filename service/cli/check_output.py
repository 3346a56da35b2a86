"""A checked charter, told to a person (text), a program (json) or a workflow's log (github)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from service.rules.charter.model import Charter
from service.rules.charter.threshold import Threshold
from service.rules.charter.values import InfraKind
from service.rules.checks.judge import Judgement
from service.rules.checks.surroundings import NOT_KNOWN, RepositoryFacts
from service.rules.source.block import lines_of
from service.rules.source.loader import in_order
from service.rules.source.text import CharterFile, read_text
from service.rules.values.finding import Finding, Severity


class Format(StrEnum):
    """How the result is printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


@dataclass(frozen=True, slots=True)
class Checked:
    """A path, what stood there, and the verdict on it."""

    path: str
    file: CharterFile
    judgement: Judgement
    outside: RepositoryFacts = NOT_KNOWN
    """What was known of the world that the charter names."""
    moves: tuple[Finding, ...] = ()
    """The goalposts that moved since the base, where one was named."""
    moved: str = ""
    """How many, in words."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with it, and what moved, in the order of the file."""
        return in_order((*self.judgement.findings, *self.moves))

    @property
    def eased(self) -> bool:
        """Whether any goalpost got easier: those are warnings."""
        return any(each.severity is Severity.WARNING for each in self.moves)

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of the file, none where it holds no text."""
        text = read_text(self.file)
        return lines_of(text) if isinstance(text, str) else ()


def as_text(checked: Sequence[Checked]) -> str:
    """For a person: each finding with its line and a caret, then what was read, then the verdict."""
    lines: list[str] = []
    for each in checked:
        written = each.lines
        for finding in each.findings:
            lines += located(each.path, written, finding)
        if each.judgement.valid and each.judgement.charter:
            lines += summary(each.judgement.charter, each.outside)
        lines.append(f"{each.path}: {verdict(each)}")
    return "".join(f"{printable(line)}\n" for line in lines)


def located(path: str, written: Sequence[str], finding: Finding) -> Iterator[str]:
    """One finding, with the line that it is about, and the line to write."""
    yield f"{path}:{finding.line}:{finding.column}: {finding.severity}: {finding.message} [{finding.code}]"
    margin = " " * max(5, len(str(finding.line)))
    if finding.line <= len(written) and written[finding.line - 1].strip():
        yield f"{finding.line:>5} | {written[finding.line - 1]}"
        yield f"{margin} | {' ' * (finding.column - 1)}^"
    if finding.proposal:
        label = "fix" if finding.fix is not None else "e.g."
        yield f"{label if finding.insert_after is None else 'add':>{len(margin)}} | {finding.proposal[1]}"


def summary(charter: Charter, outside: RepositoryFacts = NOT_KNOWN) -> Iterator[str]:
    """What a complete charter says."""
    target = charter.target
    load = " with ".join(each.value.text for each in (target.load, target.data) if each)
    signers = ", ".join(signer.value for signer in charter.signoffs.all)
    rows = {
        "title": charter.title,
        "owner": charter.owner and charter.owner.value,
        "ship by": charter.ship_by and charter.ship_by.value.isoformat(),
        "target": target.environment and f"{target.environment.value}, {load}",
        "measured in": target.measured_in and target.measured_in.value,
        "rollback": charter.rollback.within and f"within {charter.rollback.within.value.text}",
        "signed by": signers,
        "paused until": charter.paused and charter.paused.value.until.isoformat(),
        "stopped": charter.stopped and f"{charter.stopped.value.on}: {charter.stopped.value.reason}",
    }
    yield from (f"  {name:<13}{value}" for name, value in rows.items() if value)
    for row, threshold in enumerate(charter.done):
        yield f"  {'' if row else 'done when':<13}{threshold.printed}"
    unchecked = not_checked(charter, outside)
    if unchecked:
        yield f"  {'not checked':<13}{'; '.join(unchecked)}"


def not_checked(charter: Charter, outside: RepositoryFacts = NOT_KNOWN) -> tuple[str, ...]:
    """The facts that GitHub knows, and nobody here."""
    if charter.stopped:
        return ()
    target, infra = charter.target, charter.infra
    environments = [each.value for each in (target.environment, target.measured_in) if each]
    looked = outside.missing_paths is not None
    paths = (
        []
        if looked
        else [each.value.text for _, each in infra.entries if each and each.value.kind is InfraKind.PATH]
    )
    facts = (
        charter.owner and f"write access of {charter.owner.value}",
        environments and f"environment{'s' * (len(environments) > 1)} {', '.join(environments)}",
        paths and f"path{'s' * (len(paths) > 1)} {', '.join(paths)}",
    )
    known = tuple(fact for fact in facts if fact)
    return (*known[:-1], f"{known[-1]} (GitHub knows)") if known else ()


def verdict(each: Checked) -> str:
    """The verdict in a line."""
    judgement = each.judgement
    counts = Counter(finding.severity for finding in judgement.findings)
    counted = ", ".join(
        f"{counts[severity]} {severity}{'s' * (counts[severity] > 1)}"
        for severity in Severity
        if counts[severity]
    )
    if judgement.valid:
        state = "stopped" if judgement.charter and judgement.charter.stopped else "charter complete"
        return "; ".join(part for part in (state, each.moved, counted) if part)
    if not judgement.declared:
        return "not readable" if judgement.unreadable else "no charter"
    return f"charter not complete; {counted}"


def printable(line: str) -> str:
    """The line without what a terminal would obey."""
    return "".join(char if char.isprintable() else " " for char in line)


def as_json(checked: Sequence[Checked]) -> str:
    """For a program: one object for one file, a list for several."""
    import json

    objects = [as_object(each) for each in checked]
    return f"{json.dumps(objects[0] if len(objects) == 1 else objects, ensure_ascii=False, indent=2)}\n"


def as_object(each: Checked) -> dict[str, object]:
    """One file: its findings, what was read of it, and the verdict."""
    judgement = each.judgement
    fields = ("code", "severity", "message", "line", "end_line", "column", "fix", "example", "insert_after")
    return {
        "path": each.path,
        "charter": judgement.declared,
        "valid": judgement.valid,
        "findings": [{name: getattr(finding, name) for name in fields} for finding in each.findings],
        "stopped": stop(judgement.charter),
        "thresholds": [
            bound(threshold) for threshold in (judgement.charter.done if judgement.charter else ())
        ],
    }


def stop(charter: Charter | None) -> dict[str, object] | None:
    """When, why and by which class of reasons it ended, if it did."""
    if charter is None or charter.stopped is None:
        return None
    ended = charter.stopped.value
    return {"on": ended.on.isoformat(), "cause": ended.cause, "reason": ended.reason}


def bound(threshold: Threshold) -> dict[str, object]:
    """One threshold as an object."""
    return {
        "line": threshold.line,
        "metric": threshold.metric,
        "op": threshold.op,
        "value": number(threshold.value),
        "unit": threshold.unit.text,
        "canonical_value": number(threshold.canonical_value),
        "canonical_unit": threshold.canonical_unit,
        "clauses": dict(threshold.clauses),
    }


def number(value: Decimal) -> int | float:
    """The number as JSON has it."""
    return int(value) if value == value.to_integral_value() else float(value)


def as_github(checked: Sequence[Checked]) -> str:
    """For a workflow's log: one command a finding, which GitHub shows on the line."""
    lines: list[str] = []
    for each in checked:
        lines += [command(each.path, finding) for finding in each.findings]
        lines.append(f"poc-governor: {printable(each.path)}: {verdict(each)}")
    return "".join(f"{line}\n" for line in lines)


def command(path: str, finding: Finding) -> str:
    """A finding as a workflow command."""
    properties = {"file": path, "line": finding.line, "col": finding.column, "title": finding.code}
    written = ",".join(f"{name}={escaped(str(value), ':,')}" for name, value in properties.items())
    told = finding.told("\n")
    return f"::{finding.severity} {written}::{escaped(told)}"


def escaped(text: str, more: str = "") -> str:
    """Text as the runner reads it back: `%` first, then line ends, in properties `:` and `,`."""
    for char in f"%\r\n{more}":
        text = text.replace(char, f"%{ord(char):02X}")
    return text


PRINTERS: dict[Format, Callable[[Sequence[Checked]], str]] = {
    Format.TEXT: as_text,
    Format.JSON: as_json,
    Format.GITHUB: as_github,
}
