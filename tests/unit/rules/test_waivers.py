"""Waivers: how one is read, which line it is for, what it moves, who signs it, and when it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.charter.amend import Amendment, amended, applied, waived_by
from service.rules.charter.goalposts import MoveKind, moved
from service.rules.charter.line_keys import Key, Waiver, parse_waiver, waived_lines
from service.rules.charter.model import Charter
from service.rules.charter.quantity import Refusal
from service.rules.charter.threshold import Threshold, parse_threshold
from service.rules.checks.judge import judge
from service.rules.evidence.judging import waive
from service.rules.evidence.values import Result, Status
from service.rules.evidence.wording import verdict_text
from service.rules.gate.agreement import Agreement
from service.rules.gate.agreement import applied as held
from service.rules.gate.overview import overview
from service.rules.gate.signoffs import Round, give, material_hash
from service.rules.source.text import in_words
from service.rules.values.groups import Group
from tests.harness.charters import CHARTER
from tests.harness.github import charter_file

TODAY, END = date(2026, 11, 22), date(2026, 12, 18)
AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
LATE = Waiver(Key("latency_p95"), END, "the new cluster comes late")


def with_waivers(*lines: str) -> str:
    return CHARTER.replace(
        "signoffs:", "\n".join(["waived:", *(f"  - {line}" for line in lines), "signoffs:"])
    )


def charter(*lines: str) -> Charter:
    judgement = judge(charter_file(with_waivers(*lines) if lines else CHARTER), today=TODAY)
    assert judgement.charter is not None
    return judgement.charter


def threshold(text: str) -> Threshold:
    read = parse_threshold(text)
    assert isinstance(read, Threshold)
    return read


PLAIN, WAIVED = charter(), charter(LATE.written)


@pytest.mark.parametrize(
    ("text", "waiver"),
    [
        ("latency_p95 until 2026-12-18 - the new cluster comes late", LATE),
        ("  latency_p95   until  2026-12-18  –  the new cluster comes late ", LATE),
        ("recall for eu until 2026-12-18 - late", Waiver(Key("recall", {"for": "eu"}), END, "late")),
        (
            "recall until 2026-12-18 - until the labels come",
            Waiver(Key("recall"), END, "until the labels come"),
        ),
    ],
)
def test_a_waiver_is_read_and_written(text: str, waiver: Waiver) -> None:
    assert parse_waiver(text) == waiver
    assert parse_waiver(waiver.written) == waiver


@pytest.mark.parametrize(
    "text",
    ["", "recall", "recall until soon - late", "recall until 2026-02-30 - late", "recall until 2026-12-18",
     "recall >= 92 % until 2026-12-18 - late", "Recall until 2026-12-18 - late", "until 2026-12-18 - late"],
)  # fmt: skip
def test_what_is_no_waiver_is_refused(text: str) -> None:
    assert isinstance(parse_waiver(text), Refusal)


@given(st.text(max_size=200))
def test_any_text_is_a_waiver_or_refused(text: str) -> None:
    read = parse_waiver(text)
    assert isinstance(read, Refusal) or parse_waiver(read.written) is not None


@pytest.mark.parametrize(
    ("key", "found"),
    [
        (Key("accuracy", {"on": "eu"}), [0]),
        (Key("accuracy"), []),
        (Key("coverage"), [2, 3]),
        (Key("response_time_p95"), [4]),
        (Key("recall"), []),
    ],
    ids=["one of two", "either of two", "both bounds of one", "by its other name", "another metric"],
)
def test_a_waiver_is_for_lines_of_one_metric_and_one_condition(key: Key, found: list[int]) -> None:
    done = tuple(map(threshold, ("accuracy >= 92 % on eu", "accuracy >= 90 % on us", "coverage >= 10 %",
                                 "coverage <= 30 %", "latency_p95 <= 300 ms at 50 req/s")))  # fmt: skip
    assert waived_lines(Waiver(key, END, "late"), done) == tuple(done[place] for place in found)


@pytest.mark.parametrize(
    ("day", "until"),
    [
        pytest.param(TODAY, END, id="while it runs"),
        pytest.param(END, END, id="on its last day"),
        pytest.param(END + timedelta(days=1), None, id="on the day after"),
        pytest.param(END - timedelta(days=61), END, id="seen from where it is yesterday"),
        pytest.param(END - timedelta(days=62), None, id="longer than 60 days before"),
    ],
)
def test_a_waiver_counts_while_it_runs(day: date, until: date | None) -> None:
    missed = Result(WAIVED.done[0], Status.NOT_MEASURED, reason="measure it")
    met = Result(WAIVED.done[1], Status.MET)
    waived, other = waive((missed, met), WAIVED, day)
    assert (waived.waived, waived.met, waived.lets_ship) == (until, False, until is not None)
    assert other == met
    said = f"waived until {in_words(END)}; measure it" if until else "measure it"
    assert verdict_text(waived) == said
    shown = overview(WAIVED, (waived, other))
    assert (shown.met, shown.waived, shown.thresholds[0].verdict) == (1, int(until is not None), said)


def test_what_is_met_needs_no_waiver() -> None:
    [result] = waive((Result(WAIVED.done[0], Status.MET),), WAIVED, TODAY)
    assert result.waived is None


@pytest.mark.parametrize(
    ("before", "now", "moves"),
    [
        ((), (LATE,), [(MoveKind.WAIVED, None, "waived until 2026-12-18")]),
        ((LATE,), (replace(LATE, until=date(2027, 1, 8)),),
         [(MoveKind.WAIVED, "waived until 2026-12-18", "waived until 2027-01-08")]),
        ((LATE,), (replace(LATE, until=date(2026, 12, 1)),),
         [(MoveKind.TIGHTENED, "waived until 2026-12-18", "waived until 2026-12-01")]),
        ((LATE,), (), [(MoveKind.TIGHTENED, "waived until 2026-12-18", None)]),
        ((LATE,), (replace(LATE, reason="another"),), []),
        ((LATE,), (replace(LATE, key=Key("response_time_p95")),), []),
        ((LATE,), (replace(LATE, key=Key("latency_p95", {"at": "50 req/s"})),),
         [(MoveKind.WAIVED, None, "waived until 2026-12-18"),
          (MoveKind.TIGHTENED, "waived until 2026-12-18", None)]),
    ],
    ids=["new", "longer", "shorter", "gone", "another reason", "its other name", "for other lines"],
)  # fmt: skip
def test_a_waiver_is_a_moved_goalpost(
    before: tuple[Waiver, ...], now: tuple[Waiver, ...], moves: list[tuple[MoveKind, str | None, str | None]]
) -> None:
    found = moved(charter(*(each.written for each in before)), charter(*(each.written for each in now)))
    assert sorted((each.kind, each.before, each.now) for each in found) == sorted(moves)
    assert {each.reopens for each in found} <= {(Group.DATA_SCIENCE, Group.PRODUCT)}
    assert all(each.eases is (each.kind is MoveKind.WAIVED) for each in found)


@pytest.mark.parametrize("round_", [Round.START, Round.SHIP])
def test_it_re_opens_what_was_signed_for_done_and_for_nothing_else(round_: Round) -> None:
    changed = {
        group
        for group in Group
        if material_hash(PLAIN, group, round_) != material_hash(WAIVED, group, round_)
    }
    assert changed == {Group.DATA_SCIENCE, Group.PRODUCT}
    other = charter(replace(LATE, reason="other words").written)
    assert all(material_hash(WAIVED, each, round_) == material_hash(other, each, round_) for each in Group)


@pytest.mark.parametrize(
    ("people", "counts"),
    [
        pytest.param((), False, id="nobody"),
        pytest.param(("alice-k",), False, id="data science alone"),
        pytest.param(("mallory", "bob-m", "dan-w"), False, id="others"),
        pytest.param(("alice-k", "carol-s"), True, id="those who answer for it"),
    ],
)
def test_it_counts_once_those_who_signed_before_have_signed_it(people: tuple[str, ...], counts: bool) -> None:
    theirs = charter_file(
        with_waivers(LATE.written).replace("carol-s", "mallory").replace("alice-k", "mallory")
    )
    for now in (WAIVED, judge(theirs, today=TODAY).charter):
        assert now is not None
        given = [
            each for login in people for each in give(now, login, Round.START, AT, 7, "r", before=[PLAIN])
        ]
        assert bool(held(Agreement(PLAIN), now, given).charter.waived) is counts


def lines_of(text: str, waiver: Waiver) -> Amendment | None:
    made = amended(charter_file(text), waived_by(waiver))
    if made is not None:
        after = judge(charter_file(applied(text, made)), today=TODAY).charter
        assert after is not None
        assert waiver in [each.value for each in after.waived]
    return made


FIRST = "latency_p95 until 2026-12-18 - the new cluster comes late"
OTHER = Waiver(Key("accuracy"), END, 'labels: late # "soon"')
QUOTED = '"accuracy until 2026-12-18 - labels: late # \\"soon\\""'


@pytest.mark.parametrize(
    ("text", "waiver", "made"),
    [
        pytest.param(CHARTER, LATE, Amendment(36, None, f"waived:\n  - {FIRST}"), id="the first"),
        pytest.param(
            CHARTER.replace("signoffs:", "waived:\nsignoffs:"),
            LATE,
            Amendment(31, "waived:", f"waived:\n  - {FIRST}"),
            id="below a key that was left empty",
        ),
        pytest.param(
            with_waivers("recall until 2026-12-01 - late  # see above"),
            OTHER,
            Amendment(33, None, f"  - {QUOTED}"),
            id="one more",
        ),
        pytest.param(
            with_waivers("accuracy until 2026-12-01 - late  # see above", FIRST),
            OTHER,
            Amendment(32, "  - accuracy until 2026-12-01 - late  # see above", f"  - {QUOTED}  # see above"),
            id="in the place of an earlier one",
        ),
        pytest.param(
            with_waivers("accuracy until 2026-12-01 -\n    late", FIRST),
            OTHER,
            Amendment(32, "  - accuracy until 2026-12-01 -\n    late", f"  - {QUOTED}"),
            id="in the place of one on two lines",
        ),
        pytest.param(
            CHARTER.replace("signoffs:", f"waived: [{FIRST}]\nsignoffs:"),
            OTHER,
            None,
            id="a list in brackets",
        ),
        pytest.param(with_waivers("a: b", FIRST), OTHER, None, id="a list with what is no line"),
    ],
)
def test_the_line_to_write_keeps_all_the_others(text: str, waiver: Waiver, made: Amendment | None) -> None:
    assert lines_of(text, waiver) == made
