"""Judging: what stands at the path, what a change writes, and input that nobody meant as a charter."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.rules.charter.model import Charter
from service.rules.charter.values import InfraKind
from service.rules.checks.judge import Judgement, judge, unreadable
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.finding import Severity
from tests.harness.charters import GOOD

TODAY = date(2026, 11, 22)
EXAMPLE = GOOD.encode()
LINES = EXAMPLE.decode().split("\n")
MISCHIEF = st.sampled_from(
    [
        "\t",
        "- ",
        ": ",
        "'",
        '"',
        "{",
        "[",
        "&a ",
        "*a",
        "!!x ",
        "# ",
        "```",
        "---",
        "\r",
        "\u2028",
        "\ufeff",
        "poc:",
        "@",
        "`",
        "%",
        "|",
        ">",
        "? ",
        "\0",
        "é",
        "🚀",
        "~",
        ",",
        "k",
        "99999999999999999999999999999999999",
        "\x85",
    ]
)


def judged(data: bytes, before: Charter | None = None, today: date = TODAY) -> Judgement:
    return judge(CharterFile(FileKind.FILE, data), before=before, today=today)


def charter_of(data: bytes) -> Charter:
    charter = judged(data).charter
    assert charter
    return charter


@pytest.mark.parametrize(
    "kind", [FileKind.DIRECTORY, FileKind.SYMLINK, FileKind.SUBMODULE, FileKind.TOO_LARGE]
)
def test_what_is_no_file_is_an_unreadable_charter(kind: FileKind) -> None:
    judgement = judge(CharterFile(kind), before=None, today=TODAY)
    assert (judgement.declared, judgement.unreadable, judgement.valid) == (False, True, False)
    assert [(finding.code, finding.line) for finding in judgement.findings] == [("unreadable-charter", 1)]
    assert unreadable(CharterFile(kind))


def test_no_file_is_no_charter_and_no_finding() -> None:
    assert judge(CharterFile(FileKind.ABSENT), before=None, today=TODAY) == Judgement(declared=False)
    assert not unreadable(CharterFile(FileKind.ABSENT))


def test_two_mebibytes_are_too_large_however_they_arrive() -> None:
    assert judged(b"poc: 1\n" * 300_000).unreadable


def test_the_example_is_read_whole() -> None:
    charter = charter_of(EXAMPLE)
    assert charter.owner
    assert (charter.owner.value, charter.owner.line, charter.owner.column) == ("jane-doe", 8, 8)
    assert charter.ship_by
    assert charter.ship_by.value == date(2027, 2, 26)
    assert charter.target.data
    assert charter.target.data.value.canonical_unit == "ticket/s"
    assert charter.infra.deploy_process
    assert charter.infra.deploy_process.value.kind is InfraKind.MISSING
    assert charter.rollback.drilled
    assert charter.rollback.drilled.value.on == date(2026, 11, 12)
    assert [threshold.metric for threshold in charter.done][:2] == ["latency_p95", "accuracy"]
    assert charter.title == "Ticket triage assistant"
    assert charter.summary
    assert charter.summary.startswith("Agents read")


@pytest.mark.parametrize(
    ("before", "severity"),
    [
        pytest.param(EXAMPLE, Severity.NOTICE, id="time alone makes it a notice"),
        pytest.param(
            EXAMPLE.replace(b"2027-02-26", b"2027-02-20"), Severity.ERROR, id="writing it makes it an error"
        ),
        pytest.param(None, Severity.ERROR, id="a new charter writes everything"),
    ],
)
def test_a_passed_ship_date(before: bytes | None, severity: Severity) -> None:
    known = charter_of(before) if before else None
    findings = judged(EXAMPLE, known, TODAY + timedelta(days=200)).findings
    assert [(finding.code, finding.severity) for finding in findings] == [("ship-date-passed", severity)]


def test_a_value_that_only_moved_is_not_written_by_the_change() -> None:
    moved = EXAMPLE.replace(b"poc: 1\n", b"poc: 1\n# a comment\n")
    findings = judged(moved, charter_of(EXAMPLE), TODAY + timedelta(days=200)).findings
    assert [finding.severity for finding in findings] == [Severity.NOTICE]


def test_a_charter_with_errors_still_shows_what_could_be_read() -> None:
    judgement = judged(EXAMPLE.replace(b"auth: okta-oidc", b"auth: none").replace(b"jane-doe", b"acme/ml"))
    assert judgement.declared
    assert not judgement.valid
    assert judgement.charter
    assert judgement.charter.owner is None
    assert judgement.charter.ship_by


def assert_harmless(data: bytes) -> None:
    judgement = judged(data)
    lines = data.count(b"\n") + 1
    for finding in judgement.findings:
        assert 1 <= finding.line <= lines
        assert len(finding.message) <= 120
        assert finding.message.isprintable()


@given(st.binary(max_size=400))
@example(b"```yaml\npoc: 1\npaused:\n```")
@example(b"---\npoc:\n---")
@example(b"```yaml\npoc:\n" + b"[" * 3000 + b"\n```\n")
def test_no_bytes_make_it_raise(data: bytes) -> None:
    assert_harmless(data)


@given(st.text(max_size=400))
def test_no_block_makes_it_raise(text: str) -> None:
    assert_harmless(f"```yaml\npoc: 1\n{text}\n```\n".encode())


@settings(max_examples=400)
@given(
    st.lists(st.tuples(st.integers(0, len(LINES) - 1), st.integers(0, 70), MISCHIEF), min_size=1, max_size=4)
)
def test_no_slip_in_a_good_charter_makes_it_raise(slips: list[tuple[int, int, str]]) -> None:
    lines = list(LINES)
    for row, column, mischief in slips:
        lines[row] = f"{lines[row][:column]}{mischief}{lines[row][column:]}"
    assert_harmless("\n".join(lines).encode())


@given(st.lists(st.sampled_from(LINES), max_size=60))
def test_no_shuffled_charter_makes_it_raise(lines: list[str]) -> None:
    assert_harmless("\n".join(["```yaml", "poc: 1", *lines]).encode())
