"""Which charter a commit is judged by, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest

from service.rules.checks.judge import declares, judge
from service.rules.checks.verdict import ChangeKind, conclude, needs_merge_base, same, situate
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.actions import Conclusion
from tests.harness.charters import GOOD as EXAMPLE
from tests.harness.github import charter_file
from tests.harness.places import CHARTERS

TODAY = date(2026, 11, 23)
NONE = charter_file(None)
GOOD = charter_file((CHARTERS / "ok" / "example.md").read_bytes())
OTHER = charter_file((CHARTERS / "ok" / "example.md").read_bytes().replace(b"2027-02-26", b"2027-03-05"))
BAD = charter_file((CHARTERS / "err" / "several.md").read_bytes())
STOPPED = charter_file((CHARTERS / "ok" / "stopped-early.md").read_bytes())
PROSE = charter_file("# A POC.md that is about something else\n")
BINARY = charter_file(b"\x00\x01")
FOLDER = CharterFile(FileKind.DIRECTORY)
LINK = CharterFile(FileKind.SYMLINK, blob_sha="4" * 40)


@dataclass(frozen=True)
class Row:
    says: str
    head: CharterFile
    base: CharterFile
    merge_base: CharterFile | None
    situation: ChangeKind
    judged: CharterFile | None
    conclusion: Conclusion
    author: str = "jane-doe"


ROWS = [
    Row("no charter anywhere", NONE, NONE, None, ChangeKind.NO_CHARTER, None, Conclusion.ACTION_REQUIRED),
    Row(
        "a POC.md of another kind is no charter",
        PROSE,
        PROSE,
        None,
        ChangeKind.NO_CHARTER,
        PROSE,
        Conclusion.ACTION_REQUIRED,
    ),
    Row(
        "a POC.md of another kind is added",
        PROSE,
        NONE,
        None,
        ChangeKind.NO_CHARTER,
        PROSE,
        Conclusion.ACTION_REQUIRED,
    ),
    Row(
        "no charter, by dependabot",
        NONE,
        NONE,
        None,
        ChangeKind.NO_CHARTER,
        None,
        Conclusion.NEUTRAL,
        "dependabot[bot]",
    ),
    Row(
        "no charter, by renovate",
        NONE,
        NONE,
        None,
        ChangeKind.NO_CHARTER,
        None,
        Conclusion.NEUTRAL,
        "renovate[bot]",
    ),
    Row(
        "a person may not call himself dependabot",
        NONE,
        NONE,
        None,
        ChangeKind.NO_CHARTER,
        None,
        Conclusion.ACTION_REQUIRED,
        "dependabot",
    ),
    Row("the first charter, and good", GOOD, NONE, None, ChangeKind.OWN, GOOD, Conclusion.SUCCESS),
    Row("the first charter, with errors", BAD, NONE, None, ChangeKind.OWN, BAD, Conclusion.FAILURE),
    Row(
        "the first charter, by a bot",
        BAD,
        NONE,
        None,
        ChangeKind.OWN,
        BAD,
        Conclusion.FAILURE,
        "renovate[bot]",
    ),
    Row("untouched and good", GOOD, GOOD, None, ChangeKind.OWN, GOOD, Conclusion.SUCCESS),
    Row("untouched with errors", BAD, BAD, None, ChangeKind.OWN, BAD, Conclusion.FAILURE),
    Row("behind the base's charter", GOOD, OTHER, GOOD, ChangeKind.BEHIND, OTHER, Conclusion.SUCCESS),
    Row("behind a base that was fixed", BAD, GOOD, BAD, ChangeKind.BEHIND, GOOD, Conclusion.SUCCESS),
    Row("lacks the base's charter", NONE, GOOD, NONE, ChangeKind.BEHIND, GOOD, Conclusion.SUCCESS),
    Row(
        "lacks the base's charter, which has errors",
        NONE,
        BAD,
        NONE,
        ChangeKind.BEHIND,
        BAD,
        Conclusion.FAILURE,
    ),
    Row("changed on the branch", OTHER, GOOD, GOOD, ChangeKind.OWN, OTHER, Conclusion.SUCCESS),
    Row("changed on both", OTHER, STOPPED, GOOD, ChangeKind.OWN, OTHER, Conclusion.SUCCESS),
    Row("spoilt on the branch", BAD, GOOD, GOOD, ChangeKind.OWN, BAD, Conclusion.FAILURE),
    Row("stopped on the branch", STOPPED, GOOD, GOOD, ChangeKind.OWN, STOPPED, Conclusion.SUCCESS),
    Row("deleted or renamed", NONE, GOOD, GOOD, ChangeKind.DELETED, None, Conclusion.FAILURE),
    Row(
        "deleted, by dependabot",
        NONE,
        GOOD,
        GOOD,
        ChangeKind.DELETED,
        None,
        Conclusion.FAILURE,
        "dependabot[bot]",
    ),
    Row("its block was taken out", PROSE, GOOD, GOOD, ChangeKind.DELETED, PROSE, Conclusion.FAILURE),
    Row("replaced by binary", BINARY, GOOD, GOOD, ChangeKind.OWN, BINARY, Conclusion.FAILURE),
    Row("a folder of that name", FOLDER, NONE, None, ChangeKind.OWN, FOLDER, Conclusion.FAILURE),
    Row("a dangling link of that name", LINK, NONE, None, ChangeKind.OWN, LINK, Conclusion.FAILURE),
    Row("a folder replaced", GOOD, FOLDER, None, ChangeKind.OWN, GOOD, Conclusion.SUCCESS),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.says)
def test_a_row_of_the_table(row: Row) -> None:
    case = situate(row.head, row.base, row.merge_base)
    verdict = conclude(case, author=row.author, observe=False, today=TODAY)
    assert (case.situation, case.judged, verdict.conclusion) == (row.situation, row.judged, row.conclusion)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.says)
def test_observing_says_the_same_and_holds_nothing_up(row: Row) -> None:
    case = situate(row.head, row.base, row.merge_base)
    enforced = conclude(case, author=row.author, observe=False, today=TODAY)
    observed = conclude(case, author=row.author, observe=True, today=TODAY)
    assert observed.conclusion is Conclusion.NEUTRAL
    assert (observed.case, observed.judgement) == (enforced.case, enforced.judgement)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.says)
def test_the_merge_base_is_asked_for_only_where_it_decides(row: Row) -> None:
    assert needs_merge_base(row.head, row.base) is (row.merge_base is not None)
    if row.merge_base is not None:
        with pytest.raises(ValueError, match="the merge base is needed"):
            situate(row.head, row.base, None)
    elif not declares(row.base):
        assert situate(row.head, row.base, GOOD) == situate(row.head, row.base, None)


@pytest.mark.parametrize(
    ("base", "today", "conclusion"),
    [
        pytest.param(
            GOOD, date(2027, 3, 1), Conclusion.SUCCESS, id="time alone turns nobody else's work red"
        ),
        pytest.param(
            NONE, date(2027, 3, 1), Conclusion.FAILURE, id="writing a date that has passed is an error"
        ),
    ],
)
def test_a_ship_date_that_has_passed(base: CharterFile, today: date, conclusion: Conclusion) -> None:
    verdict = conclude(situate(GOOD, base, None), author="jane-doe", observe=False, today=today)
    assert verdict.conclusion is conclusion


def test_a_charter_is_compared_with_the_one_it_began_with_not_with_the_bases_tip() -> None:
    case = situate(OTHER, STOPPED, GOOD)
    assert case.before == GOOD


def test_two_kinds_without_a_blob_are_not_the_same() -> None:
    assert not same(FOLDER, CharterFile(FileKind.SUBMODULE))
    assert same(FOLDER, CharterFile(FileKind.DIRECTORY))


EASED = charter_file(EXAMPLE.replace(">= 92 %", ">= 10 %"))
TIGHTER = charter_file(EXAMPLE.replace(">= 92 %", ">= 95 %"))


@pytest.mark.parametrize(
    ("between", "before"),
    [
        pytest.param(GOOD, ">= 92 %", id="the charter itself"),
        pytest.param(TIGHTER, ">= 95 %", id="a tighter one"),
        pytest.param(STOPPED, ">= 92 %", id="a stop"),
        pytest.param(BAD, ">= 92 %", id="a charter with errors"),
        pytest.param(NONE, ">= 92 %", id="no charter"),
        pytest.param(PROSE, ">= 92 %", id="prose"),
        pytest.param(BINARY, ">= 92 %", id="what nobody can read"),
    ],
)
def test_goalposts_are_compared_with_the_last_charter_that_counted(between: CharterFile, before: str) -> None:
    agreed = judge(GOOD, today=TODAY).charter
    for head in (EASED, charter_file(EXAMPLE.replace(">= 92 %", ">= 10 %").replace("carol-s", "mallory"))):
        case = situate(head, between, between if needs_merge_base(head, between) else None)
        verdict = conclude(case, author="jane-doe", observe=False, today=TODAY, agreed=agreed)
        [move] = [each for each in verdict.moves if each.field == "done"]
        assert (move.before, move.now) == (before, ">= 10 %")


def test_an_untouched_charter_is_compared_with_itself() -> None:
    case = situate(EASED, EASED, None)
    agreed = judge(GOOD, today=TODAY).charter
    assert conclude(case, author="jane-doe", observe=False, today=TODAY, agreed=agreed).moves == ()
