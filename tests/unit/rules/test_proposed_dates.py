"""A day that is proposed for shipping is a working day, whoever proposes it, and on whatever day."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from service.rules.charter.draft import draft
from service.rules.checks.judge import judge
from service.rules.commands.arguments import read_order
from service.rules.commands.parsing import Refusal, read_command
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.calendar import USUAL
from tests.harness.charters import CHARTER

BEGIN = date(2026, 11, 22)
LINE = "ship_by: 2027-02-26\n"


def drafted(today: date) -> str:
    return draft(repository="a/b", owner="x", today=today)


def found(line: str) -> Callable[[date], str]:
    """What is found where the charter's ship date is another line."""

    def said(today: date) -> str:
        charter = CHARTER.replace(LINE, line).encode()
        findings = judge(CharterFile(FileKind.FILE, charter), today=today).errors
        return " ".join(f"{each.message} {each.fix or ''}" for each in findings)

    return said


def refused(argument: str) -> Callable[[date], str]:
    def said(today: date) -> str:
        refusal = read_order(read_command(f"/poc extend {argument}".strip()), today)
        assert isinstance(refusal, Refusal)
        return refusal.reason.partition("write")[2]

    return said


@pytest.mark.parametrize("days", range(7))
@pytest.mark.parametrize(
    ("proposes", "weeks"),
    [
        pytest.param(drafted, 12, id="draft"),
        pytest.param(found(""), 12, id="missing"),
        pytest.param(found("ship_by: TODO\n"), 12, id="open"),
        pytest.param(found("ship_by: Q1 2027\n"), 12, id="no date"),
        pytest.param(refused(""), 4, id="extend by nothing"),
        pytest.param(refused("2026-02-30 money"), 4, id="extend to no day"),
        pytest.param(refused("2026-11-01 money"), 4, id="extend to the past"),
    ],
)
def test_it_is_a_working_day(proposes: Callable[[date], str], weeks: int, days: int) -> None:
    today = BEGIN + timedelta(days=days)
    [proposed] = set(re.findall(r"2\d{3}-\d\d-\d\d", proposes(today)))
    day = date.fromisoformat(proposed)
    assert timedelta(weeks=weeks) <= day - today < timedelta(weeks=weeks, days=3)
    assert USUAL.is_working_day(day)
