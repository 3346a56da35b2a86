"""What people read when goalposts moved."""

from __future__ import annotations

from service.rules.evidence.values import Result
from service.rules.values.actions import Conclusion
from tests.harness.github import charter_file
from tests.harness.golden import assert_golden
from tests.harness.places import CHARTERS, GOLDEN
from tests.unit.texts.reading import Shown, assert_reads_well, measured

MOVED = GOLDEN / "goalposts" / "goalposts.md"
MEASURED = MOVED.with_name("goalposts-measured.md")
EXAMPLE = (CHARTERS / "ok" / "example.md").read_text()
COST = "  - cost_per_request < 0.02 USD\n"


def shown(new: str, title: str, results: tuple[Result, ...] = ()) -> Shown:
    before = charter_file(EXAMPLE)
    return Shown("goalposts", title, Conclusion.SUCCESS, charter_file(new), before, before, results=results)


def test_a_loosened_threshold_and_all_the_rest() -> None:
    text = EXAMPLE.replace(">= 92 %", ">= 88 %").replace(COST, "").replace("2027-02-26", "2027-04-01")
    text = text.replace(".github/workflows/eval.yml", "missing").replace(
        "  drilled: 2026-11-12 in 4 min\n", ""
    )
    text = text.replace("over 7 d", "over 1 d").replace("okta-oidc", "basic|`@jane`")
    expected = "Charter complete; 1 threshold loosened, 1 deleted, 1 measured differently, ship date later, "
    output = shown(text, "").output
    assert (output.conclusion, output.title) == (
        Conclusion.SUCCESS,
        f"{expected}other target, rollback withdrawn, infra withdrawn",
    )
    assert_golden(MOVED, output.summary)
    assert_reads_well(output.summary)


def test_what_was_measured_stands_beside_what_moved() -> None:
    results = measured(
        charter_file(EXAMPLE), accuracy="89.1 %", latency_p95="340 ms", cost_per_request="2 USD"
    )
    text = EXAMPLE.replace(">= 92 %", ">= 88 %").replace(COST, "").replace("2027-02-26", "2027-04-01")
    output = shown(text, "", results).output
    assert_golden(MEASURED, output.summary)
    assert_reads_well(output.summary)


def test_a_number_of_another_bound_is_shown_without_that_bounds_verdict() -> None:
    text = EXAMPLE.replace(">= 92 %", ">= 88 %")
    summary = shown(text, "", measured(charter_file(EXAMPLE), accuracy="89.1 %")).output.summary
    assert summary.count("89.1 % on 9 November 2026 |") == 2
    same = shown(text, "", measured(charter_file(text), accuracy="87 %")).output.summary
    assert same.count("87 % on 9 November 2026 (missed) |") == 2


def test_where_nothing_was_measured_the_table_is_as_it_was() -> None:
    text = EXAMPLE.replace(">= 92 %", ">= 88 %")
    assert shown(text, "", measured(charter_file(text))).output == shown(text, "").output


def test_what_it_runs_on_and_the_way_back_are_platforms() -> None:
    text = EXAMPLE.replace("within: 10 min", "within: 1 h").replace("eval.yml", "evaluate.yml")
    text = text.replace("deploy_process: missing", "deploy_process: n/a - by hand | `@jane`")
    output = shown(text, "").output
    assert output.title == "Charter complete; slower rollback, infra supplied"
    assert [(note.start_line, note.level) for note in output.annotations] == [(26, "warning")]
    assert "| `way back within` | `10 min` | **`1 h`** |" in output.summary
    assert "Before shipping, platform (`bob-m`) signs again." in output.summary
    assert_reads_well(output.summary)


def test_the_title_of_the_reference() -> None:
    output = shown(EXAMPLE.replace(">= 92 %", ">= 88 %"), "").output
    assert output.title == "Charter complete; 1 threshold loosened"


def test_a_ship_date_alone_is_no_table_of_thresholds() -> None:
    output = shown(EXAMPLE.replace("2027-02-26", "2027-04-01"), "").output
    assert output.title == "Charter complete; ship date later"
    assert "| ships by" in output.summary
    assert "Before shipping, product (`carol-s`) signs again." in output.summary
    assert_reads_well(output.summary)


def test_observing_holds_nothing_up_and_says_the_same() -> None:
    before = charter_file(EXAMPLE)
    text = charter_file(EXAMPLE.replace(">= 92 %", ">= 88 %"))
    output = Shown("x", "x", Conclusion.NEUTRAL, text, before, before, observe=True).output
    assert output.title == "Charter complete; 1 threshold loosened (observing)"


def test_a_branch_that_is_behind_moved_nothing() -> None:
    now = charter_file(EXAMPLE.replace(">= 92 %", ">= 88 %"))
    before = charter_file(EXAMPLE)
    output = Shown("x", "x", Conclusion.SUCCESS, before, now, before).output
    assert output.title == "Charter complete on main"
    assert output.annotations == ()


def test_a_waiver_is_shown_and_signed_by_those_who_sign_for_done() -> None:
    text = EXAMPLE.replace("signoffs:", "waived:\n  - error_rate until 2026-12-18 - late logs\nsignoffs:")
    output = shown(text, "").output
    assert output.title == "Charter complete; 1 threshold waived"
    assert [(note.start_line, note.level) for note in output.annotations] == [(34, "warning")]
    assert output.annotations[0].message == (
        "`error_rate` may be missed (`waived until 2026-12-18`): data science and product sign again"
    )
    assert "| `error_rate` | not there | **`waived until 2026-12-18`** |" in output.summary
    assert "data science (`alice-k`) and product (`carol-s`) sign again." in output.summary
    assert "| waived until 18 December 2026 | `error_rate`: late logs |" in output.summary
    assert_reads_well(output.summary)
