"""The exact line for a change of a charter: it says the new value, and changes nothing else."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.charter.amend import Amendment, Change, amended, applied, owned_by, shipping_on, stopped_on
from service.rules.charter.model import Charter, Located
from service.rules.charter.values import Stop
from service.rules.checks.judge import Judgement, judge
from service.rules.commands.arguments import reason_of
from service.rules.source.text import CharterFile, FileKind, read_text
from tests.harness.places import CHARTERS
from tests.unit.rules.samples import SAMPLE, TODAY

GOOD = sorted((CHARTERS / "ok").glob("*.md"))
ALL = sorted(CHARTERS.glob("*/*.md"))
DAY = date(2027, 3, 15)
CHANGES = [shipping_on(DAY), owned_by("erin-x"), stopped_on(TODAY, "the baseline was good enough")]
NOT_COMPARED = frozenset({"line", "last_line", "done_line"})


def file(text: str | bytes) -> CharterFile:
    return CharterFile(FileKind.FILE, text.encode() if isinstance(text, str) else text)


def judged(text: str) -> Judgement:
    return judge(file(text), today=TODAY)


def others(charter: Charter, key: str) -> dict[str, object]:
    kept = [name for name in Charter.__slots__ if name not in NOT_COMPARED | {key}]
    return {name: getattr(charter, name) for name in kept}


def assert_says(text: str, change: Change) -> Amendment:
    """The amendment, once it was made and compared."""
    amendment = amended(file(text), change)
    assert amendment is not None
    before, now = judged(text), judged(applied(text, amendment))
    assert before.charter is not None
    assert now.charter is not None
    said = getattr(now.charter, change.key)
    assert isinstance(said, Located)
    assert said.value == change.value
    assert said.line == amendment.line
    assert others(before.charter, change.key) == others(now.charter, change.key)
    return amendment


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.key)
@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_charter_stays_good_and_says_the_new_value(path: Path, change: Change) -> None:
    text = read_text(file(path.read_bytes()))
    assert isinstance(text, str)
    amendment = assert_says(text, change)
    made = applied(text, amendment)
    assert judged(made).valid == judged(text).valid
    # Only lines from the amendment's on differ, and as many as it replaces.
    old, new = text.split("\n"), made.split("\n")
    replaced = len(amendment.before.split("\n")) if amendment.before is not None else 0
    written, start = len(amendment.after.split("\n")), amendment.line - 1
    assert (old[:start], old[start + replaced :]) == (new[:start], new[start + written :])
    assert all(line.endswith("\r") == ("\r\n" in text) for line in new[start : start + written])


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_of_any_charter_either_the_one_value_changes_or_nothing_is_proposed(path: Path) -> None:
    text = read_text(file(path.read_bytes()))
    for change in CHANGES if isinstance(text, str) else ():
        assert isinstance(text, str)
        if amended(file(text), change) is not None:
            assert_says(text, change)


def lines(text: str) -> str:
    return f"# Title\n\nProse.\n\n```yaml\n{text}```\n"


@pytest.mark.parametrize(
    ("text", "change", "expected"),
    [
        pytest.param(
            "poc: 1\nship_by: 2027-02-26\n",
            shipping_on(DAY),
            Amendment(7, "ship_by: 2027-02-26", "ship_by: 2027-03-15"),
            id="a line",
        ),
        pytest.param(
            "poc: 1\nship_by:   2027-02-26  # agreed on Monday\n",
            shipping_on(DAY),
            Amendment(
                7,
                "ship_by:   2027-02-26  # agreed on Monday",
                "ship_by:   2027-03-15  # agreed on Monday",
            ),
            id="spaces and a comment",
        ),
        pytest.param(
            "poc: 1\nowner: 'jane-doe'\n",
            owned_by("erin-x"),
            Amendment(7, "owner: 'jane-doe'", "owner: 'erin-x'"),
            id="single quotes",
        ),
        pytest.param(
            'poc: 1\n"owner" : "jane-doe" # she\n',
            owned_by("erin_acme"),
            Amendment(7, '"owner" : "jane-doe" # she', '"owner" : "erin_acme" # she'),
            id="a quoted key",
        ),
        pytest.param(
            "poc: 1\nowner:\nship_by: 2027-02-26\n",
            owned_by("erin-x"),
            Amendment(7, "owner:", "owner: erin-x"),
            id="no value yet",
        ),
        pytest.param(
            "poc: 1\nowner: # who?\nship_by: 2027-02-26\n",
            owned_by("erin-x"),
            Amendment(7, "owner: # who?", "owner: erin-x # who?"),
            id="a comment in place of a value",
        ),
        pytest.param(
            "poc: 1\nowner:\n  jane-doe  # for now\nship_by: 2027-02-26\n",
            owned_by("erin-x"),
            Amendment(7, "owner:\n  jane-doe  # for now", "owner: erin-x  # for now"),
            id="a value on the next line",
        ),
        pytest.param(
            "poc: 1\nowner: >-\n  jane-doe\n\n\nship_by: 2027-02-26\n",
            owned_by("erin-x"),
            Amendment(7, "owner: >-\n  jane-doe", "owner: erin-x"),
            id="a folded value",
        ),
        pytest.param(
            "poc: 1\nowner: jane-doe\ntarget:\n  auth: okta\n",
            shipping_on(DAY),
            Amendment(8, None, "ship_by: 2027-03-15"),
            id="a key that is lacking comes below its neighbour",
        ),
        pytest.param(
            "poc: 1\ntarget:\n  auth: okta\n",
            owned_by("erin-x"),
            Amendment(7, None, "owner: erin-x"),
            id="an owner comes first",
        ),
        pytest.param(
            "poc: 1\nowner: jane-doe\n\n# the end\n\n",
            stopped_on(TODAY, "enough"),
            Amendment(10, None, "stopped: 2026-11-22 - enough"),
            id="a stop comes last",
        ),
        pytest.param(
            "poc: 1\nstopped:\nowner: jane-doe\n",
            stopped_on(TODAY, "enough"),
            Amendment(7, "stopped:", "stopped: 2026-11-22 - enough"),
            id="a stop that was left empty",
        ),
        pytest.param(
            "poc: 1\nrollback:\n  how: |\n    turn it off\n",
            stopped_on(TODAY, 'too dear: 3 USD a ticket # not "0.02"'),
            Amendment(10, None, 'stopped: "2026-11-22 - too dear: 3 USD a ticket # not \\"0.02\\""'),
            id="a reason that needs quotes, below a block of text",
        ),
    ],
)
def test_a_line_keeps_the_style_of_its_block(text: str, change: Change, expected: Amendment) -> None:
    assert assert_says(lines(text), change) == expected


def test_a_fence_that_is_indented_stays_so() -> None:
    text = "".join(f"  {line}\n" for line in SAMPLE.splitlines())
    assert assert_says(text, stopped_on(TODAY, "enough")).after == "  stopped: 2026-11-22 - enough"
    assert assert_says(text, owned_by("erin-x")).after == "  owner: erin-x"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("# No charter\n", id="no charter"),
        pytest.param(lines("poc: 1\nowner: [jane-doe, erin-x]\n"), id="an owner that is a list"),
        pytest.param(lines("poc: 1\nowner: {a: b\n"), id="no YAML"),
        pytest.param(lines("poc: 1\n- a\n"), id="no mapping"),
        pytest.param("```yaml\npoc: 1\nowner: jane-doe\n", id="a block that is not closed"),
    ],
)
def test_where_no_line_can_be_named_none_is(text: str) -> None:
    assert amended(file(text), owned_by("erin-x")) is None


@pytest.mark.parametrize("kind", [FileKind.ABSENT, FileKind.DIRECTORY, FileKind.TOO_LARGE])
def test_what_is_no_file_has_no_lines(kind: FileKind) -> None:
    assert amended(CharterFile(kind), owned_by("erin-x")) is None


@given(st.text(max_size=300))
def test_whatever_the_reason_it_reads_back(words: str) -> None:
    reason = reason_of(words)
    if reason:
        assert_says(SAMPLE, stopped_on(TODAY, reason))


def test_a_stop_can_be_read_again() -> None:
    amendment = assert_says(SAMPLE, stopped_on(TODAY, "enough"))
    charter = judged(applied(SAMPLE, amendment)).charter
    assert charter is not None
    assert charter.stopped is not None
    assert charter.stopped.value == Stop(TODAY, "enough")
