"""What is missing may name the issue that it waits for: read, printed back, and signed for by nobody."""

from __future__ import annotations

import pytest

from service.rules.charter.goalposts import moved
from service.rules.charter.model import Charter
from service.rules.charter.values import InfraEntry, InfraKind, parse_infra
from service.rules.gate.signoffs import Round, material_hash
from service.rules.values.groups import Group
from tests.unit.rules.printing import print_charter
from tests.unit.rules.samples import SAMPLE, judged


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("missing", "missing"),
        ("missing - #12", "missing - #12"),
        ("missing  --  #12", "missing - #12"),
        ("missing – acme/platform.x#7", "missing - acme/platform.x#7"),
        ("missing — #123456789", "missing - #123456789"),
    ],
)
def test_what_is_missing_may_name_its_issue(written: str, text: str) -> None:
    entry = parse_infra(written)
    assert entry == InfraEntry(InfraKind.MISSING, text)
    assert entry is not None
    assert entry.written == text


@pytest.mark.parametrize(
    "written",
    [
        "missing #12",
        "missing-#12",
        "missing - 12",
        "missing - #0",
        "missing - #1234567890",
        "missing - #12 and #13",
        "missing - soon",
        "missing -",
        "missing - a/b/c#1",
        "missing - #١٢",
    ],
)
def test_anything_else_behind_it_is_refused(written: str) -> None:
    assert parse_infra(written) is None


def charter(entry: str) -> Charter:
    read = judged(SAMPLE.replace("deploy_process: missing", f"deploy_process: {entry}")).charter
    assert read is not None
    assert read.infra.deploy_process is not None
    return read


NAMED = ['"missing - #12"', "missing - acme/platform#7"]


@pytest.mark.parametrize("entry", NAMED)
def test_naming_the_issue_moves_no_goalpost_and_asks_nobody_to_sign_again(entry: str) -> None:
    before, now = charter("missing"), charter(entry)
    assert moved(before, now) == moved(now, before) == ()
    for group in Group:
        for round_ in Round:
            assert material_hash(before, group, round_) == material_hash(now, group, round_)


@pytest.mark.parametrize("entry", NAMED)
def test_it_prints_back(entry: str) -> None:
    read = charter(entry)
    assert judged(print_charter(read)).charter == read


def test_what_is_there_now_is_a_move_wherever_it_waited() -> None:
    [move] = moved(charter(NAMED[0]), charter(".github/workflows/deploy.yml"))
    assert (move.field, move.reopens) == ("infra.deploy_process", (Group.PLATFORM,))
