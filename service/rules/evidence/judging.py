"""One result a threshold: the number that speaks for it, whether it counts, and how it compares."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from service.rules.charter.metrics import canonical_name
from service.rules.charter.model import Evidence
from service.rules.charter.threshold import Threshold
from service.rules.evidence.amounts import exact, implausible, is_sampled
from service.rules.evidence.conditions import (
    conditions_of,
    self_reported,
    speaks_for,
    too_few,
    too_old,
    unmeasured,
    wrong_conditions,
    wrong_environment,
)
from service.rules.evidence.values import Demands, Measurement, Reading, Result, Status, Unread
from service.rules.values.groups import Level

Z = Fraction("1.959963984540054")
"""Standard deviations on either side that hold 95 % of a normal distribution."""


def inside_error_bar(share: Fraction, bound: Fraction, n: int) -> bool:
    """Whether a bound lies in the interval around a share of n samples, so that chance may have decided.

    The interval holds the bounds for which the score test does not reject the share; asked this way, no
    root has to be drawn and nothing is rounded.
    """
    if n <= 0 or not 0 <= share <= 1:
        return False
    return (share - bound) ** 2 * n <= Z**2 * bound * (1 - bound)


HOLDS = {"<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt, "==": operator.eq}
REFUSALS = (
    Status.IMPLAUSIBLE,
    Status.SELF_REPORTED,
    Status.TOO_OLD,
    Status.WRONG_ENVIRONMENT,
    Status.WRONG_CONDITIONS,
    Status.TOO_FEW,
)
"""Why a number does not count, in the order in which it is asked: the later, the nearer it came."""


def judge_all(
    done: Sequence[Threshold], readings: Sequence[Sequence[Reading]], demands: Demands
) -> tuple[Result, ...]:
    """Judge each line by its own readings."""
    return tuple(judge_line(line, given, demands) for line, given in zip(done, readings, strict=True))


def judge_line(threshold: Threshold, readings: Sequence[Reading], demands: Demands) -> Result:
    """Compare a bound with the number that speaks for it; without one that counts it is not met.

    A measured number goes before a self-reported one, then the newest; of several of one moment the one that
    is furthest from the bound, so that nobody picks.
    """
    name = canonical_name(threshold.metric)
    numbers = [each for each in readings if isinstance(each, Measurement)]
    numbers = [
        each for each in numbers if canonical_name(each.metric) == name and speaks_for(threshold, each)
    ]
    judged = [(each, refuse(threshold, each, demands)) for each in numbers]
    if counting := [number for number, refused in judged if refused is None]:
        newest = max(map(_precedence, counting))
        results = [compare(threshold, each) for each in counting if _precedence(each) == newest]
        return next((result for result in results if not result.met), results[0])
    if left_out := [refused for _, refused in judged if refused is not None]:
        return max(left_out, key=_nearness)
    unread = next((each.reason for each in readings if isinstance(each, Unread)), "")
    return Result(threshold, Status.NOT_MEASURED, reason=unread or unmeasured(threshold, demands))


def refuse(threshold: Threshold, number: Measurement, demands: Demands) -> Result | None:
    """The first reason for which a number does not count; None where it does."""
    reasons = (
        implausible(threshold, number),
        self_reported(number, demands),
        too_old(number, demands),
        wrong_environment(number, demands),
        wrong_conditions(threshold, number),
        too_few(threshold, number),
    )
    for status, reason in zip(REFUSALS, reasons, strict=True):
        if reason is not None:
            return Result(threshold, status, number, reason)
    return None


def compare(threshold: Threshold, number: Measurement) -> Result:
    """Hold a number that counts against the bound: exactly, and what is missed is missed."""
    value, bound = exact(number.value, number.unit), exact(threshold.value, threshold.unit)
    if not HOLDS[threshold.op](value, bound):
        return Result(threshold, Status.MISSED, number)
    n = conditions_of(threshold, number).n
    by_chance = n is not None and is_sampled(threshold) and inside_error_bar(value, bound, n)
    return Result(threshold, Status.MET_WITHIN_ERROR if by_chance else Status.MET, number)


def _precedence(number: Measurement) -> tuple[bool, datetime]:
    return number.level is Level.MEASURED, number.at


def _nearness(result: Result) -> tuple[object, ...]:
    assert result.measurement is not None
    return REFUSALS.index(result.status), result.measurement.at


def line_for(threshold: Threshold, lines: Sequence[Evidence]) -> Evidence | None:
    """The line of `evidence` that finds a threshold's number: the one that names it outright, or else the
    one whose key it answers to.
    """
    named = [line for line in lines if line.key.names(threshold)]
    answering = [line for line in lines if line.key.answers(threshold)]
    return next(iter((*named, *answering)), None)
