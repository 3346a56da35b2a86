"""What the usual metrics measure. A metric that is not known here is taken as it is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from service.rules.charter.threshold import Threshold
from service.rules.charter.units import Dimension


@dataclass(frozen=True, slots=True)
class Family:
    """Metrics that measure the same kind of thing, and the unit to propose for them."""

    names: re.Pattern[str]
    dimension: Dimension
    unit: str


FAMILIES = (
    Family(
        re.compile(
            r"(latency|ttft|tpot)(_\w+)?|p\d\d_latency|p\d\d|cold_start|mttr|rollback_time|handle_time"
        ),
        Dimension.TIME,
        "ms",
    ),
    Family(re.compile(r"cost_per_(request|ticket|call|document|1k_tokens|user)"), Dimension.MONEY, "USD"),
    Family(
        re.compile(
            r"(balanced_)?accuracy|precision|recall|specificity|f1|auroc|auprc|groundedness|faithfulness|availability"
            r"|exact_match|context_precision|context_recall|answer_relevancy|(error|timeout|hallucination|toxicity"
            r"|pii_leak|jailbreak_success|task_success|win|deflection|escalation|override|adoption|retention"
            r"|schema_violation|hit)_rate|fpr|fnr"
        ),
        Dimension.RATIO,
        "%",
    ),
)


def family_of(metric: str) -> Family | None:
    """The family of a metric, if it is a usual one."""
    return next((family for family in FAMILIES if family.names.fullmatch(metric)), None)


def lacks_unit(threshold: Threshold) -> bool:
    """Whether the number could mean anything; a ratio may be written bare where it is one."""
    family = family_of(threshold.metric)
    if family is None or threshold.unit.dimension is not Dimension.NONE:
        return False
    return family.dimension is not Dimension.RATIO or not Decimal(0) <= threshold.value <= Decimal(1)


def has_wrong_unit(threshold: Threshold) -> bool:
    """Whether the unit measures something else than the metric does."""
    family = family_of(threshold.metric)
    return family is not None and threshold.unit.dimension not in (Dimension.NONE, family.dimension)
