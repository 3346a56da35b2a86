"""Judging: every status, every sign, every unit; what was not measured is never met."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.charter.quantity import Refusal
from service.rules.charter.threshold import parse_threshold
from service.rules.charter.units import NO_UNIT, unit_of
from service.rules.evidence.judging import REFUSALS, inside_error_bar, judge_all, judge_line
from service.rules.evidence.values import Demands, Measurement, Reading, Status, Unread
from service.rules.evidence.wording import measured_text, verdict_text
from service.rules.values.groups import Level
from tests.unit.rules.measurements import ANY, FILE, NOW, PRODUCTION, STAGING, STRICT, found, sent, threshold

MET, MISSED, WITHIN = Status.MET, Status.MISSED, Status.MET_WITHIN_ERROR
IMPLAUSIBLE, TOO_OLD, TOO_FEW = Status.IMPLAUSIBLE, Status.TOO_OLD, Status.TOO_FEW
ELSEWHERE, OTHERWISE = Status.WRONG_ENVIRONMENT, Status.WRONG_CONDITIONS


def status(line: str, *readings: Reading, demands: Demands = ANY) -> Status:
    return judge_line(threshold(line), readings, demands).status


@pytest.mark.parametrize(
    ("line", "value", "expected"),
    [
        pytest.param("latency_p95 <= 300 ms", "300 ms", MET, id="<= holds at its bound"),
        pytest.param("latency_p95 <= 300 ms", "300.0001 ms", MISSED, id="<= fails above"),
        pytest.param("latency_p95 < 300 ms", "299.9999 ms", MET, id="< holds below"),
        pytest.param("latency_p95 < 300 ms", "300 ms", MISSED, id="< fails at its bound"),
        pytest.param("throughput >= 50 req/s", "50 req/s", MET, id=">= holds at its bound"),
        pytest.param("throughput >= 50 req/s", "49.9 req/s", MISSED, id=">= fails below"),
        pytest.param("throughput > 50 req/s", "50.1 req/s", MET, id="> holds above"),
        pytest.param("throughput > 50 req/s", "50 req/s", MISSED, id="> fails at its bound"),
        pytest.param("memory_peak == 1 GB", "1000 MB", MET, id="== holds in another unit"),
        pytest.param("memory_peak == 1 GB", "1 GiB", MISSED, id="== fails where it is not the same"),
        pytest.param("latency_p95 <= 300 ms", "0.3 s", MET, id="seconds against milliseconds"),
        pytest.param("latency_p95 < 300 ms", "0.3 s", MISSED, id="equal in another unit is still equal"),
        pytest.param("throughput >= 100 req/min", "1.67 req/s", MET, id="a minute that no decimal divides"),
        pytest.param("throughput >= 1 req/s", "60 requests/min", MET, id="a plural in another rate"),
        pytest.param("accuracy >= 92 %", "0.92", MET, id="a bare number is a ratio"),
        pytest.param("accuracy >= 92 %", "92 %", MET, id="percents against percents"),
        pytest.param("accuracy >= 92 %", "0.92 ratio", MET, id="a ratio against percents"),
        pytest.param("accuracy >= 0.92", "92 %", MET, id="percents against a bare bound"),
        pytest.param("accuracy >= 92 %", "919999 ppm", MISSED, id="a millionth short"),
        pytest.param("accuracy >= 92 %", f"0.91{'9' * 60}", MISSED, id="short by less than 34 digits show"),
        pytest.param("accuracy >= 92 %", "92", IMPLAUSIBLE, id="92 is no ratio"),
        pytest.param("accuracy >= 92 %", "93.4", IMPLAUSIBLE, id="93.4 is no ratio"),
        pytest.param("accuracy >= 92 %", "140 %", IMPLAUSIBLE, id="more than all"),
        pytest.param("accuracy >= 92 %", "-0.1", IMPLAUSIBLE, id="less than none"),
        pytest.param("accuracy >= 92 %", "212 ms", IMPLAUSIBLE, id="a time is no ratio"),
        pytest.param("accuracy >= 92 %", "NaN", IMPLAUSIBLE, id="not a number"),
        pytest.param("accuracy >= 92 %", "Infinity", IMPLAUSIBLE, id="infinite"),
        pytest.param("pages_read >= 5 pages", "1e999999999 pages", IMPLAUSIBLE, id="beyond all writing"),
        pytest.param("latency_p95 <= 300 ms", "212", IMPLAUSIBLE, id="212 of what"),
        pytest.param("latency_p95 <= 300 ms", "0 ms", IMPLAUSIBLE, id="nothing takes no time"),
        pytest.param("concurrency >= 50 users", "50.5 users", IMPLAUSIBLE, id="half a user"),
        pytest.param("cost_per_request < 0.02 USD", "0.013 EUR", IMPLAUSIBLE, id="another currency"),
        pytest.param("cost_per_request < 0.02 USD", "0.013 $", MET, id="a sign is its currency"),
        pytest.param("wer <= 12 %", "1.3", MISSED, id="an error rate may exceed all"),
        pytest.param("mcc >= 0.6", "61 %", MET, id="a coefficient of one in percents"),
        pytest.param("mcc >= 60 %", "0.61", MET, id="a bare coefficient against percents"),
        pytest.param("bleu >= 41 %", "41", IMPLAUSIBLE, id="a free scale is not guessed"),
        pytest.param("bleu >= 41", "41.2", MET, id="a free scale by itself"),
        pytest.param("bleu >= 41", "92 %", IMPLAUSIBLE, id="percents against a free scale"),
        pytest.param("perplexity <= 12", "0.5", IMPLAUSIBLE, id="below the least perplexity"),
        pytest.param("rmse <= 40 °C", "39 °C", MET, id="a unit of its own"),
        pytest.param("rmse <= 40 °C", "39 K", IMPLAUSIBLE, id="another unit of its own"),
        pytest.param("routed >= 80 %", "0.9", IMPLAUSIBLE, id="an unknown metric's bare number"),
        pytest.param("routed >= 80 %", "90 %", MET, id="an unknown metric in percents"),
        pytest.param("routed >= 80", "90", MET, id="an unknown metric without units"),
        pytest.param("cost_saving >= -3 USD", "-4 USD", MISSED, id="below a negative bound"),
        pytest.param("hallucination_rate <= 0 %", "0", MET, id="none of none allowed"),
    ],
)
def test_the_bound_decides_exactly(line: str, value: str, expected: Status) -> None:
    metric = line.split(maxsplit=1)[0]
    assert status(line, found(metric, value)) is expected
    assert status(line, sent(metric, value), demands=STRICT) is expected


LINE = "accuracy >= 92 % on tickets with n >= 2000"
LOADED = "latency_p95 <= 300 ms at 50 req/s"
WINDOWED = "error_rate < 0.5 % over 7 d"


@pytest.mark.parametrize(
    ("line", "number", "expected"),
    [
        pytest.param(LINE, sent("accuracy", "96 %", on="tickets", n=2000), MET, id="all as asked"),
        pytest.param(LINE, sent("accuracy", "96 %", on="tickets", n=1999), TOO_FEW, id="one sample short"),
        pytest.param(LINE, sent("accuracy", "96 %", on="tickets"), TOO_FEW, id="samples not said"),
        pytest.param(LINE, sent("accuracy", "96 %", on="Tickets", n=2000), OTHERWISE, id="another data set"),
        pytest.param(LINE, sent("accuracy", "96 %", n=2000), OTHERWISE, id="data set not said"),
        pytest.param("accuracy >= 92 %", sent("accuracy", "96 %", n=0), TOO_FEW, id="of no sample at all"),
        pytest.param(LOADED, sent("latency_p95", "1 ms", at="50 req/s"), MET, id="at the load"),
        pytest.param(LOADED, sent("latency_p95", "1 ms", at="3000 req/min"), MET, id="the load otherwise"),
        pytest.param(LOADED, sent("latency_p95", "1 ms", at="80 req/s"), MET, id="at a higher load"),
        pytest.param(LOADED, sent("latency_p95", "1 ms", at="49.9 req/s"), OTHERWISE, id="at a lower load"),
        pytest.param(
            LOADED, sent("latency_p95", "1 ms", at="50 users"), OTHERWISE, id="another kind of load"
        ),
        pytest.param(LOADED, sent("latency_p95", "1 ms"), OTHERWISE, id="load not said"),
        pytest.param(WINDOWED, sent("error_rate", "0 %", over="1 week"), MET, id="the window otherwise"),
        pytest.param(WINDOWED, sent("error_rate", "0 %", over="167 h"), OTHERWISE, id="an hour short"),
        pytest.param(WINDOWED, sent("error_rate", "0 %"), OTHERWISE, id="window not said"),
        pytest.param(LOADED, sent("latency_p95", "1 ms", environment="dev"), ELSEWHERE, id="in dev"),
        pytest.param(LOADED, sent("latency_p95", "1 ms", environment=None), ELSEWHERE, id="nowhere"),
        pytest.param(
            LOADED,
            sent("latency_p95", "1 ms", environment="Support-PROD", at="50 req/s"),
            MET,
            id="GitHub minds no case",
        ),
        pytest.param(LINE, found("accuracy", "96 %"), MET, id="a file is taken at the charter's word"),
        pytest.param(LOADED, found("latency_p95", "212 ms"), MET, id="so is its load"),
        pytest.param(WINDOWED, found("error_rate", "0.001"), MET, id="and its window"),
        pytest.param("recall >= 80 % for eu", found("recall", "0.9"), MET, id="and its segment"),
        pytest.param(LINE, found("accuracy", "96 %", days=14), MET, id="fourteen days old"),
        pytest.param(LINE, found("accuracy", "96 %", days=14.001), TOO_OLD, id="a minute more"),
        pytest.param(LINE, found("accuracy", "96 %", days=-1), MET, id="of a clock that runs ahead"),
    ],
)
def test_a_number_counts_or_not(line: str, number: Measurement, expected: Status) -> None:
    result = judge_line(threshold(line), [number], ANY)
    assert result.status is expected
    assert result.measurement == number
    assert bool(result.reason) is (expected in REFUSALS)


def test_what_a_measured_number_does_not_say_does_not_hold() -> None:
    silent = replace(sent("accuracy", "96 %"), conditions=None)
    assert status("accuracy >= 92 %", silent) is ELSEWHERE


def test_a_file_that_says_its_conditions_is_held_to_them() -> None:
    small = replace(found("accuracy", "96 %"), conditions=sent("accuracy", "1", on="tickets", n=5).conditions)
    assert status(LINE, small) is TOO_FEW


def test_a_charter_without_an_environment_lets_nothing_measured_count() -> None:
    nowhere = replace(ANY, environments=())
    assert status("accuracy >= 92 %", sent("accuracy", "96 %"), demands=nowhere) is ELSEWHERE
    assert status("accuracy >= 92 %", found("accuracy", "96 %"), demands=nowhere) is MET


def test_reasons_are_asked_in_their_order() -> None:
    line = LINE.replace("tickets", "tickets at 50 req/s")
    worst = sent("accuracy", "96", days=20, environment="dev")
    better: list[tuple[Measurement, Status]] = [
        (worst, IMPLAUSIBLE),
        (sent("accuracy", "96 %", days=20, environment="dev"), TOO_OLD),
        (sent("accuracy", "96 %", environment="dev"), ELSEWHERE),
        (sent("accuracy", "96 %"), OTHERWISE),
        (sent("accuracy", "96 %", on="tickets", at="50 req/s"), TOO_FEW),
        (sent("accuracy", "90 %", on="tickets", at="50 req/s", n=2000), MISSED),
    ]
    assert [status(line, number) for number, _ in better] == [expected for _, expected in better]
    for until in range(1, len(better) + 1):
        nearest, expected = better[until - 1]
        result = judge_line(threshold(line), [number for number, _ in better[:until]], ANY)
        assert (result.status, result.measurement) == (expected, nearest)


def test_where_measured_numbers_are_asked_for_an_environment_that_was_written_by_hand_does_not_count() -> (
    None
):
    line = threshold("accuracy >= 92 %")
    typed = replace(sent("accuracy", "99 %"), level=Level.SELF_REPORTED)
    assert judge_line(line, [typed], ANY).status is MET
    refused = judge_line(line, [typed], STRICT)
    assert (refused.status, refused.reason) == (
        Status.SELF_REPORTED,
        "self-reported: its job has no `environment`, give it one",
    )
    elsewhere = replace(sent("accuracy", "99 %", environment="dev"), level=Level.SELF_REPORTED)
    assert judge_line(line, [elsewhere], ANY).status is Status.WRONG_ENVIRONMENT
    assert judge_line(line, [typed, sent("accuracy", "90 %")], ANY).status is Status.MISSED


def test_of_equal_reasons_the_newest_is_shown() -> None:
    old, new = (sent("accuracy", "96 %", days=days, environment="dev") for days in (3, 2))
    assert judge_line(threshold(LINE), [old, new], ANY).measurement is new
    assert judge_line(threshold(LINE), [new, old], ANY).measurement is new


def test_measured_goes_before_self_reported_and_then_the_newest() -> None:
    line = threshold("accuracy >= 92 %")
    file, older, newer = found("accuracy", "99 %"), *(sent("accuracy", "90 %", days=d) for d in (9, 8))
    assert judge_line(line, [file, older, newer], ANY).measurement is newer
    assert judge_line(line, [newer, older, file], ANY).measurement is newer
    twin = replace(newer, value=Decimal(99))
    assert judge_line(line, [newer, twin], ANY).measurement is newer


def test_a_self_reported_number_counts_where_no_measured_one_does() -> None:
    file, elsewhere = found("accuracy", "99 %"), sent("accuracy", "90 %", environment="dev")
    result = judge_line(threshold("accuracy >= 92 %"), [elsewhere, file], ANY)
    assert (result.status, result.measurement) == (MET, file)


def test_where_measured_numbers_are_asked_for_a_file_does_not_count() -> None:
    line, file = threshold("accuracy >= 92 %"), found("accuracy", "99 %", days=30)
    alone = judge_line(line, [file], STRICT)
    assert (alone.status, alone.measurement, alone.met) == (Status.SELF_REPORTED, file, False)
    old = sent("accuracy", "99 %", days=30)
    assert judge_line(line, [file, old], STRICT).measurement is old


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(sent("recall", "99 %", segment="us"), id="another segment"),
        pytest.param(sent("recall", "99 %"), id="no segment"),
        pytest.param(sent("precision", "99 %", segment="eu"), id="another metric"),
    ],
)
def test_a_number_for_something_else_is_none(other: Measurement) -> None:
    assert status("recall >= 80 % for eu", other) is Status.NOT_MEASURED


def test_a_number_for_a_segment_is_none_for_the_whole() -> None:
    assert status("recall >= 80 %", sent("recall", "99 %", segment="eu")) is Status.NOT_MEASURED


def test_an_alias_is_the_same_metric() -> None:
    assert status("sensitivity >= 80 %", sent("recall", "99 %")) is MET


def test_not_measured_says_why_or_what_to_do() -> None:
    line = threshold("accuracy >= 92 %")
    reasons = [Unread("`eval/metrics.json` is not there"), Unread("second")]
    assert judge_line(line, reasons, ANY).reason == "`eval/metrics.json` is not there"
    assert "evidence line" in judge_line(line, [], ANY).reason
    assert judge_line(line, [], STRICT).reason == f"measure it in {STAGING}"
    counted = judge_line(line, [*reasons, found("accuracy", "99 %")], ANY)
    assert counted.status is MET


def test_each_line_is_judged_by_its_own_readings() -> None:
    done = [threshold("accuracy >= 92 %"), threshold("recall >= 80 %")]
    results = judge_all(done, [[found("accuracy", "99 %")], []], ANY)
    assert [(result.threshold, result.status) for result in results] == [
        (done[0], MET),
        (done[1], Status.NOT_MEASURED),
    ]


@pytest.mark.parametrize(
    ("n", "low", "high"), [(200, "89.2", "96.2"), (1000, "91.8", "94.9"), (2000, "92.3", "94.5")]
)
def test_the_error_bar_is_wilsons(n: int, low: str, high: str) -> None:
    share, digit = Fraction("0.935"), Fraction("0.0005")
    for end, outwards in ((Fraction(low) / 100, -digit), (Fraction(high) / 100, digit)):
        assert inside_error_bar(share, end - outwards, n)
        assert not inside_error_bar(share, end + outwards, n)


def test_what_is_no_share_of_samples_has_no_error_bar() -> None:
    assert not inside_error_bar(Fraction("1.2"), Fraction("0.9"), 2)
    assert not inside_error_bar(Fraction("0.9"), Fraction("0.9"), 0)


@pytest.mark.parametrize(
    ("line", "number", "expected"),
    [
        pytest.param("accuracy >= 92 %", sent("accuracy", "93.5 %", n=200), WITHIN, id="of 200 chance"),
        pytest.param("accuracy >= 92 %", sent("accuracy", "93.5 %", n=2000), MET, id="of 2000 none"),
        pytest.param("accuracy >= 92 %", sent("accuracy", "93.5 %"), MET, id="of an unknown number"),
        pytest.param("accuracy >= 92 %", sent("accuracy", "91.9 %", n=20), MISSED, id="a miss stays a miss"),
        pytest.param(
            "accuracy >= 92 % with n >= 200", found("accuracy", "0.935"), WITHIN, id="a file's claim"
        ),
        pytest.param("error_rate < 1 %", sent("error_rate", "0 %", n=100), WITHIN, id="no error in 100"),
        pytest.param("error_rate < 1 %", sent("error_rate", "0 %", n=500), MET, id="no error in 500"),
        pytest.param("accuracy >= 0 %", sent("accuracy", "50 %", n=1), MET, id="no chance at all"),
        pytest.param("mcc >= 0.6", sent("mcc", "0.61", n=10), MET, id="no share of samples"),
        pytest.param("wer <= 150 %", sent("wer", "120 %", n=10), MET, id="more than all is no share"),
        pytest.param("routed >= 80 %", sent("routed", "81 %", n=50), WITHIN, id="an unknown share"),
        pytest.param("latency_p95 <= 300 ms", sent("latency_p95", "299 ms", n=9), MET, id="no ratio"),
    ],
)
def test_chance_is_told_where_it_may_have_decided(line: str, number: Measurement, expected: Status) -> None:
    assert status(line, number) is expected


OPERATORS = st.sampled_from(["<=", "<", ">=", ">", "=="])
NUMBERS = st.decimals(min_value="0.001", max_value="100000", allow_nan=False, places=3)
TIMES = st.sampled_from(["ns", "us", "ms", "s", "min", "h", "d", "week"])
HOLDS = {
    "<=": lambda value, bound: value <= bound,
    "<": lambda value, bound: value < bound,
    ">=": lambda value, bound: value >= bound,
    ">": lambda value, bound: value > bound,
    "==": lambda value, bound: value == bound,
}


@given(OPERATORS, NUMBERS, TIMES, NUMBERS, TIMES)
def test_units_change_no_verdict(op: str, bound: Decimal, asked: str, value: Decimal, given_in: str) -> None:
    wanted, taken = unit_of(asked), unit_of(given_in)
    assert wanted
    assert taken
    verdict = status(f"latency_p95 {op} {bound} {asked}", found("latency_p95", f"{value} {given_in}"))
    expected = HOLDS[op](Fraction(value) * taken.factor, Fraction(bound) * wanted.factor)
    assert verdict is (MET if expected else MISSED)


SHARES = st.integers(0, 10_000).map(lambda each: Decimal(each) / 100)
SIZES = st.one_of(st.none(), st.integers(1, 5000))


@given(SHARES, SHARES, SIZES)
def test_ways_of_writing_a_share_change_no_verdict(bound: Decimal, value: Decimal, n: int | None) -> None:
    numbers = [
        sent("accuracy", text, n=n) for text in (f"{value} %", f"{value / 100}", f"{value * 10_000:f} ppm")
    ]
    lines = (f"accuracy >= {bound} %", f"accuracy >= {bound / 100:f}", f"accuracy >= {bound * 10_000:f} ppm")
    assert len({status(line, number) for line in lines for number in numbers}) == 1


@given(SHARES, SHARES, SHARES, SIZES, st.sampled_from([">=", ">", "<=", "<"]))
def test_a_better_value_never_turns_met_into_missed(
    bound: Decimal, one: Decimal, other: Decimal, n: int | None, op: str
) -> None:
    metric = "accuracy" if ">" in op else "error_rate"
    worse, better = sorted((one, other), reverse="<" in op)
    line = threshold(f"{metric} {op} {bound} %")
    was, now = (judge_line(line, [sent(metric, f"{each} %", n=n)], ANY) for each in (worse, better))
    assert now.met or not was.met


@given(SHARES, SHARES, st.integers(1, 5000))
def test_the_error_bar_gives_no_pass_and_takes_none(bound: Decimal, value: Decimal, n: int) -> None:
    line = threshold(f"accuracy >= {bound} %")
    said, silent = (judge_line(line, [sent("accuracy", f"{value} %", n=size)], ANY) for size in (n, None))
    assert said.met is silent.met is (value >= bound)


@st.composite
def any_number(draw: st.DrawFn) -> Measurement:
    value = draw(st.decimals(allow_nan=True, allow_infinity=True))
    unit = draw(st.sampled_from([NO_UNIT, *filter(None, map(unit_of, ("%", "ms", "USD", "req/s", "cats")))]))
    at = NOW - timedelta(days=draw(st.integers(-2, 30)))
    conditions = draw(
        st.sampled_from(
            [None, sent("accuracy", "1").conditions, sent("a", "1", on="tickets", n=3).conditions]
        )
    )
    return Measurement("accuracy", value, unit, draw(st.sampled_from(Level)), FILE, at, conditions)


@given(
    st.lists(st.one_of(any_number(), st.just(Unread("nothing there"))), max_size=4), st.sampled_from(Level)
)
def test_what_is_met_was_measured_and_holds(readings: list[Reading], level: Level) -> None:
    demands = replace(ANY, level=level, environments=(STAGING, PRODUCTION))
    result = judge_line(threshold(LINE), readings, demands)
    assert (result.status is Status.NOT_MEASURED) is (result.measurement is None)
    assert bool(result.reason) is (result.status in {*REFUSALS, Status.NOT_MEASURED})
    if result.met:
        assert result.measurement in readings
        assert result.measurement.canonical_value >= Decimal("0.92")
        assert result.measurement.at >= NOW - timedelta(days=14)


@pytest.mark.parametrize("picked", [("80 %", "95 %"), ("95 %", "80 %")], ids=["worst first", "best first"])
def test_of_several_numbers_of_one_moment_nobody_picks(picked: tuple[str, str]) -> None:
    numbers = [sent("accuracy", text, on=f"part-{place}") for place, text in enumerate(picked)]
    assert judge_line(threshold("accuracy >= 92 %"), numbers, ANY).status is MISSED


ONCE = "4 of 5 runs: measure it once more"
FIVE = "accuracy >= 92 % in 5 runs"


def runs(*percents: float, first: int = 1) -> list[Reading]:
    """Runs of one commit, the newest first."""
    return [sent("accuracy", f"{each} %", days=day) for day, each in enumerate(percents, first)]


@pytest.mark.parametrize(
    ("readings", "status", "says", "measured"),
    [
        (runs(93, 94, 95, 96, 97), MET, "met, 1 point to spare", "93 % (the worst of 5 runs)"),
        (runs(97, 96, 91, 95, 94), MISSED, "missed by 1 point", "91 % (the worst of 5 runs)"),
        (runs(93, 94, 95, 96, 97, 80), MET, "met, 1 point to spare", "93 % (the worst of 5 runs)"),
        (runs(93, 94, 95), TOO_FEW, "3 of 5 runs: measure it 2 times more", "93 %"),
        (runs(93, 94, 95, 96), TOO_FEW, ONCE, "93 %"),
        ([*runs(93, 94, 95, 96), *runs(97, first=20)], TOO_FEW, ONCE, "93 %"),
        (
            [*runs(93, 94, 95, 96), found("accuracy", "97 %")],
            TOO_FEW,
            ONCE,
            "93 %",
        ),
        ([found("accuracy", "97 %")], MET, "met, 5 points to spare", "97 %"),
    ],
    ids=[
        "all good",
        "one bad",
        "a bad one before",
        "too few",
        "one too few",
        "one too old",
        "a file beside them",
        "a file",
    ],
)
def test_of_several_runs_the_worst_counts(
    readings: list[Reading], status: Status, says: str, measured: str
) -> None:
    for given_ in (readings, readings[::-1]):
        result = judge_line(threshold(FIVE), given_, ANY)
        assert (result.status, verdict_text(result), measured_text(result)) == (status, says, measured)


@pytest.mark.parametrize(
    ("line", "values", "worst"),
    [
        ("latency_p95 <= 300 ms in 2 runs", ("212 ms", "0.29 s"), "0.29 s"),
        ("latency_p95 < 300 ms in 2 runs", ("310 ms", "0.3 s"), "310 ms"),
        ("coverage == 50 % in 2 runs", ("50 %", "49 %"), "49 %"),
    ],
)
def test_the_worst_is_the_one_furthest_on_the_bad_side(
    line: str, values: tuple[str, ...], worst: str
) -> None:
    readings = [sent(line.split(maxsplit=1)[0], value, days=day) for day, value in enumerate(values)]
    number = judge_line(threshold(line), readings, ANY).measurement
    assert number is not None
    assert f"{number.value} {number.unit.text}" == worst


@pytest.mark.parametrize(
    "line", ["accuracy >= 92 % in 1 runs", "accuracy >= 92 % in 100 runs", "accuracy >= 92 % in 0 runs"]
)
def test_two_to_99_runs_can_be_asked_for(line: str) -> None:
    read = parse_threshold(line)
    assert isinstance(read, Refusal)
    assert "2 to 99 runs" in read.message


def test_opposite_verdicts_on_one_commit_are_told() -> None:
    line, good, bad = threshold("accuracy >= 92 %"), runs(93)[0], runs(91, first=2)[0]
    told = "another number of this commit says the opposite: "
    result = judge_line(line, [good, bad], ANY)
    assert (result.status, result.measurement, result.against) == (MET, good, bad)
    assert verdict_text(result) == f"met, 1 point to spare; {told}91 %"
    earlier = [*runs(91), *runs(93, first=2), *runs(94, first=3)]
    assert verdict_text(judge_line(line, earlier, ANY)) == f"missed by 1 point; {told}93 %"
    assert judge_line(line, [good, *runs(92, first=2)], ANY).against is None
    assert judge_line(line, [good, *runs(80, first=20)], ANY).against is None
