"""`poc-governor check`: charters from paths or standard input, judged, told to a person or a machine."""

from __future__ import annotations

import stat
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TextIO

from service.cli.check_output import PRINTERS, Checked, Format
from service.rules.charter.model import Charter
from service.rules.checks.judge import judge
from service.rules.checks.surroundings import NOT_KNOWN, RepositoryFacts, questions_of
from service.rules.policy.model import OFFLINE
from service.rules.source.text import CHARTER_PATH, MAX_FILE_BYTES, CharterFile, FileKind

STANDARD_INPUT = "-"


class ExitCode:
    """What the process says by its exit code."""

    FINE = 0
    FINDINGS = 1
    NO_INPUT = 2


def check(
    paths: Sequence[str],
    *,
    format: Format | str = Format.TEXT,  # noqa: A002 - it is what the option is called
    today: date,
    out: TextIO,
    err: TextIO | None = None,
    base: str | None = None,
    strict: bool = False,
) -> int:
    """Judge each path, print the result, and return the exit code; `strict` refuses goalposts that eased."""
    checked: list[Checked] = []
    code = ExitCode.FINE
    for path in paths or (CHARTER_PATH,):
        try:
            checked.append(check_one(path, base, today))
        except OSError as error:
            reason = error.strerror or str(error) or type(error).__name__
            if isinstance(error, FileNotFoundError):
                reason = f"{reason}; `poc-governor init` writes a charter"
            print(f"poc-governor check: {path!r}: {reason}", file=err or sys.stderr)
            code = ExitCode.NO_INPUT
    if checked:
        out.write(PRINTERS[Format(format)](checked))
    eased = [each.path for each in checked if strict and each.eased]
    for path in eased:
        print(
            f"poc-governor check: {path!r}: goalposts got easier, which --strict refuses",
            file=err or sys.stderr,
        )
    failed = eased or any(not each.judgement.valid for each in checked)
    return code or (ExitCode.FINDINGS if failed else ExitCode.FINE)


def check_one(path: str, base: str | None, today: date) -> Checked:
    """Judge what stands at a path, compared with what stood there where the branch left its base."""
    if path != CHARTER_PATH and Path(path).name != CHARTER_PATH and "\0" not in path and Path(path).is_dir():
        path = str(Path(path) / CHARTER_PATH)
    file = read(path)
    place = Path(CHARTER_PATH if path == STANDARD_INPUT else path)
    before = None
    if base is not None:
        from service.cli.check_base import charter_before

        before = charter_before(place, base, today)
    judgement = judge(file, before=before, today=today, policy=OFFLINE)
    # What is piped in may be the charter of another repository.
    outside = NOT_KNOWN if path == STANDARD_INPUT else look_around(place.parent, judgement.charter)
    if outside.missing_paths:
        judgement = judge(file, before=before, today=today, outside=outside, policy=OFFLINE)
    if before is None:
        return Checked(path, file, judgement, outside)
    from service.cli.check_base import moves

    return Checked(path, file, judgement, outside, *moves(before, judgement))


def look_around(folder: Path, charter: Charter | None) -> RepositoryFacts:
    """What can be known of the charter's world without GitHub: its paths, at the root of a repository."""
    paths = questions_of(charter).paths
    # A folder of its own in a work tree is an example, or a draft: its paths are nobody's promise yet.
    if not paths or not (folder / ".git").exists():
        return NOT_KNOWN
    absent = frozenset(path for path in paths if not (folder / path).exists())
    if absent:
        from service.cli.git import untracked

        absent = untracked(folder, absent)
    return RepositoryFacts(missing_paths=absent)


def read(path: str) -> CharterFile:
    """What stands at a path; raises OSError where nothing does, or the system refuses it."""
    if path == STANDARD_INPUT:
        return limited(sys.stdin.buffer.read(MAX_FILE_BYTES + 1))
    if not path:
        raise OSError(0, "no path")
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
