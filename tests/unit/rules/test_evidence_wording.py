"""The words of a result: what a reader sees of a number, and by how much it is met or missed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.charter.quantity import Refusal
from service.rules.charter.threshold import parse_threshold
from service.rules.evidence.amounts import grouped, numeral
from service.rules.evidence.judging import judge_line
from service.rules.evidence.values import Demands, Measurement, Reading, Result, Status, Unread
from service.rules.evidence.wording import level_text, measured_text, verdict_text
from tests.unit.rules.measurements import ANY, STRICT, found, sent, threshold

LONGEST = 160


def result(line: str, *readings: Reading, demands: Demands = ANY) -> Result:
    return judge_line(threshold(line), readings, demands)


def words(line: str, *readings: Reading, demands: Demands = ANY) -> tuple[str, str]:
    read = result(line, *readings, demands=demands)
    return measured_text(read), verdict_text(read)


@pytest.mark.parametrize(
    ("line", "value", "measured", "verdict"),
    [
        pytest.param("latency_p95 <= 300 ms", "212 ms", "212 ms", "met, 29 % to spare", id="a time"),
        pytest.param("latency_p95 <= 300 ms", "0.212 s", "212 ms", "met, 29 % to spare", id="in seconds"),
        pytest.param("latency_p95 <= 300 ms", "340 ms", "340 ms", "missed by 40 ms", id="a time missed"),
        pytest.param("latency_p95 <= 0.3 s", "340 ms", "0.34 s", "missed by 0.04 s", id="in the bound's"),
        pytest.param(
            "latency_p95 <= 300 ms", "299.9 ms", "299.9 ms", "met, less than 1 % to spare", id="hardly"
        ),
        pytest.param("latency_p95 <= 300 ms", "300 ms", "300 ms", "met, nothing to spare", id="just"),
        pytest.param(
            "latency_p95 < 300 ms",
            "0.3 s",
            "300 ms",
            "missed: it has to be below 300 ms",
            id="has to be below",
        ),
        pytest.param(
            "throughput > 50 req/s",
            "3000 req/min",
            "50 req/s",
            "missed: it has to be above 50 req/s",
            id="has to be above",
        ),
        pytest.param("throughput >= 50 req/s", "80 req/s", "80 req/s", "met, 60 % to spare", id="a rate"),
        pytest.param(
            "throughput >= 50 req/s", "100 req/min", "100 req/min", "missed by 48 req/s", id="not exact"
        ),
        pytest.param("latency_p95 <= 1 d", "3 ms", "3 ms", "met, 99 % to spare", id="another magnitude"),
        pytest.param("memory_peak <= 2 GB", "12 B", "12 B", "met, 99 % to spare", id="not short"),
        pytest.param("accuracy >= 92 %", "91.4 %", "91.4 %", "missed by 0.6 points", id="points"),
        pytest.param("accuracy >= 92 %", "0.914", "91.4 %", "missed by 0.6 points", id="a bare ratio"),
        pytest.param("accuracy >= 92 %", "91 %", "91 %", "missed by 1 point", id="one point"),
        pytest.param(
            "accuracy >= 92 %", "93.5 %", "93.5 %", "met, 1.5 points to spare", id="points to spare"
        ),
        pytest.param("accuracy >= 0.92", "91.4 %", "0.914", "missed by 0.006", id="a bare bound"),
        pytest.param(
            "accuracy >= 92 %", "91.9996 %", "91.9996 %", "missed by 0.0004 points", id="no 92 % that missed"
        ),
        pytest.param(
            "accuracy > 92 %",
            "92.00004 %",
            "92.00004 %",
            "met, 0.00004 points to spare",
            id="no 92 % that met",
        ),
        pytest.param(
            "accuracy >= 92 %",
            "0.91999999999",
            "91.999999999 %",
            "missed by less than 0.000001 points",
            id="by next to nothing",
        ),
        pytest.param(
            "accuracy >= 92 %", "0.9346543210987", "93.47 %", "met, 1.5 points to spare", id="long decimals"
        ),
        pytest.param(
            "accuracy >= 92 %", "0.914000000000000001", "91.4 %", "missed by 0.6 points", id="noise"
        ),
        pytest.param(
            "cost_per_request < 0.02 USD", "0.013 USD", "0.013 USD", "met, 35 % to spare", id="money"
        ),
        pytest.param("cost_saving >= 0 USD", "-3.5 USD", "-3.5 USD", "missed by 3.5 USD", id="below zero"),
        pytest.param("cost_saving >= 0 USD", "3 USD", "3 USD", "met, 3 USD to spare", id="no share of zero"),
        pytest.param("mcc >= 0.6", "0.65", "0.65", "met, 0.05 to spare", id="a plain number"),
        pytest.param("rmse <= 40 °C", "38 °C", "38 °C", "met, 2 °C to spare", id="a unit of its own"),
        pytest.param("error_rate <= 50 ppm", "60 ppm", "60 ppm", "missed by 10 ppm", id="parts per million"),
        pytest.param("memory_peak == 1 GB", "1000 MB", "1 GB", "met", id="equal"),
        pytest.param(
            "tokens_per_request <= 20000 tokens",
            "15000 tokens",
            "15 000 tokens",
            "met, 25 % to spare",
            id="groups of three",
        ),
        pytest.param(
            "accuracy >= 92 %", "93.4", "93.4", "93.4 isn't a ratio: end the evidence line with %", id="93.4"
        ),
        pytest.param(
            "accuracy >= 92 %",
            "140 %",
            "140 %",
            "140 % is out of range: accuracy is 0 % to 100 %",
            id="out of range",
        ),
        pytest.param(
            "accuracy >= 92 %",
            "-0.1",
            "-0.1",
            "-0.1 is out of range: accuracy is 0 to 1",
            id="less than none",
        ),
        pytest.param(
            "latency_p95 <= 300 ms",
            "212",
            "212",
            "212 has no unit: end the evidence line with ms",
            id="no unit",
        ),
        pytest.param(
            "latency_p95 <= 300 ms",
            "0 ms",
            "0 ms",
            "0 ms is out of range: latency_p95 is above 0",
            id="no time at all",
        ),
        pytest.param(
            "concurrency >= 50 users",
            "50.5 users",
            "50.5 users",
            "50.5 users is out of range: concurrency is in whole users, 1 or more",
            id="half a user",
        ),
        pytest.param(
            "r2 >= 0.6", "1.2", "1.2", "1.2 is out of range: r2 is at most 1", id="more than perfect"
        ),
        pytest.param(
            "perplexity <= 12",
            "0.5",
            "0.5",
            "0.5 is out of range: perplexity is 1 or more",
            id="less than certain",
        ),
        pytest.param(
            "bleu >= 41",
            "92 %",
            "92 %",
            "92 %: the bound has no unit, leave out %",
            id="a unit too many",
        ),
        pytest.param(
            "cost_per_request < 0.02 USD",
            "0.013 EUR",
            "0.013 EUR",
            "0.013 EUR can't be compared: give it in USD",
            id="another currency",
        ),
        pytest.param(
            "accuracy >= 92 %",
            "NaN",
            "NaN",
            "not a number that a metric can have: measure it again",
            id="NaN",
        ),
        pytest.param(
            "pages_read >= 5",
            "1E+999999999",
            "1E+999999999",
            "not a number that a metric can have: measure it again",
            id="beyond all writing",
        ),
    ],
)
def test_a_number_beside_its_bound(line: str, value: str, measured: str, verdict: str) -> None:
    assert words(line, found(line.split(maxsplit=1)[0], value)) == (measured, verdict)


LINE = "accuracy >= 92 % on tickets-2026q3 with n >= 2000"


@pytest.mark.parametrize(
    ("line", "readings", "measured", "verdict"),
    [
        pytest.param(
            LINE,
            [sent("accuracy", "91.4 %", on="tickets-2026q3", n=2140)],
            "91.4 % (n 2 140)",
            "missed by 0.6 points; undecided: "
            "2 140 samples say between 90.1 and 92.5 %; about 7 900 would decide",
            id="samples",
        ),
        pytest.param(
            "accuracy >= 92 %",
            [sent("accuracy", "93.5 %", n=200)],
            "93.5 % (n 200)",
            "met, 1.5 points to spare; undecided: "
            "200 samples say between 89.2 and 96.2 %; about 1 300 would decide",
            id="inside the error bar",
        ),
        pytest.param(
            LINE.replace("2000", "1000"),
            [found("accuracy", "92.5 %")],
            "92.5 %",
            "met, 0.5 points to spare; undecided: "
            "1 000 samples say between 90.7 and 94 %; about 12 000 would decide",
            id="by the charter's own claim",
        ),
        pytest.param(
            LINE,
            [sent("accuracy", "96 %", days=52)],
            "96 %",
            "too old: taken on 1 October 2026, counts for 14 calendar days",
            id="too old",
        ),
        pytest.param(
            LINE,
            [found("accuracy", "96 %", days=52)],
            "96 %",
            "too old: unchanged since 1 October 2026, counts for 14 calendar days",
            id="an old file",
        ),
        pytest.param(
            LINE,
            [sent("accuracy", "96 %", environment="dev")],
            "96 %",
            "taken in dev: measure it in support-staging",
            id="in dev",
        ),
        pytest.param(
            LINE,
            [sent("accuracy", "96 %", environment=None)],
            "96 %",
            "no environment named: measure it in support-staging",
            id="nowhere",
        ),
        pytest.param(
            LINE,
            [sent("accuracy", "96 %", on="golden-set")],
            "96 %",
            "taken on golden-set: measure it on tickets-2026q3",
            id="on other data",
        ),
        pytest.param(
            LINE,
            [sent("accuracy", "96 %")],
            "96 %",
            "no data set named: measure it on tickets-2026q3",
            id="on unknown data",
        ),
        pytest.param(
            "latency_p95 <= 300 ms at 50 req/s",
            [sent("latency_p95", "212 ms", at="20 req/s")],
            "212 ms",
            "taken at 20 req/s: measure it at 50 req/s",
            id="at a lower load",
        ),
        pytest.param(
            "error_rate < 0.5 % over 7 d",
            [sent("error_rate", "0.1 %", over="1 d")],
            "0.1 %",
            "taken over 1 d: measure it over 7 d",
            id="over a shorter time",
        ),
        pytest.param(
            "error_rate < 0.5 % over 7 d",
            [sent("error_rate", "0.1 %")],
            "0.1 %",
            "no time named: measure it over 7 d",
            id="over an unknown time",
        ),
        pytest.param(
            LINE,
            [sent("accuracy", "96 %", on="tickets-2026q3", n=200)],
            "96 % (n 200)",
            "too few: only n 200, measure 2 000 or more",
            id="too few",
        ),
        pytest.param(
            LINE,
            [sent("accuracy", "96 %", on="tickets-2026q3")],
            "96 %",
            "too few: n is missing, measure 2 000 or more",
            id="samples not said",
        ),
        pytest.param(
            LINE,
            [sent("accuracy", "93.4")],
            "93.4",
            "93.4 isn't a ratio: send its unit, %",
            id="sent without its unit",
        ),
        pytest.param(
            LINE,
            [],
            "not measured",
            "measure it in support-staging, then add an evidence line",
            id="nothing there",
        ),
        pytest.param(
            "recall >= 80 % for eu",
            [sent("recall", "90 %")],
            "not measured",
            "measure it for eu in support-staging, then add an evidence line",
            id="nothing for the segment",
        ),
        pytest.param(
            LINE,
            [Unread("eval/metrics.json is not there")],
            "not measured",
            "eval/metrics.json is not there",
            id="not found",
        ),
    ],
)
def test_why_a_number_counts_or_not(line: str, readings: list[Reading], measured: str, verdict: str) -> None:
    assert words(line, *readings) == (measured, verdict)
    assert len(verdict) <= LONGEST


def test_where_measured_numbers_are_asked_for() -> None:
    file = found("accuracy", "96 %")
    assert words(LINE, file, demands=STRICT) == ("96 %", "self-reported: a workflow run has to send it")
    assert words(LINE, demands=STRICT) == ("not measured", "measure it in support-staging")


def test_a_charter_without_an_environment() -> None:
    nowhere = replace(ANY, environments=())
    assert words(LINE, demands=nowhere)[1] == "measure it, then add an evidence line"
    taken = sent("accuracy", "96 %", environment="dev")
    assert words(LINE, taken, demands=nowhere)[1] == "taken in dev: the charter names none"


def test_how_far_a_number_can_be_trusted() -> None:
    assert level_text(result(LINE, found("accuracy", "96 %"))) == "self-reported"
    assert level_text(result(LINE, sent("accuracy", "96 %"))) == "measured"
    assert level_text(result(LINE)) == ""


def test_a_result_without_a_reason_still_has_words() -> None:
    bare = Result(threshold(LINE), Status.NOT_MEASURED)
    assert verdict_text(bare) == "not measured"


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(sent("accuracy", "96 %", environment="e" * 200), id="an environment"),
        pytest.param(sent("accuracy", "96 %", on="d" * 200), id="a data set"),
        pytest.param(sent("accuracy", f"0.91{'9' * 200}", on="tickets-2026q3", n=10**11), id="digits"),
        pytest.param(sent("accuracy", "1e300", n=1), id="a magnitude"),
    ],
)
def test_what_others_wrote_makes_no_long_cell(number: Measurement) -> None:
    measured, verdict = words(LINE, number)
    assert len(measured) <= LONGEST
    assert len(verdict) <= 1.5 * LONGEST


FACTORS = {"%": 100, "ratio": 1, "ppm": 10**6}
VALUES = st.decimals(min_value="0", max_value="1", allow_nan=False, places=9)


@given(VALUES, VALUES, st.sampled_from(sorted(FACTORS)))
def test_a_number_is_shown_on_its_side_of_the_bound(value: Decimal, bound: Decimal, unit: str) -> None:
    read = result(f"accuracy >= {bound:f} ratio", found("accuracy", f"{value * FACTORS[unit]:f} {unit}"))
    number, _, shown_in = measured_text(read).rpartition(" ")
    shown = Decimal(number.replace(" ", "")) / FACTORS[shown_in]
    assert (shown >= bound) is read.met
    assert (shown == bound) is (value == bound)


FRACTIONS = st.fractions(-(10**9), 10**9, max_denominator=10**9)


@given(FRACTIONS, FRACTIONS)
def test_rounding_keeps_the_side(value: Fraction, bound: Fraction) -> None:
    shown = Fraction(numeral(value, beside=bound).replace(" ", "")) if bound != value else bound
    assert (shown > bound) is (value > bound)
    assert (shown < bound) is (value < bound)


@given(FRACTIONS)
def test_rounding_keeps_four_digits(value: Fraction) -> None:
    shown = Fraction(numeral(value).replace(" ", ""))
    assert abs(shown - value) <= abs(value) / 1000


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (999, "999"), (2140, "2 140"), (1_000_000, "1 000 000")]
)
def test_groups_of_three(number: int, text: str) -> None:
    assert grouped(number) == text


@pytest.mark.parametrize(
    ("line", "value", "by_point", "status", "says"),
    [
        (
            "",
            "91.4",
            True,
            "missed",
            "missed by 0.6 points; undecided: 2 140 samples say between 90.1 and 92.5 %; about 7 900",
        ),
        ("", "92.3", True, "met, inside the error bar", "met, 0.3 points to spare; undecided: "),
        ("", "92.3", False, "undecided", "undecided: "),
        (" with 95 % confidence", "92.3", True, "undecided", "undecided: "),
        (" with 95 % confidence", "95", True, "met", "met, 3 points to spare"),
        ("", "85", True, "missed", "missed by 7 points"),
        ("", "92", True, "met, inside the error bar", "too close to the bound to tell"),
    ],
)
def test_numbers_know_chance(line: str, value: str, by_point: bool, status: str, says: str) -> None:
    number = sent("accuracy", f"{value} %", on="holdout", n=2140)
    asked = f"accuracy >= 92 % on holdout with n >= 2140 from 71 %{line}"
    read = result(asked, number, demands=replace(ANY, by_point=by_point))
    assert read.status.value == status
    assert says in verdict_text(read)
    assert measured_text(read) == f"{value} % (n 2 140, from 71 %)"


def test_confidence_asks_for_the_number_of_samples() -> None:
    read = result("accuracy >= 92 % with 95 % confidence", sent("accuracy", "95 %"))
    assert read.status is Status.TOO_FEW
    for refused in ("latency_p95 <= 300 ms with 95 % confidence", "accuracy >= 92 % from 300 ms"):
        assert isinstance(parse_threshold(refused), Refusal)
