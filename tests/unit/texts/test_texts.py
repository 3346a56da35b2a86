"""What people read: golden texts for each situation, and text of strangers that does nothing."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it.token import Token

from service.rules.source.text import CharterFile, FileKind
from service.rules.stall.stalls import PresentPause
from service.rules.stall.waiting_on import PausePeriod
from service.rules.values.actions import STALL_MARKER, Conclusion
from service.texts.charter import Signing
from service.texts.markdown import WORD_JOINER, cell, plain, prose
from service.texts.render import SUMMARY_LIMIT, TITLE_LIMIT
from tests.harness.github import charter_file
from tests.harness.places import CHARTERS, GOLDEN
from tests.unit.texts.reading import (
    ACTIVE,
    DOCS_URL,
    MARKDOWN,
    NASTY,
    NONE,
    Shown,
    assert_golden,
    assert_reads_well,
    inline,
    links,
    measured,
)


def corpus(name: str) -> CharterFile:
    return charter_file((CHARTERS / f"{name}.md").read_bytes())


PROSE = CharterFile(FileKind.FILE, b"# Proof of concept\n\nSteps to reproduce.\n", "prose")
GOOD = corpus("ok/example")
BAD = corpus("err/several")


SHOWN = [
    Shown("no-charter", "No charter yet", Conclusion.ACTION_REQUIRED, NONE),
    Shown("no-charter-bot", "No charter yet", Conclusion.NEUTRAL, NONE, author="dependabot[bot]"),
    Shown("no-charter-prose", "No charter yet", Conclusion.ACTION_REQUIRED, PROSE),
    Shown("complete", "Charter complete", Conclusion.SUCCESS, GOOD, GOOD),
    Shown(
        "measured",
        "Charter complete",
        Conclusion.SUCCESS,
        GOOD,
        GOOD,
        results=measured(GOOD, latency_p95="212 ms", accuracy="91.4 %", error_rate="0.4"),
    ),
    Shown(
        "signers-missing",
        "Charter complete",
        Conclusion.SUCCESS,
        GOOD,
        signing=Signing(("alice-k", "bob-m", "carol-s"), 1, 4),
    ),
    Shown("signer-missing", "Charter complete", Conclusion.SUCCESS, GOOD, signing=Signing(("dan-w",), 3, 4)),
    Shown("signed", "Charter complete", Conclusion.SUCCESS, GOOD, signing=Signing((), 4, 4)),
    Shown("behind", "Charter complete on main", Conclusion.SUCCESS, NONE, GOOD, NONE),
    Shown("behind-findings", "3 lines of the charter need a change", Conclusion.FAILURE, NONE, BAD, NONE),
    Shown("deleted", "This change removes the charter", Conclusion.FAILURE, NONE, GOOD, GOOD),
    Shown("findings", "3 lines of the charter need a change", Conclusion.FAILURE, BAD),
    Shown(
        "finding", "1 line of the charter needs a change", Conclusion.FAILURE, corpus("err/target-auth-none")
    ),
    Shown("unreadable", "The charter can't be read", Conclusion.FAILURE, CharterFile(FileKind.DIRECTORY)),
    Shown("not-yaml", "The charter can't be read", Conclusion.FAILURE, corpus("err/yaml-tab")),
    Shown("remarks", "Charter complete", Conclusion.SUCCESS, corpus("err/target-unmeasured")),
    Shown("stopped", "Stopped on purpose", Conclusion.SUCCESS, corpus("ok/stopped-early")),
    Shown("paused", "Charter complete; paused until 8 January 2027", Conclusion.SUCCESS, corpus("ok/paused")),
    Shown(
        "paused-in-part",
        "Charter complete; paused until 8 January 2027, of which 60 calendar days count",
        Conclusion.SUCCESS,
        corpus("ok/paused"),
        pause=PresentPause(PausePeriod(date(2026, 11, 1), date(2026, 12, 31), ""), "", "carol-s"),
    ),
    Shown("waived", "Charter complete", Conclusion.SUCCESS, corpus("ok/waived")),
    Shown("observing", "Charter complete (observing)", Conclusion.NEUTRAL, GOOD, observe=True),
    Shown(
        "observing-findings",
        "3 lines of the charter need a change (observing)",
        Conclusion.NEUTRAL,
        BAD,
        observe=True,
    ),
    Shown("observing-no-charter", "No charter yet (observing)", Conclusion.NEUTRAL, NONE, observe=True),
]


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: shown.name)
def test_a_check_summary(shown: Shown) -> None:
    output = shown.output
    assert (output.conclusion, output.title) == (shown.conclusion, shown.title)
    assert_golden(f"check-{shown.name}", output.summary)
    assert_reads_well(output.summary)


def test_the_golden_files_are_those_of_the_tables() -> None:
    names = {f"check-{shown.name}" for shown in SHOWN}
    assert {path.stem for path in GOLDEN.glob("*.md")} == names


def test_a_summary_says_nothing_that_a_later_day_would_change() -> None:
    later = date(2026, 12, 24)
    for shown in SHOWN:
        assert Shown(**{**vars(shown), "today": later}).output == shown.output


def test_more_than_github_takes_is_cut_and_says_so() -> None:
    lines = "".join(f"  - it should be {'fast ' * 40}{n}\n" for n in range(24))
    text = GOOD.data.decode() if GOOD.data else ""
    output = Shown(
        "", "", Conclusion.FAILURE, charter_file(text.replace("done:\n", f"done:\n{lines}"))
    ).output
    assert len(output.summary) <= SUMMARY_LIMIT
    long_branch = Shown("", "", Conclusion.SUCCESS, NONE, GOOD, NONE, base_ref="b" * 300).output
    assert len(long_branch.title) <= TITLE_LIMIT
    assert long_branch.title.endswith("…")


def visible(value: str) -> str:
    """A text as it must show: on one line, what cannot be seen marked."""
    return "".join(char if char.isprintable() else "·" for char in " ".join(value.split()))


def cells_of_a_row(middle: str) -> list[list[Token]]:
    tokens = MARKDOWN.parse(f"| a | b | c |\n| --- | --- | --- |\n| first | {middle} | last |\n")
    row = [token.children or [] for token in tokens if token.type == "inline"][3:]
    assert len(row) == 3
    assert [token.content for token in row[2]] == ["last"]
    return row


@given(NASTY)
@example("\\|")
@example("`|`")
@example("a`")
def test_as_code_in_a_table_it_shows_as_written_and_stays_in_its_cell(value: str) -> None:
    shown = cells_of_a_row(cell(value))[1]
    if not visible(value):
        assert shown == []
        return
    assert [token.type for token in shown] == ["code_inline"]
    assert shown[0].content.replace(WORD_JOINER, "") == visible(value)


@given(NASTY)
@example("&#64;dan-w")
@example("\\|")
def test_as_prose_it_shows_as_written_and_does_nothing(value: str) -> None:
    assert "|" not in re.sub(r"\\.", "", plain(value))
    assert "<!--" not in plain(value)
    for tokens in (cells_of_a_row(plain(value))[1], inline(MARKDOWN.parse(f"Because: {plain(value)}."))):
        assert {token.type for token in tokens} <= {"text"}
        assert not ACTIVE.search("".join(token.content for token in tokens))
    shown = "".join(token.content for token in cells_of_a_row(plain(value))[1])
    assert shown.replace(WORD_JOINER, "") == visible(value)


@given(NASTY, NASTY)
def test_a_message_of_ours_shows_its_quotations_as_code(before: str, quoted: str) -> None:
    inside = visible(quoted.replace("`", "'")) or "x"
    tokens = cells_of_a_row(prose(f"{before.replace('`', '')} `{inside}`: write it"))[1]
    assert [token.content.replace(WORD_JOINER, "") for token in tokens if token.type == "code_inline"] == [
        inside
    ]
    assert {token.type for token in tokens} <= {"text", "code_inline"}
    assert not ACTIVE.search("".join(token.content for token in tokens if token.type == "text"))


FIELDS = (
    "how: turn flag",
    "auth: okta-oidc",
    "owner: jane-doe",
    "environment: support-prod",
    "- accuracy >= 92",
)


@given(
    st.sampled_from(FIELDS),
    NASTY,
    st.sampled_from([None, "stopped: 2026-11-20 - ", "paused: until 2027-01-08 - "]),
)
def test_a_charter_can_do_nothing_to_its_summary(field: str, nasty: str, ending: str | None) -> None:
    text = GOOD.data.decode() if GOOD.data else ""
    line = " ".join(nasty.split())
    text = text.replace(field, f"{field} {line}")
    if ending:
        text = text.replace("poc: 1\n", f"poc: 1\n{ending}{line}\n")
    output = Shown("", "", Conclusion.SUCCESS, charter_file(text)).output
    assert not output.summary.lstrip().startswith(STALL_MARKER)
    tokens = MARKDOWN.parse(output.summary)
    assert [link for link in links(tokens) if not link.startswith(f"{DOCS_URL}/charter#")] == []
    assert not [token for token in tokens if token.type in ("html_block", "heading_open", "fence")]
    assert {token.content for token in inline(tokens) if token.type == "html_inline"} <= {"<br>"}
    texts = [token.content for token in inline(tokens) if token.type == "text"]
    assert not any(ACTIVE.search(shown) for shown in texts)


@pytest.mark.parametrize("base_ref", ["a`@dan-w`b", "fix/#12", "x|y", "<!--x-->"])
def test_a_branchs_name_can_do_nothing_to_the_summary(base_ref: str) -> None:
    tokens = MARKDOWN.parse(
        Shown("", "", Conclusion.SUCCESS, NONE, GOOD, NONE, base_ref=base_ref).output.summary
    )
    assert base_ref in [token.content for token in inline(tokens) if token.type == "code_inline"]
    assert not any(ACTIVE.search(token.content) for token in inline(tokens) if token.type == "text")
