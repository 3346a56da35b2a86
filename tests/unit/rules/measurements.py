"""Numbers as they arrive, and what is asked of them, for tests of judging and of its words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from service.rules.charter.quantity import Quantity, parse_quantity, read_unit
from service.rules.charter.threshold import Threshold, parse_threshold
from service.rules.charter.units import Unit
from service.rules.evidence.values import Conditions, Demands, Measurement
from service.rules.values.groups import Level

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
STAGING, PRODUCTION = "support-staging", "support-prod"
ANY = Demands(NOW, Level.SELF_REPORTED, 14, (STAGING, PRODUCTION))
STRICT = Demands(NOW, Level.MEASURED, 14, (STAGING, PRODUCTION))
FILE = "eval/metrics.json $.value"
RUN = "https://github.com/acme/triage/actions/runs/41"


def threshold(text: str) -> Threshold:
    """A line of `done`."""
    read = parse_threshold(text)
    assert isinstance(read, Threshold), read
    return read


def amount(text: str | None) -> Quantity | None:
    """A load, or a time."""
    if text is None:
        return None
    read = parse_quantity(text)
    assert isinstance(read, Quantity), read
    return read


def found(metric: str, text: str, *, days: float = 1) -> Measurement:
    """A number that a file holds, like `212.4 ms`, since so many days."""
    value, _, written = text.partition(" ")
    unit = read_unit(None, written, any_token=True)
    assert isinstance(unit, Unit)
    at = NOW - timedelta(days=days)
    return Measurement(metric, Decimal(value), unit, Level.SELF_REPORTED, FILE, at)


def sent(
    metric: str,
    text: str,
    *,
    days: float = 1,
    environment: str | None = STAGING,
    on: str | None = None,
    at: str | None = None,
    over: str | None = None,
    segment: str | None = None,
    n: int | None = None,
) -> Measurement:
    """A number that a workflow run sent, and under what it was taken."""
    value = found(metric, text, days=days)
    conditions = Conditions(environment, on, amount(at), amount(over), segment, n)
    return Measurement(metric, value.value, value.unit, Level.MEASURED, RUN, value.at, conditions)
