"""What people read of a pull request of ours: the answer that names it, and its own title and body."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import example, given

from service.rules.charter.amend import amended
from service.rules.commands.arguments import CommandArguments, Extend, HandOver, Snooze, Stop, read_order
from service.rules.commands.parsing import read_command
from service.rules.values.actions import ProposalState
from service.texts.commands import AmendView, RequestedChange, amend_view, change_of
from tests.harness.github import charter_file
from tests.harness.places import GOLDEN
from tests.unit.texts.commanding import BARE, EXAMPLE, EXTEND, MAIN, TODAY, WAIVE, charter_of
from tests.unit.texts.gates import WORST, assert_does_nothing
from tests.unit.texts.reading import NASTY, TEXTS, assert_golden, assert_reads_well

COMMENT = "https://github.com/acme/poc-triage/issues/9#issuecomment-77"
HANDED, STOPPED = HandOver("erin-x"), Stop("the baseline was good enough")
HOSTILE = (
    f"{WORST} ``` <!-- poc-governor:stall --> closes #12, fixes acme/x#3 and https://github.com/a/b/issues/4"
)


def view_of(order: CommandArguments, text: str = EXAMPLE, dates: tuple[date, ...] = ()) -> AmendView:
    assert not isinstance(order, Snooze)
    amendment = amended(charter_file(text), change_of(order, TODAY))
    assert amendment is not None
    return amend_view(order, charter_of(text), amendment, MAIN, dates)


def named(order: CommandArguments, state: ProposalState = ProposalState.OPEN, text: str = EXAMPLE) -> str:
    return TEXTS.charter_proposed(view_of(order, text), "#12", state)


def opened(order: CommandArguments, reason: str = "", login: str = "jane-doe", text: str = EXAMPLE) -> str:
    title, body = TEXTS.proposal(view_of(order, text), RequestedChange(login, reason, COMMENT))
    return f"{title}\n\n{body}"


ANSWERS: dict[str, Callable[[], str]] = {
    "answer-extend": lambda: named(EXTEND),
    "answer-extend-without-a-date": lambda: named(EXTEND, text=BARE),
    "answer-owner": lambda: named(HANDED),
    "answer-stop": lambda: named(STOPPED),
    "answer-waive": lambda: named(WAIVE),
    "answer-closed": lambda: named(EXTEND, ProposalState.CLOSED),
    "answer-merged": lambda: named(EXTEND, ProposalState.MERGED),
}
PULLS: dict[str, Callable[[], str]] = {
    "pull-extend": lambda: opened(EXTEND, EXTEND.reason),
    "pull-extend-sooner": lambda: opened(Extend(date(2027, 1, 15), "all is there"), "all is there"),
    "pull-owner": lambda: opened(HANDED),
    "pull-owner-of-nobodys": lambda: opened(HANDED, text=BARE),
    "pull-stop": lambda: opened(STOPPED, STOPPED.reason),
    "pull-waive": lambda: opened(WAIVE, WAIVE.reason),
    "pull-hostile": lambda: opened(STOPPED, HOSTILE, login="octo[bot]"),
}


@pytest.mark.parametrize("name", ANSWERS | PULLS)
def test_the_text(name: str) -> None:
    text = (ANSWERS | PULLS)[name]()
    assert_golden(f"proposals/{name}", text)
    if "hostile" not in name:
        assert_reads_well(text, links_to=(COMMENT,))
    assert_does_nothing(text.replace("#12 ", "it ") if name in ANSWERS else text, (COMMENT,))


def test_the_golden_files_are_those_of_the_tables() -> None:
    assert {path.stem for path in (GOLDEN / "proposals").glob("*.md")} == {*ANSWERS, *PULLS}


@given(NASTY)
@example(WORST)
@example("- # closes #12")
@example("x\n\n## y\n<!-- poc-governor:stall -->")
def test_nobodys_reason_can_do_anything_in_a_pull_request(reason: str) -> None:
    read = read_order(read_command(f"/poc stop {reason}"), TODAY)
    if not isinstance(read, Stop):
        return
    title, body = TEXTS.proposal(view_of(read), RequestedChange("jane-doe", read.reason, COMMENT))
    assert title == "Stop this POC"
    assert_does_nothing(body, (COMMENT,))
    assert "<!--" not in body
    # GitHub may offer the body as the message of the merged commit, where Markdown shields nothing.
    assert "closes #12" not in body
    assert "@dan-w" not in body
