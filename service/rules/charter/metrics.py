"""What the usual metrics measure, which way they get better, and between which ends they lie."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache


class Kind(StrEnum):
    """What a metric speaks of."""

    LATENCY = "latency"
    CAPACITY = "capacity"
    RELIABILITY = "reliability"
    COST = "cost"
    QUALITY = "quality"
    SAFETY = "safety"
    DRIFT = "drift"
    BUSINESS = "business"


class Way(StrEnum):
    """Which way a metric gets better."""

    UP = "higher"
    DOWN = "lower"
    EITHER = "as the operator says"


class Measure(StrEnum):
    """What a metric is measured in."""

    TIME = "a time"
    SAVED_TIME = "a time, or a time per month"
    SHARE = "a ratio"
    MONEY = "an amount of money"
    SIZE = "a size"
    NUMBER = "a plain number"
    COUNT = "a count"
    THROUGHPUT = "a rate"
    VOLUME = "a volume"
    TARGET = "in its target's unit"


@dataclass(frozen=True, slots=True)
class Span:
    """The natural range of a metric in its canonical unit; None where an end is open to infinity."""

    low: Decimal | None = None
    high: Decimal | None = None
    above_low: bool = False
    whole: bool = False

    def holds(self, value: Decimal) -> bool:
        """Whether a metric can have the value."""
        if self.low is not None and (value < self.low or (self.above_low and value == self.low)):
            return False
        if self.high is not None and value > self.high:
            return False
        return not self.whole or value == value.to_integral_value()

    def ends(self, *, percent: bool) -> tuple[str | None, str | None]:
        """Its ends as texts, None where one is open."""
        factor, sign = (100, " %") if percent else (1, "")
        low, high = (None if end is None else f"{end * factor:f}{sign}" for end in (self.low, self.high))
        return low, high


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table; without a span the scale is free and has to be declared."""

    name: str
    kind: Kind
    way: Way
    measure: Measure
    span: Span | None
    unit: str
    """The unit to propose."""
    aliases: tuple[str, ...] = ()
    guess: Decimal | None = None
    """What guessing reaches, where that is known."""
    windowed: bool = False
    """Whether it means nothing without the time over which it is taken."""

    @property
    def is_quality(self) -> bool:
        """Whether it counts as a bound on quality: safety and business do too."""
        return self.kind in (Kind.QUALITY, Kind.SAFETY, Kind.BUSINESS)

    @property
    def is_operation(self) -> bool:
        """Whether it says how the thing runs."""
        return self.kind in (Kind.LATENCY, Kind.COST, Kind.RELIABILITY)


ZERO, ONE, HALF = Decimal(0), Decimal(1), Decimal("0.5")
POSITIVE = Span(ZERO, above_low=True)
FROM_ZERO = Span(ZERO)
UNIT = Span(ZERO, ONE)
SIGNED = Span(Decimal(-1), ONE)
ANY = Span()
COUNTED = Span(ONE, whole=True)
FREE = None


def rows(  # noqa: PLR0917 - the columns of the table
    kind: Kind, way: Way, measure: Measure, span: Span | None, unit: str, names: str
) -> Iterator[Metric]:
    """Metrics that agree in all but the name; aliases follow a name after `=`."""
    for written in names.split():
        name, *aliases = written.split("=")
        yield Metric(name, kind, way, measure, span, unit, tuple(aliases))


LATENCY, CAPACITY, RELIABILITY, COST = Kind.LATENCY, Kind.CAPACITY, Kind.RELIABILITY, Kind.COST
QUALITY, SAFETY, DRIFT, BUSINESS = Kind.QUALITY, Kind.SAFETY, Kind.DRIFT, Kind.BUSINESS
UP, DOWN, EITHER = Way.UP, Way.DOWN, Way.EITHER
TIME, SHARE, MONEY, SIZE, NUMBER = Measure.TIME, Measure.SHARE, Measure.MONEY, Measure.SIZE, Measure.NUMBER

ROWS = (
    *rows(LATENCY, DOWN, TIME, POSITIVE, "ms",
          "latency=response_time ttft=time_to_first_token tpot=time_per_output_token cold_start"),
    *rows(LATENCY, DOWN, TIME, POSITIVE, "min", "batch_duration"),
    *rows(CAPACITY, UP, Measure.THROUGHPUT, FROM_ZERO, "req/s", "throughput=rps=qps"),
    *rows(CAPACITY, UP, Measure.COUNT, FROM_ZERO, "tokens/s", "tokens_per_second"),
    *rows(CAPACITY, UP, Measure.COUNT, COUNTED, "users", "concurrency"),
    *rows(CAPACITY, UP, Measure.COUNT, COUNTED, "tokens", "context_length"),
    *rows(CAPACITY, UP, Measure.VOLUME, FROM_ZERO, "records/d", "data_volume"),
    *rows(RELIABILITY, UP, SHARE, UNIT, "%", "availability=uptime"),
    *rows(RELIABILITY, DOWN, SHARE, UNIT, "%", "error_rate timeout_rate schema_violation_rate"),
    *rows(RELIABILITY, DOWN, TIME, POSITIVE, "min", "mttr rollback_time"),
    *rows(RELIABILITY, DOWN, TIME, FROM_ZERO, "h", "data_freshness=data_age"),
    *rows(COST, DOWN, Measure.COUNT, FROM_ZERO, "tokens", "tokens_per_request"),
    *rows(COST, DOWN, SIZE, POSITIVE, "GiB", "memory_peak=peak_memory model_size"),
    *rows(COST, DOWN, TIME, FROM_ZERO, "h", "gpu_hours"),
    *rows(COST, EITHER, SHARE, UNIT, "%", "gpu_utilization"),
    *rows(QUALITY, UP, SHARE, UNIT, "%",
          "accuracy precision recall=sensitivity=tpr specificity=tnr f1=f_beta=f1_score auprc=pr_auc "
          "ndcg_at_k=ndcg mrr hit_rate hit_rate_at_k recall_at_k precision_at_k context_precision "
          "context_recall answer_relevancy groundedness faithfulness exact_match pass_at_k win_rate "
          "task_success_rate"),
    *rows(QUALITY, UP, SHARE, UNIT, "%", "balanced_accuracy auroc=roc_auc=auc"),
    *rows(QUALITY, UP, NUMBER, SIGNED, "", "mcc cohen_kappa=kappa human_agreement"),
    *rows(QUALITY, DOWN, NUMBER, FROM_ZERO, "", "log_loss"),
    *rows(QUALITY, DOWN, NUMBER, UNIT, "", "brier=brier_score ece"),
    *rows(QUALITY, DOWN, SHARE, UNIT, "%", "fpr=false_positive_rate fnr=false_negative_rate"),
    *rows(QUALITY, EITHER, SHARE, UNIT, "%", "coverage abstention_rate"),
    *rows(QUALITY, DOWN, Measure.TARGET, FROM_ZERO, "", "rmse mae"),
    *rows(QUALITY, DOWN, SHARE, FROM_ZERO, "%", "mape wer=word_error_rate cer=character_error_rate"),
    *rows(QUALITY, DOWN, SHARE, Span(ZERO, Decimal(2)), "%", "smape"),
    *rows(QUALITY, UP, NUMBER, Span(None, ONE), "", "r2=r_squared"),
    *rows(QUALITY, UP, NUMBER, FREE, "", "bleu rouge_l=rouge bertscore human_rating"),
    *rows(QUALITY, DOWN, NUMBER, Span(ONE), "", "perplexity"),
    *rows(SAFETY, DOWN, SHARE, UNIT, "%",
          "hallucination_rate toxicity_rate pii_leak_rate jailbreak_success_rate false_refusal_rate "
          "fairness_gap=parity_difference"),
    *rows(SAFETY, UP, SHARE, UNIT, "%", "harmful_refusal_rate"),
    *rows(SAFETY, EITHER, SHARE, UNIT, "%", "refusal_rate"),
    *rows(DRIFT, DOWN, NUMBER, FROM_ZERO, "", "psi kl_divergence"),
    *rows(DRIFT, DOWN, NUMBER, UNIT, "", "js_divergence"),
    *rows(DRIFT, DOWN, SHARE, UNIT, "%", "training_serving_skew"),
    *rows(BUSINESS, UP, SHARE, UNIT, "%",
          "deflection_rate=containment=containment_rate adoption_rate retention_rate"),
    *rows(BUSINESS, DOWN, SHARE, UNIT, "%", "escalation_rate override_rate"),
    *rows(BUSINESS, DOWN, TIME, POSITIVE, "min", "handle_time"),
    *rows(BUSINESS, UP, NUMBER, FREE, "", "csat"),
    *rows(BUSINESS, UP, NUMBER, Span(Decimal(-100), Decimal(100)), "", "nps"),
    *rows(BUSINESS, UP, MONEY, ANY, "USD", "cost_saving"),
    *rows(BUSINESS, UP, Measure.SAVED_TIME, ANY, "h", "time_saved"),
)  # fmt: skip
GUESSED = frozenset({"accuracy", "balanced_accuracy", "auroc"})
WINDOWED = frozenset({"availability"})
TABLE = {
    row.name: replace(row, guess=HALF if row.name in GUESSED else None, windowed=row.name in WINDOWED)
    for row in ROWS
}
NAMES = {alias: row.name for row in ROWS for alias in (row.name, *row.aliases)}

MEAN = "mean"
STATISTIC = re.compile(r"(?P<name>[a-z0-9_]+?)_(?P<statistic>p[0-9]{1,4}|mean|avg|average|median|max|min)")
FIRST = re.compile(r"(?P<statistic>p[0-9]{1,4}|mean|avg|average|median|max|min)_(?P<name>[a-z0-9_]+)")
BARE = re.compile(r"p[0-9]{2,4}")
PERCENTILE = re.compile(r"p(?:0*[1-9][0-9]?|100|9[0-9]{2}|99[0-9]{2})")
"""The digits behind 90 or 99 are decimals: p999 is 99.9 %."""
AT_K = re.compile(r"_at_[0-9]{1,6}$")
AT_NONE = re.compile(r"_at_0+$")
COST_PER = re.compile(r"cost_per_[a-z0-9_]+")
SPELLED = {"avg": MEAN, "average": MEAN, "median": "p50"}


@lru_cache(maxsize=512)
def metric_of(written: str) -> Metric | None:
    """The metric that a name, an alias, or either with its statistic stands for."""
    if COST_PER.fullmatch(written):
        return Metric(written, COST, DOWN, MONEY, FROM_ZERO, "USD")
    if BARE.fullmatch(written):
        written = f"latency_{written}"
    row = TABLE.get(NAMES.get(AT_K.sub("_at_k", written), ""))
    if row:
        return replace(row, name=written) if AT_K.search(written) else row
    name, statistic = with_statistic(written)
    base = TABLE.get(NAMES.get(name, ""))
    return replace(base, name=f"{base.name}_{statistic}") if base and base.measure is TIME else None


def with_statistic(written: str) -> tuple[str, str]:
    """A name without its statistic, and the statistic, empty where there is none."""
    match = STATISTIC.fullmatch(written) or FIRST.fullmatch(written)
    if match is None:
        return written, ""
    return match["name"], SPELLED.get(match["statistic"], match["statistic"])


def misnumbered(written: str) -> str | None:
    """What to write instead of a number in a known metric's name that is none: p200, at 0."""
    if metric_of(written) is None:
        return None
    if AT_NONE.search(written):
        return AT_NONE.sub("_at_5", written)
    statistic = with_statistic(written)[1] or (written if BARE.fullmatch(written) else "")
    if not statistic.startswith("p") or PERCENTILE.fullmatch(statistic):
        return None
    return f"{written.replace(statistic, '').strip('_') or 'latency'}_p95"


def canonical_name(written: str) -> str:
    """The name by which two lines on one metric know each other."""
    metric = metric_of(written)
    return metric.name if metric else written
