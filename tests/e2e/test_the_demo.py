"""The demo's story comes true, and `docs/first-poc.md` quotes what was said in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from service.demo.charters import ADJECTIVES, NUMBERS
from service.demo.stage import Stage, open_stage
from service.demo.story import REPOSITORY, play
from service.rules.values.actions import CHARTER_CHECK, GATE_CHECK, STALL_LABEL
from tests.harness.golden import WRITING
from tests.harness.places import ROOT

AGAIN = "if the new texts are right: WRITE_GOLDEN=1 make test-slow ARGS=tests/e2e/test_the_demo.py"
PAGE = ROOT / "docs" / "first-poc.md"
QUOTED = re.compile(r"(?P<begin><!-- generated: (?P<name>\w+) -->\n).*?(?P<end><!-- end -->)", re.DOTALL)
NO_CHARTER, FULL_OF_ADJECTIVES, IN_NUMBERS, FIRST_NUMBERS, SHIP_REQUEST = 1, 2, 3, 4, 5
"""The pull requests of the story."""
SHIP_BY = "2027-03-04"
MOVES = (
    (r"\b\d{4}-\d{2}-\d{2}\b", "DAY"),
    (r"\b\d{1,2} [A-Z][a-z]+ \d{4}\b", "DAY"),
    (r"(?<=\| )\d+(?= \|$)", "DAYS"),
)
"""What depends on the day on which the story is played."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with open_stage() as opened:
        play(opened)
        yield opened


def test_the_page_quotes_the_story(stage: Stage) -> None:
    quotes = {
        "no_charter": check(stage, NO_CHARTER, CHARTER_CHECK, "No charter yet"),
        "adjectives_file": file(ADJECTIVES),
        "adjectives": check(stage, FULL_OF_ADJECTIVES, CHARTER_CHECK, "8 lines"),
        "numbers_file": file(NUMBERS.format(ship_by=SHIP_BY)),
        "complete": check(stage, IN_NUMBERS, CHARTER_CHECK, "Charter complete"),
        "measured": check(stage, FIRST_NUMBERS, GATE_CHECK, "Missing for shipping: 1 of 3"),
        "asked": check(stage, SHIP_REQUEST, GATE_CHECK, "Not ready to ship: 4 signatures"),
        "stall": issue(stage),
        "ready": check(stage, SHIP_REQUEST, GATE_CHECK, "Ready to ship"),
    }
    before = PAGE.read_text(encoding="utf-8")
    assert [match["name"] for match in QUOTED.finditer(before)] == list(quotes)
    after = QUOTED.sub(lambda match: f"{match['begin']}{quotes[match['name']]}{match['end']}", before)
    if WRITING:
        PAGE.write_text(after, encoding="utf-8")
    assert undated(PAGE.read_text(encoding="utf-8")) == undated(after), AGAIN


def check(stage: Stage, number: int, name: str, title: str) -> str:
    """The first check run with that title, as a quote."""
    head = stage.person.pull(REPOSITORY, number).head_sha
    runs = reversed(stage.person.check_runs(REPOSITORY, head, name=name))
    run = next(run for run in runs if run.title.startswith(title))
    return quote(f"**{run.name}** · {(run.conclusion or '').replace('_', ' ')} · {run.title}", run.summary)


def issue(stage: Stage) -> str:
    """The stall issue, as a quote."""
    (found,) = stage.person.issues(REPOSITORY, label=STALL_LABEL)
    return quote(f"**#{found.number}** · {found.title}", found.body)


def file(text: str) -> str:
    """A charter; its own fences stand within a longer one."""
    return f"````markdown\n{text}````\n"


def quote(title: str, text: str) -> str:
    """A quote without hidden markers, and without links: they lead to addresses of the emulated GitHub."""
    shown = re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL).strip()
    shown = re.sub(r"\[([^\]]+)\]\(http[^)]*\)", r"\1", shown)
    return "".join(f"> {line}".rstrip() + "\n" for line in [title, "", *shown.splitlines()])


def undated(text: str) -> str:
    """The text whatever the day of the story."""
    for pattern, instead in MOVES:
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
    return text
