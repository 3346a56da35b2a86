"""The demo's story comes true, and `docs/first-poc.md` quotes what was said in it."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.demo.charters import ADJECTIVES, NUMBERS
from service.demo.stage import Stage, open_stage, page, quoted_issue, quoted_run, shown, wait
from service.demo.story import REPOSITORY, ending, play
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


def test_what_was_written_is_shown_on_a_page(stage: Stage) -> None:
    with shown(lambda: page(stage, REPOSITORY)) as address:
        answer = httpx.get(address, trust_env=False)
        assert httpx.get(f"{address}else", trust_env=False).status_code == 404
    text = re.sub(r"<[^>]+>", "", html.unescape(answer.text))
    for said in (
        *(
            "POC charter · action required · No charter yet",
            "a date: write year",
            "POC charter · success · Charter",
        ),
        *("POC ship gate · success · Ready to ship", "has the ball", "Pull request #5", "/poc ship"),
    ):
        assert said in text, said
    assert "<!--" not in answer.text
    addresses = set(re.findall(r'(?:href|action)="([^"#]+)"', answer.text))
    assert len(addresses) == 4
    for address in addresses:
        assert httpx.get(address, trust_env=False).status_code == 200, address


def test_what_to_try_next_works(stage: Stage, tmp_path: Path) -> None:
    told = ending(stage, SHIP_REQUEST, "http://texts/")
    addresses = re.findall(rf"{stage.service_url}\S*", told)
    assert len(addresses) == 5
    for address in addresses:
        answer = httpx.get(address, trust_env=False)
        assert answer.status_code == 200, address
        assert REPOSITORY in answer.text or "/docs/" in address
    commands = [line.partition("#")[0].split() for line in told.splitlines() if "poc-governor " in line]
    assert [command[0] for command in commands] == ["poc-governor"] * 2
    for command, code in zip(commands, (1, 0), strict=True):
        paths = [str(ROOT / word) if "/" in word else word for word in command[1:]]
        done = subprocess.run(
            [sys.executable, "-m", "service", *paths], cwd=tmp_path, check=False, timeout=60
        )
        assert done.returncode == code


def test_a_command_of_a_person_is_answered(stage: Stage) -> None:
    told = ending(stage, SHIP_REQUEST, "http://texts/")
    (command,) = re.findall(r"^  curl -H .*\\\n.*$", told, re.MULTILINE)
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=True, timeout=60, text=True)
    assert '"user":{"login":"jane-doe"' in done.stdout.replace(" ", "")
    with shown(lambda: page(stage, REPOSITORY)) as address:
        wait(
            lambda: "stopped: " in httpx.get(address, trust_env=False).text,
            "the page shows the line that stops the POC",
        )


def check(stage: Stage, number: int, name: str, title: str) -> str:
    """The first check run with that title, as a quote."""
    head = stage.person.pull(REPOSITORY, number).head_sha
    runs = reversed(stage.person.check_runs(REPOSITORY, head, name=name))
    run = next(run for run in runs if run.title.startswith(title))
    return quoted_run(run)


def issue(stage: Stage) -> str:
    """The stall issue, as a quote."""
    (found,) = stage.person.issues(REPOSITORY, label=STALL_LABEL)
    return quoted_issue(found)


def file(text: str) -> str:
    """A charter; its own fences stand within a longer one."""
    return f"````markdown\n{text}````\n"


def undated(text: str) -> str:
    """The text whatever the day of the story."""
    for pattern, instead in MOVES:
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
    return text
