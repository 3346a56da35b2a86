"""What people read who gave a command with words of their own: golden texts, and strangers' words inert."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.rules.charter.amend import amended, applied
from service.rules.commands.arguments import CommandArguments, Extend, HandOver, Snooze, Stop, read_order
from service.rules.commands.parsing import Refusal, Verb, authorise, parse_commands, read_command
from service.rules.commands.refusals import PocState, refusal_of
from service.texts.commands import EditLocation, amend_view, change_of
from tests.harness.github import charter_file
from tests.harness.places import GOLDEN, ROOT
from tests.unit.texts.commanding import BARE, EXAMPLE, EXTEND, MAIN, TODAY, WAIVE, charter_of
from tests.unit.texts.gates import WORST, assert_does_nothing
from tests.unit.texts.reading import CHARTER_URL, MARKDOWN, NASTY, TEXTS, assert_golden, assert_reads_well

WAIVED = EXAMPLE.replace("signoffs:", "waived:\n  - error_rate until 2026-12-01 - late logs\nsignoffs:")
DOCUMENT = ROOT / "docs" / "commands.md"
BRANCH = EditLocation("https://github.com/acme/poc-triage/edit/later/POC.md", "later", is_default=False)


def told(
    order: CommandArguments, text: str = EXAMPLE, desk: EditLocation = MAIN, dates: tuple[date, ...] = ()
) -> str:
    assert not isinstance(order, Snooze)
    amendment = amended(charter_file(text), change_of(order, TODAY))
    assert amendment is not None
    return TEXTS.charter_line(amend_view(order, charter_of(text), amendment, desk, dates))


LINES: dict[str, Callable[[], str]] = {
    "extend": lambda: told(EXTEND),
    "extend-again": lambda: told(EXTEND, dates=(date(2027, 2, 1), date(2027, 2, 26))),
    "extend-on-a-branch": lambda: told(EXTEND, desk=BRANCH, dates=(date(2027, 2, 1),)),
    "extend-sooner": lambda: told(Extend(date(2027, 1, 15), "all is there")),
    "extend-without-a-date": lambda: told(EXTEND, BARE),
    "owner": lambda: told(HandOver("erin-x")),
    "owner-of-nobodys": lambda: told(HandOver("erin-x"), BARE),
    "stop": lambda: told(Stop("the baseline was good enough")),
    "stop-hostile": lambda: told(Stop(WORST + " ``` <!-- poc-governor:stall -->")),
    "waive": lambda: told(WAIVE),
    "waive-for-longer": lambda: told(WAIVE, WAIVED),
    "owner-on-several-lines": lambda: told(
        HandOver("erin-x"), EXAMPLE.replace("owner: jane-doe", "owner: >-\n  jane-doe")
    ),
}


def without_code(text: str) -> str:
    """A comment without its one block of lines to write."""
    [fence] = [token for token in MARKDOWN.parse(text) if token.type == "fence"]
    assert fence.info == "yaml"
    assert fence.map is not None
    lines = text.split("\n")
    return "\n".join([*lines[: fence.map[0]], *lines[fence.map[1] :]])


@pytest.mark.parametrize("name", LINES)
def test_the_line_to_write(name: str) -> None:
    text = LINES[name]()
    assert_golden(f"commands/{name}", text)
    if "hostile" not in name:
        assert_reads_well(text, links_to=(CHARTER_URL, BRANCH.url))
    assert_does_nothing(without_code(text), (CHARTER_URL, BRANCH.url))


@given(NASTY, NASTY)
@example(WORST, WORST)
@example("````", "`")
def test_nobodys_text_can_do_anything_around_a_line(reason: str, branch: str) -> None:
    read = read_order(read_command(f"/poc stop {reason}"), TODAY)
    if isinstance(read, Stop):
        text = told(read, desk=replace(MAIN, branch=branch or "main"))
        assert_does_nothing(without_code(text), (CHARTER_URL,))
        [fence] = [token for token in MARKDOWN.parse(text) if token.type == "fence"]
        amendment = amended(charter_file(EXAMPLE), change_of(read, TODAY))
        assert amendment is not None
        assert fence.content == f"{amendment.after}\n"
        assert charter_of(applied(EXAMPLE, amendment)).stopped is not None


@given(st.sampled_from([Verb.SNOOZE, Verb.EXTEND, Verb.OWNER, Verb.STOP, Verb.WAIVE]), NASTY)
@example(Verb.SNOOZE, WORST)
@example(Verb.EXTEND, WORST)
@example(Verb.OWNER, "@dan-w/x#12")
def test_nobodys_text_can_do_anything_in_a_refused_order(verb: Verb, text: str) -> None:
    command = read_command(f"/poc {verb} {text}")
    read = read_order(command, TODAY)
    if read is not None and not isinstance(read, Refusal):
        read = refusal_of(read, PocState(TODAY, charter_of(EXAMPLE), shipped=True))
    assert isinstance(read, Refusal)
    assert_does_nothing(TEXTS.refused_command(command.text, read.reason))


REFUSALS = {
    "refused-no-write-access": "/poc stop `@dan-w` closes #12",
    "refused-no-reason": "/poc snooze 14d",
    "refused-too-long": "/poc snooze 90d @dan-w closes #12 <b>",
    "refused-another-notation": "/poc extend 15.03.2027 the cluster comes late",
    "refused-a-signer": "/poc owner @bob-m",
    "refused-a-team": "/poc owner @acme/ml",
    "refused-the-same-day": "/poc extend 2027-02-26 once more",
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refused_order(name: str) -> None:
    [command] = parse_commands(REFUSALS[name])
    charter = charter_of(EXAMPLE)
    permission = "read" if "access" in name else "write"
    read = authorise(
        command, permission=permission, login="mallory", charter=charter, is_pull_request=True
    ) or read_order(command, TODAY)
    if read is not None and not isinstance(read, Refusal):
        read = refusal_of(read, PocState(TODAY, charter))
    assert isinstance(read, Refusal)
    text = TEXTS.refused_command(command.text, read.reason)
    assert_golden(f"commands/{name}", text)
    assert_reads_well(text, links_to=())
    assert_does_nothing(text)


def test_the_golden_files_are_those_of_the_tables() -> None:
    assert {path.stem for path in (GOLDEN / "commands").glob("*.md")} == {*LINES, *REFUSALS}


def test_the_page_shows_every_command_in_a_form_that_is_read() -> None:
    page = DOCUMENT.read_text()
    examples = [line for block in re.findall(r"^```\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
                for line in block.splitlines()]  # fmt: skip
    commands = [command for line in examples for command in parse_commands(line)]
    assert len(commands) == len(examples)
    assert {command.verb for command in commands} == set(Verb)
    assert set(re.findall(r"^## (.+)$", page, re.MULTILINE)) == set(Verb)
    for command in commands:
        assert not isinstance(read_order(command, TODAY), Refusal)


@pytest.mark.parametrize(
    ("line", "reference"),
    [
        ("/poc snooze 14d waits for #12", "#12"),
        ("/poc snooze 3w the feature store, acme/platform#7", "acme/platform#7"),
    ],
)
def test_what_the_page_says_of_issues_is_so(line: str, reference: str) -> None:
    assert line in DOCUMENT.read_text()
    order = read_order(read_command(line), TODAY)
    assert isinstance(order, Snooze)
    assert order.waits_for(poc="acme/poc-triage", place="acme/poc-triage", but=())[1] == reference
