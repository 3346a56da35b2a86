"""`poc-governor check`: charters from paths or standard input, judged, told to a person or a machine."""

from __future__ import annotations

import json
import stat
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from service.rules.charter.block import lines_of
from service.rules.charter.file import CHARTER_PATH, MAX_FILE_BYTES, CharterFile, FileKind
from service.rules.charter.model import Charter
from service.rules.charter.text import read_text
from service.rules.charter.threshold import Threshold
from service.rules.finding import Finding, Severity
from service.rules.judge import Judgement, judge
from service.rules.outside import Outside, asked

STANDARD_INPUT = "-"


class Format(StrEnum):
    """How the result is printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


class ExitCode:
    """What the process says by its exit code."""

    FINE = 0
    FINDINGS = 1
    NO_INPUT = 2


@dataclass(frozen=True, slots=True)
class Checked:
    """A path, what stood there, and the verdict on it."""

    path: str
    file: CharterFile
    judgement: Judgement
    unchecked: tuple[str, ...] = ()
    """The facts about the world outside that nobody looked at."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of the file, none where it holds no text."""
        text = read_text(self.file)
        return lines_of(text) if isinstance(text, str) else ()


def check(
    paths: Sequence[str],
    *,
    format: Format | str = Format.TEXT,  # noqa: A002 - it is what the option is called
    today: date,
    out: TextIO,
    err: TextIO | None = None,
) -> int:
    """Judge each path, print the result, and return the exit code of design section 4."""
    checked: list[Checked] = []
    code = ExitCode.FINE
    for path in paths or (CHARTER_PATH,):
        try:
            file = read(path)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            print(f"poc-governor check: {path!r}: {reason}", file=err or sys.stderr)
            code = ExitCode.NO_INPUT
            continue
        checked.append(judged(path, file, today))
    if checked:
        out.write(PRINTERS[Format(format)](checked))
    failed = any(not each.judgement.valid for each in checked)
    return code or (ExitCode.FINDINGS if failed else ExitCode.FINE)


def judged(path: str, file: CharterFile, today: date) -> Checked:
    """The verdict on a file; its paths are looked up where it lies at the root of a working tree."""
    judgement = judge(file, before=None, today=today)
    questions, root = asked(judgement.charter), Path(path).parent
    looks = bool(questions.paths) and path != STANDARD_INPUT and (root / ".git").exists()
    if looks:
        missing = frozenset(name for name in questions.paths if is_missing(root / name))
        judgement = judge(file, before=None, today=today, outside=Outside(missing_paths=missing))
    facts = {
        "owner's access": questions.owner is not None,
        "environments": questions.environments,
        "paths": bool(questions.paths) and not looks,
    }
    return Checked(path, file, judgement, tuple(fact for fact, is_open in facts.items() if is_open))


def is_missing(place: Path) -> bool:
    """Whether the system says that nothing stands there."""
    try:
        place.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def read(path: str) -> CharterFile:
    """What stands at a path; raises OSError where nothing does, or the system refuses it."""
    if path == STANDARD_INPUT:
        return limited(sys.stdin.buffer.read(MAX_FILE_BYTES + 1))
    place = Path(path)
    try:
        mode = place.stat().st_mode
    except OSError:
        if place.is_symlink():
            return CharterFile(FileKind.SYMLINK)
        raise
    except ValueError as error:  # a NUL in the path
        raise OSError(0, str(error)) from error
    if stat.S_ISDIR(mode):
        return CharterFile(FileKind.DIRECTORY)
    if not stat.S_ISREG(mode) and not stat.S_ISFIFO(mode):
        raise OSError(0, "not a file")
    with place.open("rb") as opened:
        return limited(opened.read(MAX_FILE_BYTES + 1))


def limited(data: bytes) -> CharterFile:
    """The bytes as a charter's file, unless there are too many."""
    if len(data) > MAX_FILE_BYTES:
        return CharterFile(FileKind.TOO_LARGE)
    return CharterFile(FileKind.FILE, data, size=len(data))


def as_text(checked: Sequence[Checked]) -> str:
    """For a person: each finding with its line and a caret, then what was read, then the verdict."""
    lines: list[str] = []
    for each in checked:
        for finding in each.judgement.findings:
            lines += located(each, finding)
        if each.judgement.valid and each.judgement.charter:
            lines += summary(each.judgement.charter)
        lines.append(f"{each.path}: {verdict(each.judgement)}")
    if unchecked := dict.fromkeys(fact for each in checked for fact in each.unchecked):
        lines.append(f"not checked offline: {', '.join(unchecked)}")
    return "".join(f"{printable(line)}\n" for line in lines)


def located(each: Checked, finding: Finding) -> Iterator[str]:
    """One finding, with the line that it is about, and the line to write."""
    place = f"{each.path}:{finding.line}:{finding.column}"
    yield f"{place}: {finding.severity}: {finding.message} [{finding.code}]"
    margin = " " * max(5, len(str(finding.line)))
    if finding.line <= len(each.lines) and each.lines[finding.line - 1].strip():
        yield f"{finding.line:>5} | {each.lines[finding.line - 1]}"
        yield f"{margin} | {' ' * (finding.column - 1)}^"
    if finding.fix is not None:
        yield f"{'fix':>{len(margin)}} | {finding.fix}"


def summary(charter: Charter) -> Iterator[str]:
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


def verdict(judgement: Judgement) -> str:
    """The verdict in a line."""
    counts = Counter(finding.severity for finding in judgement.findings)
    counted = ", ".join(
        f"{counts[severity]} {severity}{'s' * (counts[severity] > 1)}"
        for severity in Severity
        if counts[severity]
    )
    if judgement.valid:
        state = "stopped" if judgement.charter and judgement.charter.stopped else "charter complete"
        return f"{state}; {counted}" if counted else state
    if not judgement.declared:
        return "not readable" if judgement.unreadable else "no charter"
    return f"charter not complete; {counted}"


def printable(line: str) -> str:
    """The line without what a terminal would obey."""
    return "".join(char if char.isprintable() else " " for char in line)


def as_json(checked: Sequence[Checked]) -> str:
    """For a program: one object for one file, a list for several."""
    objects = [as_object(each) for each in checked]
    return f"{json.dumps(objects[0] if len(objects) == 1 else objects, ensure_ascii=False, indent=2)}\n"


def as_object(each: Checked) -> dict[str, object]:
    """One file as design section 4 has it."""
    judgement = each.judgement
    fields = ("code", "severity", "message", "line", "end_line", "column", "fix")
    return {
        "path": each.path,
        "charter": judgement.declared,
        "valid": judgement.valid,
        "findings": [{name: getattr(finding, name) for name in fields} for finding in judgement.findings],
        "thresholds": [
            bound(threshold) for threshold in (judgement.charter.done if judgement.charter else ())
        ],
    }


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
        lines += [command(each.path, finding) for finding in each.judgement.findings]
        lines.append(f"poc-governor: {printable(each.path)}: {verdict(each.judgement)}")
    return "".join(f"{line}\n" for line in lines)


def command(path: str, finding: Finding) -> str:
    """A finding as a workflow command."""
    properties = {"file": path, "line": finding.line, "col": finding.column, "title": finding.code}
    written = ",".join(f"{name}={escaped(str(value), ':,')}" for name, value in properties.items())
    message = finding.message if finding.fix is None else f"{finding.message}\n{finding.fix}"
    return f"::{finding.severity} {written}::{escaped(message)}"


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
