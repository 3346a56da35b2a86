"""A verdict laid out for its template, and as annotations."""

from __future__ import annotations

from datetime import date

import pytest

from service.rules.checks.verdict import Verdict, conclude, situate
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.finding import Severity
from service.texts.charter import CheckView, annotate, check_view
from tests.harness.github import charter_file
from tests.harness.places import CHARTERS

TODAY = date(2026, 11, 22)
NONE = charter_file(None)
EXAMPLE = (CHARTERS / "ok" / "example.md").read_bytes()


def verdict(head: CharterFile, base: CharterFile = NONE, merge_base: CharterFile | None = None) -> Verdict:
    return conclude(situate(head, base, merge_base), author="jane-doe", observe=False, today=TODAY)


def view(found: Verdict) -> CheckView:
    return check_view(found, poc_reason="topic `poc`", base_ref="main", draft_url="https://x", observe=False)


def test_a_charter_is_shown_whole() -> None:
    found = verdict(charter_file(EXAMPLE))
    shown = view(found)
    assert found.judgement is not None
    assert shown.charter is found.judgement.charter
    assert shown.missing == ("deploy_process",)
    assert shown.signers[0] == ("data science", "alice-k")


def test_errors_come_with_the_line_that_they_are_about() -> None:
    found = view(verdict(charter_file((CHARTERS / "err" / "several.md").read_bytes())))
    assert found.failed
    lines = (CHARTERS / "err" / "several.md").read_text().splitlines()
    for row in found.errors:
        assert row.says == lines[row.line - 1].strip()


def test_what_is_no_error_is_only_remarked() -> None:
    found = view(verdict(charter_file((CHARTERS / "err" / "target-unmeasured.md").read_bytes())))
    assert not found.failed
    assert [row.severity for row in found.remarks] == [Severity.NOTICE]


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\u2028", "\x85"])
def test_what_only_python_takes_for_a_line_end_does_not_shift_the_lines(separator: str) -> None:
    text = EXAMPLE.decode().replace("by hand.", f"by{separator}hand.").replace("okta-oidc", "none")
    found = view(verdict(charter_file(text)))
    assert [row.says for row in found.errors] == ["auth: none"]


def test_a_byte_order_mark_and_windows_line_ends_do_not_show() -> None:
    text = "\ufeff" + EXAMPLE.decode().replace("okta-oidc", "none").replace("\n", "\r\n")
    found = view(verdict(charter_file(text)))
    assert [row.says for row in found.errors] == ["auth: none"]


def test_a_line_that_is_too_long_is_shown_in_part() -> None:
    text = EXAMPLE.decode().replace("okta-oidc", "x" * 400)
    [row] = view(verdict(charter_file(text))).errors
    assert len(row.says) <= 130


@pytest.mark.parametrize(
    "kind", [FileKind.DIRECTORY, FileKind.SYMLINK, FileKind.SUBMODULE, FileKind.TOO_LARGE]
)
def test_what_is_no_file_has_a_finding_and_no_line(kind: FileKind) -> None:
    found = verdict(CharterFile(kind))
    assert [(row.line, row.says) for row in view(found).errors] == [(1, "")]
    assert [(note.path, note.start_line, note.level) for note in annotate(found)] == [
        ("POC.md", 1, "failure")
    ]


def test_an_annotation_is_a_finding_on_its_line_with_the_line_to_write() -> None:
    data = EXAMPLE.replace(
        b"accuracy >= 92 % on tickets-2026q3 with n >= 2000", b"accuracy >= 92 on x with n >= 3"
    )
    [note] = annotate(verdict(charter_file(data)))
    line = data.decode().split("\n").index("  - accuracy >= 92 on x with n >= 3") + 1
    assert (note.path, note.start_line, note.end_line, note.level) == ("POC.md", line, line, "failure")
    assert note.title.startswith("done-")
    assert note.start_column is not None
    assert "\n" not in note.message.split("\n\n")[0]


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(
            verdict(NONE, charter_file((CHARTERS / "err" / "several.md").read_bytes()), NONE),
            id="judged by the base's charter, which this commit does not hold",
        ),
        pytest.param(verdict(NONE), id="no charter"),
        pytest.param(verdict(NONE, charter_file(EXAMPLE), charter_file(EXAMPLE)), id="deleted"),
    ],
)
def test_a_charter_that_this_commit_does_not_hold_is_not_annotated(found: Verdict) -> None:
    assert annotate(found) == ()
