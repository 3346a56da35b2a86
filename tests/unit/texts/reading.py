"""What the tests of texts share: charters, golden files, and whether a text reads well."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise

from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from service.rules.charter.quantity import Quantity, parse_quantity
from service.rules.checks.judge import judge
from service.rules.checks.verdict import conclude, situate
from service.rules.evidence.judging import judge_all
from service.rules.evidence.values import Demands, Measurement, Result
from service.rules.source.text import CharterFile
from service.rules.stall.stalls import PresentPause
from service.rules.values.actions import STALL_MARKER, CheckRunOutput, Conclusion
from service.rules.values.groups import Level
from service.texts.charter import Signing, check_view
from service.texts.render import texts
from tests.harness import golden
from tests.harness.github import charter_file
from tests.harness.places import GOLDEN

TEXTS = texts()
MARKDOWN = MarkdownIt("commonmark").enable("table")
TODAY = date(2026, 11, 22)
DRAFT_URL = "https://github.com/acme/poc-triage/new/main?filename=POC.md&value=poc%3A%201"
DOCS_URL = "https://poc.example.com/docs"
CHARTER_URL = "https://github.com/acme/poc-triage/edit/main/POC.md"
NONE = charter_file(None)


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
    pause: PresentPause | None = None
    signing: Signing | None = None

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
            pause=self.pause,
            docs_url=DOCS_URL,
            signing=self.signing,
        )
        return TEXTS.check_run(verdict, view)


def assert_golden(name: str, text: str) -> None:
    """The text is the golden one of that name."""
    golden.assert_golden(GOLDEN / f"{name}.md", text)


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
    assert [link for link in links(tokens) if not (link in links_to or link.startswith(DOCS_URL))] == []


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
