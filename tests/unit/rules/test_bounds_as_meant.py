"""A bound is never read as something else: what a clause, a rate or a share cannot be is refused."""

from __future__ import annotations

import re

import pytest

from service.rules.charter.lines import read_threshold
from service.rules.charter.quantity import Refusal
from service.rules.charter.threshold import Threshold, parse_threshold
from service.rules.values.finding import Finding, Severity
from tests.unit.rules.samples import SAMPLE, judged

BEFORE, AFTER = re.split(r"(?<=done:\n)[\s\S]*(?=rollback:)", SAMPLE)


def findings(*lines: str) -> list[Finding]:
    """What is said of a charter that asks for these lines, and for two of its own metrics."""
    done = "".join(f"  - {line}\n" for line in (*lines, "own_thing <= 3", "other_thing <= 3"))
    return list(judged(f"{BEFORE}{done}{AFTER}").findings)


def errors(*lines: str) -> list[str]:
    return [finding.code for finding in findings(*lines) if finding.severity is Severity.ERROR]


@pytest.mark.parametrize(
    "clause",
    [
        "at 16 users",
        "at 2 tickets/min",
        "at 4 GB/day",
        "at 200 MB",
        "at 3 GiB/week",
        "over 7 d",
        "over 90 s",
        "on a",
        "on s3://bucket/set",
        "on données-2026",
        "for eu",
        "for top-50-faq",
        "with n >= 1",
    ],
)
def test_a_clause_of_its_kind_is_read(clause: str) -> None:
    assert isinstance(parse_threshold(f"latency_p95 <= 300 ms {clause}"), Threshold)


@pytest.mark.parametrize(
    "clause",
    [
        "at 0 req/s",
        "at -5 req/s",
        "at 95 %",
        "at 300 ms",
        "at 2 s/req",
        "at 50 %/s",
        "at req/s",
        "at 50",
        "at 3 USD",
        "at 3 USD/month",
        "at 5 req/user",
        "at 0.9 ratio",
        "over 0 d",
        "over 50 req/s",
        "over 95 %",
        "on 95%",
        "on 2026",
        "on _",
        "on -",
        "for 30d",
        "for 95%",
        "for 95 %",
        "for 3",
        "for %",
        "with n >= 0",
        "with n = 000",
    ],
)
def test_a_clause_of_another_kind_is_refused(clause: str) -> None:
    line = f"latency_p95 <= 300 ms {clause}"
    assert isinstance(parse_threshold(line), Refusal)
    assert isinstance(read_threshold(line), Refusal)


@pytest.mark.parametrize(
    ("line", "like"),
    [
        ("latency <= 2 s for 95%", "latency_p95 <= 2 s"),
        ("response_time <= 2 s for 95 % of requests", "latency_p95 <= 2 s"),
        ("response_time within 2 seconds for 95% of requests", "latency_p95 <= 2 seconds"),
        ("ttft <= 800 ms in 99.9 % of all cases", "ttft_p999 <= 800 ms"),
        ("latency_p95 <= 300 ms for 90 %", "latency_p90 <= 300 ms"),
    ],
)
def test_a_time_for_a_share_of_all_is_answered_with_a_percentile(line: str, like: str) -> None:
    read = read_threshold(line)
    assert isinstance(read, Refusal)
    assert f"for example `{like}`" in read.message
    assert read.meant is None
    assert isinstance(parse_threshold(like), Threshold)


@pytest.mark.parametrize("time", ["30d", "30 d", "90 s", "15 min", "2 weeks"])
def test_a_time_after_for_is_answered_with_over(time: str) -> None:
    read = read_threshold(f"error_rate <= 1 % for {time}")
    assert isinstance(read, Refusal)
    assert read.meant == f"error_rate <= 1 % over {time}"


@pytest.mark.parametrize(
    "line",
    [
        "throughput >= 2 s/req",
        "throughput >= 50 %/s",
        "throughput >= 5 req/req",
        "throughput >= 5 USD/month",
        "data_volume >= 5 s/record",
        "data_volume >= 3 records/user",
        "tokens_per_second >= 5 s/token",
        "cost_per_request <= 20 EUR/month",
        "cost_per_ticket <= $3/day",
        "cost_per_request <= 200 tokens",
        "model_size <= 7B",
        "memory_peak <= 16 B",
        "context_length >= 8B",
        "handle_time <= 4 min/week",
        "latency_p200 <= 1 s",
        "latency_p0 <= 1 s",
        "p101_latency <= 1 s",
        "cost_per_ticket_p200 <= 3 USD",
        "recall_at_0 >= 80 % on gold with n >= 500",
        "ndcg_at_00 >= 0.5 on gold with n >= 500",
    ],
)
def test_a_rate_or_a_name_that_cannot_be_is_refused(line: str) -> None:
    assert errors(line)
    assert not [finding.fix for finding in findings(line) if finding.fix]


@pytest.mark.parametrize(
    "line",
    [
        "throughput >= 50 req/s",
        "throughput >= 5 GB/day",
        "throughput >= 9 claims/month",
        "tokens_per_second >= 60 tokens/s",
        "tokens_per_second >= 60",
        "tokens_per_request <= 90 tokens/req",
        "cost_per_request <= 0.02 USD",
        "cost_per_request <= 0.02 USD/req",
        "cost_per_month <= 900 EUR/month",
        "cost_per_gpu_hour <= 3 USD/h",
        "cost_per_user_per_month <= 3 USD/month",
        "cost_saving >= 5000 USD/month",
        "model_size <= 7 GB",
        "memory_peak <= 2048 B",
        "time_saved >= 200 h/month",
        "time_saved >= 26 min/day",
        "latency_p999 <= 3 s",
        "latency_p9999 <= 3 s",
        "latency_p975 <= 3 s",
        "latency_p5 <= 3 s",
        "recall_at_100 >= 80 % on gold with n >= 500",
        "adp_p200 <= 3",
    ],
)
def test_a_rate_or_a_name_that_can_be_is_read(line: str) -> None:
    assert errors(line) == []


@pytest.mark.parametrize(
    ("key", "text", "fine"),
    [
        ("load", "50 req/s", True),
        ("load", "4 GB/day", True),
        ("load", "9 claims/month", True),
        ("load", "2 s/req", False),
        ("load", "50 %/s", False),
        ("load", "3 USD/month", False),
        ("load", "5 req/user", False),
        ("load", "5 req/req", False),
        ("load", "95 %", False),
        ("data", "2 min/ticket", False),
        ("data", "3 EUR/day", False),
        ("data", "3 TB/week", True),
    ],
)
def test_the_load_of_the_target_is_how_many_in_a_time(key: str, text: str, fine: bool) -> None:
    written = {"load": "load: 50 req/s", "data": "data: 180000 tickets/day"}[key]
    said = [finding.code for finding in judged(SAMPLE.replace(written, f"{key}: {text}")).findings]
    assert said == ([] if fine else ["target-quantity"])


@pytest.mark.parametrize("metric", ["wer", "cer", "mape", "smape", "word_error_rate"])
def test_a_share_that_may_exceed_one_needs_its_percent_sign(metric: str) -> None:
    for bare in ("12", "1.5", "150"):
        said = findings(f"{metric} <= {bare} on gold with n >= 500")
        assert [each.code for each in said if each.severity is Severity.ERROR] == ["done-range"]
        assert metric == "smape" or not [each.fix for each in said if each.fix]
    for fine in ("12 %", "0.12", "1", "1.2 ratio", "120 %"):
        assert errors(f"{metric} <= {fine} on gold with n >= 500") == []


CONTRADICTIONS = [
    (("handle_time >= 9 min", "handle_time <= 6 min"), "done-contradiction", Severity.ERROR),
    (("handle_time > 360 s", "handle_time <= 6 min"), "done-contradiction", Severity.ERROR),
    (("own_rate >= 5 %", "own_rate < 0.05"), "done-contradiction", Severity.ERROR),
    (("own_count == 3", "own_count == 4"), "done-contradiction", Severity.ERROR),
    (("own_count == 3", "own_count <= 4"), "done-idle", Severity.WARNING),
    (("latency_p95 <= 300 ms", "latency_p99 <= 200 ms"), "done-idle", Severity.WARNING),
    (("latency_p999 <= 0.3 s", "latency_p99 < 300 ms"), "done-idle", Severity.WARNING),
    (("p50_latency <= 1 s", "latency_max <= 900 ms"), "done-idle", Severity.WARNING),
    (("latency_p95 <= 3 s", "latency_p95 <= 2 s"), "done-duplicate", Severity.ERROR),
]


@pytest.mark.parametrize(("lines", "code", "severity"), CONTRADICTIONS)
def test_lines_that_exclude_or_idle_each_other_are_found(
    lines: tuple[str, str], code: str, severity: Severity
) -> None:
    for order in (lines, lines[::-1]):
        assert (code, severity) in {(each.code, each.severity) for each in findings(*order)}


@pytest.mark.parametrize(
    "lines",
    [
        ("handle_time >= 6 min", "handle_time <= 6 min"),
        ("own_count >= 3", "own_count <= 4"),
        ("latency_p95 <= 300 ms", "latency_p99 <= 400 ms"),
        ("latency_p95 <= 300 ms for eu", "latency_p99 <= 200 ms for us"),
        ("latency_p95 <= 300 ms", "ttft_p99 <= 200 ms"),
        ("error_rate <= 1 % over 7 d", "error_rate <= 2 % over 30 d"),
        ("error_rate <= 1 % over 7 d", "error_rate <= 1 % over 30 d"),
    ],
)
def test_lines_that_stand_beside_each_other_are_not(lines: tuple[str, str]) -> None:
    said = {each.code for order in (lines, lines[::-1]) for each in findings(*order)}
    assert not said & {"done-contradiction", "done-idle", "done-duplicate"}


def test_a_window_written_in_another_unit_is_the_same_window() -> None:
    assert "done-duplicate" in errors("error_rate <= 1 % over 7 d", "error_rate <= 2 % over 1 week")


@pytest.mark.parametrize(
    ("done", "stop", "found"),
    [
        ("accuracy >= 92 % on holdout with n >= 9", "accuracy >= 95 % on holdout", True),
        ("accuracy >= 92 % on holdout with n >= 9", "accuracy <= 95 % on holdout", True),
        ("accuracy >= 92 % on holdout with n >= 9", "accuracy < 92 % on holdout", False),
        ("accuracy >= 92 % on holdout with n >= 9", "accuracy < 95 % on other", False),
        ("latency_p95 <= 300 ms", "cost_per_request <= 3 USD", True),
        ("latency_p95 <= 300 ms", "latency_p95 > 300 ms", False),
        ("own_rate <= 5 %", "own_rate >= 4 %", True),
    ],
)
def test_what_success_meets_stops_nothing(done: str, stop: str, found: bool) -> None:
    text = f"{BEFORE}  - {done}\n  - own_thing <= 3\n{AFTER}".replace(
        "rollback:", f"stop_if:\n  - {stop}\nrollback:", 1
    )
    said = [each.severity for each in judged(text).findings if each.code == "stop-if-success"]
    assert said == ([Severity.WARNING] if found else [])


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("throughput >= 10.000 req/s", True),
        ("throughput >= 999.125 req/s", True),
        ("latency_p95 <= 1.500 ms", True),
        ("latency_p95 <= 300 ms at 1.500 req/s", True),
        ("throughput >= 10.00 req/s", False),
        ("throughput >= 0.125 req/s", False),
        ("throughput >= 1000.000 req/s", False),
        ("error_rate <= 1.125 %", False),
        ("log_loss <= 1.125", False),
    ],
)
def test_three_decimals_may_be_thousands(line: str, found: bool) -> None:
    said = [each for each in findings(line) if each.code == "number-thousands"]
    assert [each.severity for each in said] == ([Severity.NOTICE] if found else [])


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("checkout_latency_p95 <= 100", "done-unit"),
        ("p99_checkout_latency <= 3000", "done-unit"),
        ("checkout_latency_p200 <= 3 s", "done-threshold"),
        ("checkout_latency <= 0 s", "done-range"),
        ("hosting_cost <= 4000", "done-unit"),
        ("hosting_cost <= -3 USD", "done-range"),
        ("parser_memory <= 16", "done-unit"),
        ("parser_accuracy >= 120 %", "done-range"),
        ("parser_accuracy >= 85", "done-range"),
        ("refund_rate <= 120 %", "done-range"),
        ("checkout_error_rate <= 101 %", "done-range"),
    ],
)
def test_a_name_of_ones_own_is_typed_by_its_end_and_its_unit(line: str, code: str) -> None:
    assert errors(line) == [code]


@pytest.mark.parametrize(
    ("line", "own"),
    [
        ("checkout_latency_p95 <= 100 ms", False),
        ("hosting_cost <= 4000 USD/month", False),
        ("refund_rate <= 3 %", False),
        ("user_growth_rate >= 120 %", False),
        ("parser_memory <= 16 GB", False),
        ("pick_rate >= 600 picks/h", True),
        ("sampling_rate >= 16000", True),
        ("gps_accuracy <= 5", True),
        ("token_cost <= 4000 tokens", True),
        ("checkout_latency <= 3 frames", True),
        ("working_memory <= 7 items", True),
        ("refund_rate <= 3 refunds/week", True),
    ],
)
def test_a_unit_of_another_kind_makes_it_ones_own(line: str, own: bool) -> None:
    said = findings(line)
    assert not [each for each in said if each.severity is Severity.ERROR]
    name = line.split(maxsplit=1)[0]
    told = f"`{name}` is your own metric: we can't check its unit, range or direction"
    assert (told in [each.message for each in said]) == own


def test_a_name_that_runs_the_other_way_is_not_proposed() -> None:
    messages = [each.message for each in findings("acuracy >= 3 %", "mapee >= 3 %", "mapee_x <= 3 %")]
    assert "`acuracy` isn't in the table: did you mean `accuracy`?" in messages
    assert not [each for each in messages if "`mape`" in each]
