"""What people read: golden texts for each situation, and text of strangers that does nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from service.rules.charter.quantity import Quantity, parse_quantity
from service.rules.checks.judge import judge
from service.rules.checks.verdict import conclude, situate
from service.rules.evidence.judging import judge_all
from service.rules.evidence.values import Demands, Measurement, Result
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.actions import STALL_MARKER, CheckRunOutput, Conclusion
from service.rules.values.groups import Level
from service.texts.charter import check_view
from service.texts.markdown import WORD_JOINER, cell, plain, prose
from service.texts.render import SUMMARY_LIMIT, TITLE_LIMIT, Texts, find_templates
from tests.fakes import charter_file

HERE = Path(__file__).parent
GOLDEN = HERE / "texts"
CHARTERS = HERE / "charters"
TEXTS = Texts(find_templates())
MARKDOWN = MarkdownIt("commonmark").enable("table")
TODAY = date(2026, 11, 22)
DRAFT_URL = "https://github.com/acme/poc-triage/new/main?filename=POC.md&value=poc%3A%201"
CHARTER_URL = "https://github.com/acme/poc-triage/edit/main/POC.md"


def corpus(name: str) -> CharterFile:
    return charter_file((CHARTERS / f"{name}.md").read_bytes())


PROSE = CharterFile(FileKind.FILE, b"# Proof of concept\n\nSteps to reproduce.\n", "prose")
NONE = charter_file(None)
GOOD = corpus("ok/example")
BAD = corpus("err/several")


def measured(file: CharterFile, **found: str) -> tuple[Result, ...]:
    """What files of the commit say about each line of `done`: numbers with their units, by metric."""
    charter = judge(file, today=TODAY).charter
    assert charter is not None
    at = datetime(2026, 11, 9, tzinfo=UTC)
    readings = [
        [
            Measurement(metric, amount.value, amount.unit, Level.SELF_REPORTED, "eval/metrics.json $.x", at)
            for metric, text in found.items()
            if metric == line.metric and isinstance(amount := parse_quantity(text), Quantity)
        ]
        for line in charter.done
    ]
    return judge_all(charter.done, readings, Demands(at, Level.SELF_REPORTED, 14, ("support-staging",)))


@dataclass(frozen=True)
class Shown:
    name: str
    title: str
    conclusion: Conclusion
    head: CharterFile
    base: CharterFile = NONE
    merge_base: CharterFile | None = None
    author: str = "jane-doe"
    observe: bool = False
    base_ref: str = "main"
    today: date = TODAY
    results: tuple[Result, ...] = ()

    @property
    def output(self) -> CheckRunOutput:
        case = situate(self.head, self.base, self.merge_base)
        verdict = conclude(case, author=self.author, observe=self.observe, today=self.today)
        view = check_view(
            verdict,
            poc_reason="topic `poc`",
            base_ref=self.base_ref,
            draft_url=DRAFT_URL,
            observe=self.observe,
            results=self.results,
        )
        return TEXTS.check_run(verdict, view)


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
    Shown("behind", "Charter complete, as it stands on main", Conclusion.SUCCESS, NONE, GOOD, NONE),
    Shown("behind-findings", "3 lines of the charter need a change", Conclusion.FAILURE, NONE, BAD, NONE),
    Shown("deleted", "This change removes the charter", Conclusion.FAILURE, NONE, GOOD, GOOD),
    Shown("findings", "3 lines of the charter need a change", Conclusion.FAILURE, BAD),
    Shown(
        "finding", "1 line of the charter needs a change", Conclusion.FAILURE, corpus("err/target-auth-none")
    ),
    Shown("unreadable", "The charter cannot be read", Conclusion.FAILURE, CharterFile(FileKind.DIRECTORY)),
    Shown("not-yaml", "The charter cannot be read", Conclusion.FAILURE, corpus("err/yaml-tab")),
    Shown("remarks", "Charter complete", Conclusion.SUCCESS, corpus("err/target-unmeasured")),
    Shown("stopped", "Stopped on purpose", Conclusion.SUCCESS, corpus("ok/stopped-early")),
    Shown("paused", "Charter complete", Conclusion.SUCCESS, corpus("ok/paused")),
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


def assert_golden(name: str, text: str) -> None:
    golden = GOLDEN / f"{name}.md"
    if os.environ.get("WRITE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


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


def assert_reads_well(text: str, links_to: Collection[str] = (DRAFT_URL, CHARTER_URL)) -> None:
    """Valid Markdown of GitHub's: tables stand apart and are whole, nothing shouts, no template shows."""
    assert "{{" not in text
    assert "!" not in text.replace("<!--", "")
    assert text.endswith("\n")
    assert "\n\n\n" not in text
    assert not re.search(r"[ \t]\n", text)
    lines = text.split("\n")
    for before, line in pairwise(lines):
        if line.startswith("|"):
            assert before == "" or before.startswith("|")
        elif before.startswith("|"):
            assert line == ""
    rows = [line for line in lines if line.startswith("|")]
    tokens = MARKDOWN.parse(text)
    assert sum(token.type == "tr_open" for token in tokens) == len([r for r in rows if "---" not in r])
    assert all(link in links_to for link in links(tokens))


def inline(tokens: list[Token]) -> list[Token]:
    return [child for token in tokens for child in token.children or ()]


def links(tokens: list[Token]) -> list[str]:
    return [str(token.attrGet("href")) for token in inline(tokens) if token.type == "link_open"]


ACTIVE = re.compile(r"@[A-Za-z0-9]|#\d|GH-\d|\w://\S|www\.", re.IGNORECASE)
PIECES = st.sampled_from(
    [
        "@dan-w",
        "@acme/security",
        "closes #123",
        "fixes acme/x#7",
        "GH-12",
        "https://github.com/acme/x/issues/1",
        "www.example.com",
        STALL_MARKER,
        "<!--",
        "-->",
        "<img src=x>",
        "<br>",
        "|",
        "\\|",
        "\\",
        "`",
        "``",
        "```",
        "**",
        "_",
        "~~",
        "[a](https://x)",
        "![a](https://x)",
        "&lt;",
        "&#64;dan-w",
        "$x$",
        "\n\n# heading\n",
        "\r\n| a | b |\n",
        "\u2028",
        "\u202e",
        "\x07",
        "\t",
        " ",
        "é",
        "x",
    ]
)
NASTY = st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=40)


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
    assert links(tokens) == []
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
