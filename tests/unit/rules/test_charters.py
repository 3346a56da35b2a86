"""Every charter in tests/charters: ok/ is silent, err/ says what stands in the .out file beside it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bench.charter import hostile
from service.rules.charter.lexicon import VAGUE
from service.rules.charter.lines import read_threshold
from service.rules.charter.quantity import Refusal
from service.rules.charter.threshold import Threshold, parse_threshold
from service.rules.checks import CHECKS
from service.rules.checks.judge import Judgement, declares, judge
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.finding import Finding
from tests.harness.golden import assert_golden
from tests.harness.places import CHARTERS

TODAY = date(2026, 11, 22)
OK = sorted((CHARTERS / "ok").glob("*.md"))
ERR = sorted((CHARTERS / "err").glob("*.md"))
LONGEST_MESSAGE = 120
OUTSIDE = {
    "owner-access",
    "environment-unknown",
    "path-missing",
    "environment-not-allowed",
    "signoffs-account",
    "signoffs-not-member",
    "signoffs-further",
}
"""No text alone shows these: test_outside_facts.py and test_policy_checks.py do."""


def judged(path: Path) -> Judgement:
    return judge(CharterFile(FileKind.FILE, path.read_bytes()), before=None, today=TODAY)


def diagnostic(finding: Finding) -> str:
    return f"{finding.line}:{finding.column}: {finding.severity}: {finding.message} [{finding.code}]\n"


@pytest.mark.parametrize("path", OK, ids=lambda path: path.stem)
def test_a_good_charter_is_silent(path: Path) -> None:
    judgement = judged(path)
    assert [diagnostic(finding) for finding in judgement.findings] == []
    assert judgement.valid


@pytest.mark.parametrize("path", ERR, ids=lambda path: path.stem)
def test_a_bad_charter_says_what_its_out_file_says(path: Path) -> None:
    assert_golden(path.with_suffix(".out"), "".join(map(diagnostic, judged(path).findings)))


@pytest.mark.parametrize("path", ERR, ids=lambda path: path.stem)
def test_a_message_is_short_and_stands_on_a_line_of_the_file(path: Path) -> None:
    lines = path.read_bytes().count(b"\n") + 1
    for finding in judged(path).findings:
        assert len(finding.message) <= LONGEST_MESSAGE
        assert finding.line <= lines


def test_the_corpus_is_complete() -> None:
    assert len(ERR) >= 200
    assert {path.stem for path in (CHARTERS / "err").glob("*.out")} == {path.stem for path in ERR}


def test_every_check_is_met_in_the_corpus() -> None:
    met = {finding.code for path in ERR for finding in judged(path).findings}
    codes = [check.code for check in CHECKS]
    assert set(codes) - OUTSIDE <= met
    assert not OUTSIDE & met
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("path", ERR, ids=lambda path: path.stem)
def test_writing_the_proposed_line_settles_the_finding(path: Path) -> None:
    for finding in judged(path).findings:
        if finding.fix is None:
            continue
        lines = path.read_text(encoding="utf-8").split("\n")
        added = finding.insert_after is not None
        replaced = lines[finding.line - 1 : finding.line] if added else []
        lines[finding.line - 1 : finding.line] = [*replaced, finding.fix]
        again = judge(CharterFile(FileKind.FILE, "\n".join(lines).encode()), before=None, today=TODAY)
        place = finding.line + added
        assert (finding.code, finding.message) not in {(each.code, each.message) for each in again.findings}
        assert not [each for each in again.errors if each.line == place and each.code == finding.code]


@pytest.mark.parametrize(
    ("name", "data"), tuple(hostile()), ids=lambda each: each if isinstance(each, str) else ""
)
def test_what_is_told_is_bounded(name: str, data: bytes) -> None:
    findings = judge(CharterFile(FileKind.FILE, data), before=None, today=TODAY).findings
    assert 1 <= len(findings) <= 150, name


@pytest.mark.parametrize("term", sorted(VAGUE))
def test_a_vague_word_is_answered_with_a_question_and_a_line_that_parses(term: str) -> None:
    read = read_threshold(f"it is {term}")
    assert isinstance(read, Refusal)
    assert len(read.message) <= LONGEST_MESSAGE
    assert read.meant is None
    assert isinstance(parse_threshold(read.example or ""), Threshold)


@pytest.mark.parametrize("path", [*OK, *ERR], ids=lambda path: path.stem)
def test_declaring_is_decided_as_judging_decides_it(path: Path) -> None:
    assert declares(CharterFile(FileKind.FILE, path.read_bytes())) is judged(path).declared
