"""The table of metrics, and what it tells about a line."""

from __future__ import annotations

from decimal import Decimal

import pytest

from service.rules.charter.evidence import Source, parse_source
from service.rules.charter.line_keys import Key, key_of, parse_key
from service.rules.charter.metrics import NAMES, TABLE, Measure, Way, canonical_name, metric_of
from service.rules.charter.quantity import Refusal
from service.rules.charter.threshold import Threshold, parse_threshold
from service.rules.charter.unit_fit import fits, in_range, is_trivial, runs_wrong
from service.rules.charter.units import unit_of


def threshold(text: str) -> Threshold:
    read = parse_threshold(text)
    assert isinstance(read, Threshold), read
    return read


def test_no_name_stands_for_two_metrics() -> None:
    written = [name for row in TABLE.values() for name in (row.name, *row.aliases)]
    assert len(written) == len(set(written)) == len(NAMES)


@pytest.mark.parametrize("name", sorted(TABLE))
def test_the_unit_to_propose_fits_its_metric(name: str) -> None:
    metric = TABLE[name]
    unit = unit_of(metric.unit) if metric.unit else None
    assert unit is None or fits(metric, unit)
    assert (unit is None) == (metric.measure in (Measure.NUMBER, Measure.TARGET))


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("p95_latency", "latency_p95"),
        ("p95", "latency_p95"),
        ("latency_median", "latency_p50"),
        ("avg_latency", "latency_mean"),
        ("time_to_first_token_p99", "ttft_p99"),
        ("roc_auc", "auroc"),
        ("recall_at_5", "recall_at_5"),
        ("uptime", "availability"),
        ("cost_per_ticket", "cost_per_ticket"),
        ("pages_read", "pages_read"),
        ("accuracy_mean", "accuracy_mean"),
    ],
)
def test_an_alias_is_its_metric(written: str, name: str) -> None:
    assert canonical_name(written) == name


def test_direction_and_range_are_known() -> None:
    known = metric_of("recall_at_10")
    assert known
    assert known.way is Way.UP
    assert known.span
    assert known.span.holds(Decimal(1))
    assert not known.span.holds(Decimal("1.01"))
    assert metric_of("pages_read") is None


@pytest.mark.parametrize(
    "text", ["accuracy >= 92", "error_rate < 101 %", "latency_p99 <= 0 s", "mcc >= -2", "nps > 101"]
)
def test_what_the_metric_cannot_be(text: str) -> None:
    assert not in_range(threshold(text))


@pytest.mark.parametrize(
    "text", ["wer < 120 %", "bleu >= 41", "cost_saving >= -3 USD", "r2 >= -4", "rmse <= 40 °C"]
)
def test_what_it_can_be(text: str) -> None:
    assert in_range(threshold(text))


def test_directions_and_trivial_bounds() -> None:
    assert runs_wrong(threshold("latency_p95 >= 3 s"))
    assert not runs_wrong(threshold("gpu_utilization >= 30 %"))
    assert not runs_wrong(threshold("wer == 0 %"))
    assert is_trivial(threshold("error_rate <= 100 %"))
    assert not is_trivial(threshold("error_rate <= 99 %"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("latency_p95 <= 1 s at 50 req/s on x", "p95_latency < 300 ms on x at 3000 req/min"),
        ("accuracy >= 92 % for eu", "accuracy > 0.9 for eu with n >= 3"),
    ],
)
def test_the_same_threshold_written_differently(one: str, other: str) -> None:
    assert threshold(one).key == threshold(other).key


@pytest.mark.parametrize(
    "other", ["recall >= 90 % for eu", "recall >= 90 % on a", "recall >= 90 % over 7 d", "f1 >= 90 %"]
)
def test_another_threshold(other: str) -> None:
    assert threshold("recall >= 90 %").key != threshold(other).key


def test_a_metric_in_its_targets_unit_takes_any() -> None:
    assert threshold("rmse <= 3.5 °C").canonical_unit == "°C"
    assert threshold("mae < 12 kWh / day on x").unit.text == "kWh/day"
    assert threshold("mae < 12 min").canonical_value == 720
    for refused in ("latency_p95 <= 3 Furlongs", "mae <= 3 a/b/c", "mae <= 3 two words"):
        assert isinstance(parse_threshold(refused), Refusal)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("a/b.json $.x", ("a/b.json", None, "$.x", "")),
        ("a.json $ ms", ("a.json", None, "$", "ms")),
        ("a.json p95 of $.r[*].latencyMs ms", ("a.json", "p95", "$.r[*].latencyMs", "ms")),
        ("a.json $.m['acc,none']", ("a.json", None, "$.m['acc,none']", "")),
        ('k6.json $.m["p(95)"] ms', ("k6.json", None, '$.m["p(95)"]', "ms")),
        ("m.json $.s[?@.name=='match'].v.value", ("m.json", None, "$.s[?@.name=='match'].v.value", "")),
        ("m.json mean of $[?@.a=='b c'].v", ("m.json", "mean", "$[?@.a=='b c'].v", "")),
        ("m.json rate of $[*].ok", ("m.json", "rate", "$[*].ok", "")),
        ("m.json $.a[0][-1].b", ("m.json", None, "$.a[0][-1].b", "")),
    ],
)
def test_a_source_is_a_file_an_aggregate_a_path_and_a_unit(text: str, source: tuple[object, ...]) -> None:
    read = parse_source(text)
    assert isinstance(read, Source), read
    assert (read.file, read.aggregate, read.path, read.unit.text) == source


@pytest.mark.parametrize(
    "text",
    [
        "",
        "$",
        "a.json",
        "a.json $..x",
        "a.json $.x[*]",
        "a.json mean of $.x",
        "a.json $.x[1:2]",
        "a.json $.a-b",
        "../a.json $.x",
        "/a.json $.x",
        "a/../../b $.x",
        "a.json $.x[?@.a>1]",
        "a.json p42 of $[*]",
        "a.json $.x ms ms",
    ],
)
def test_anything_else_is_no_source(text: str) -> None:
    assert isinstance(parse_source(text), Refusal)


def test_a_key_tells_two_lines_apart() -> None:
    low, high = threshold("recall >= 80 % for low"), threshold("recall >= 90 % for high")
    key = parse_key("recall for high")
    assert isinstance(key, Key)
    assert key.answers(high)
    assert not key.answers(low)
    assert key_of(high, (low, high)) == "recall for high"
    assert key_of(high, (high,)) == "recall"
    for text in ("recall with n >= 3", "Recall", "recall high", "recall for"):
        assert isinstance(parse_key(text), Refusal)


def test_the_table_has_the_usual_names_each_with_a_source() -> None:
    assert len(TABLE) >= 250
    assert all(row.source for row in TABLE.values())


@pytest.mark.parametrize(
    ("written", "way", "measure"),
    [
        ("macro_f1", Way.UP, Measure.SHARE),
        ("npv", Way.UP, Measure.SHARE),
        ("top_5_accuracy", Way.UP, Measure.SHARE),
        ("top5_accuracy", Way.UP, Measure.SHARE),
        ("precision_at_recall_85", Way.UP, Measure.SHARE),
        ("fnr_at_fpr_0_1", Way.DOWN, Measure.SHARE),
        ("map", Way.UP, Measure.SHARE),
        ("map_at_50", Way.UP, Measure.SHARE),
        ("map_at_50_95", Way.UP, Measure.SHARE),
        ("mrr_at_10", Way.UP, Measure.SHARE),
        ("mse", Way.DOWN, Measure.TARGET),
        ("wape", Way.DOWN, Measure.SHARE),
        ("mase", Way.DOWN, Measure.NUMBER),
        ("bias", Way.EITHER, Measure.TARGET),
        ("dice", Way.UP, Measure.SHARE),
        ("lpips", Way.DOWN, Measure.NUMBER),
        ("fps", Way.UP, Measure.COUNT),
        ("mos", Way.UP, Measure.NUMBER),
        ("eer", Way.DOWN, Measure.SHARE),
        ("meteor", Way.UP, Measure.NUMBER),
        ("citation_recall", Way.UP, Measure.SHARE),
        ("itl_p99", Way.DOWN, Measure.TIME),
        ("goodput", Way.UP, Measure.THROUGHPUT),
        ("steps_per_task_p90", Way.DOWN, Measure.COUNT),
        ("gpu_memory_max", Way.DOWN, Measure.SIZE),
        ("rto", Way.DOWN, Measure.TIME),
        ("mtbf", Way.UP, Measure.TIME),
        ("cost_reduction", Way.UP, Measure.SHARE),
        ("wasserstein", Way.DOWN, Measure.NUMBER),
        ("power_draw_p95", Way.DOWN, Measure.TARGET),
    ],
)
def test_what_people_measure_is_known(written: str, way: Way, measure: Measure) -> None:
    known = metric_of(written)
    assert known
    assert (known.way, known.measure) == (way, measure)


def test_so_many_in_a_time_are_no_share() -> None:
    assert threshold("complaint_rate <= 2 complaints/week").known is None
    assert threshold("complaint_rate <= 2 %").known


def test_percents_of_a_score_that_goes_beyond_one_are_refused() -> None:
    for name in ("nps", "sus", "mos"):
        bound = threshold(f"{name} >= 40 %")
        assert bound.known
        assert not fits(bound.known, bound.unit)
