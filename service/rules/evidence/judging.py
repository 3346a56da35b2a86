"""One result a threshold: the number that speaks for it, whether it counts, and how it compares."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from service.rules.charter.line_keys import waived_until
from service.rules.charter.metrics import canonical_name
from service.rules.charter.model import Charter, Evidence
from service.rules.charter.quantity import Quantity, read_quantity
from service.rules.charter.threshold import Threshold
from service.rules.evidence.amounts import exact, grouped, implausible, is_sampled
from service.rules.evidence.values import Conditions, Demands, Measurement, Reading, Result, Status, Unread
from service.rules.source.text import clip, in_words
from service.rules.values.groups import Level

Z = Fraction("1.959963984540054")
"""Standard deviations on either side that hold 95 % of a normal distribution."""
HOLDS = {"<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt, "==": operator.eq}
DECIDED = frozenset({Status.MET, Status.MET_WITHIN_ERROR, Status.MISSED})
REFUSALS = (
    Status.IMPLAUSIBLE,
    Status.SELF_REPORTED,
    Status.TOO_OLD,
    Status.WRONG_ENVIRONMENT,
    Status.WRONG_CONDITIONS,
    Status.TOO_FEW,
)
"""Why a number does not count, in the order in which it is asked: the later, the nearer it came."""


def conditions_of(threshold: Threshold, number: Measurement) -> Conditions:
    """Those that were sent along; a file's are those that the charter's line claims."""
    if not number.is_from_file:
        return number.conditions or Conditions()
    clauses = threshold.clauses
    return Conditions(
        dataset=clauses.get("on"),
        load=read_quantity(clauses.get("at")),
        window=read_quantity(clauses.get("over")),
        segment=clauses.get("for"),
        n=int(clauses["n"]) if "n" in clauses else None,
    )


def speaks_for(threshold: Threshold, number: Measurement) -> bool:
    """Whether a number is for the line's segment: one of another segment says nothing about it."""
    return conditions_of(threshold, number).segment == threshold.clauses.get("for")


def unmeasured(threshold: Threshold, demands: Demands) -> str:
    """What to do where there is no number at all."""
    segment = f" for {clip(threshold.clauses['for'])}" if "for" in threshold.clauses else ""
    where = f" in {clip(demands.environments[0])}" if demands.environments else ""
    then = ", then add an evidence line" if demands.level is Level.SELF_REPORTED else ""
    return f"measure it{segment}{where}{then}"


def self_reported(number: Measurement, demands: Demands) -> str | None:
    """Why a number does not count where only measured ones do."""
    if demands.level is Level.SELF_REPORTED or number.level is Level.MEASURED:
        return None
    if number.is_from_file:
        return "self-reported: a workflow run has to send it"
    return "self-reported: its job has no `environment`, give it one"


def too_old(number: Measurement, demands: Demands) -> str | None:
    """Why a number of that day does not count any more."""
    if demands.now - number.at <= timedelta(days=demands.max_age_days):
        return None
    day = in_words(number.at.astimezone(UTC).date())
    since = "unchanged since" if number.is_from_file else "taken on"
    return f"too old: {since} {day}, counts for {demands.max_age_days} calendar days"


def wrong_environment(number: Measurement, demands: Demands) -> str | None:
    """Why a number taken there does not count; a file's is claimed to be taken where it counts."""
    if number.is_from_file:
        return None
    taken = (number.conditions or Conditions()).environment
    counting = demands.environments
    if taken is not None and taken.lower() in {name.lower() for name in counting}:  # GitHub minds no case
        return None
    met = f"taken in {clip(taken)}" if taken is not None else "no environment named"
    return f"{met}: measure it in {clip(counting[0])}" if counting else f"{met}: the charter names none"


def wrong_conditions(threshold: Threshold, number: Measurement) -> str | None:
    """Why a number does not count that was taken on other data, at less load, or over a shorter time."""
    taken, asked = conditions_of(threshold, number), threshold.clauses
    if "on" in asked and taken.dataset != asked["on"]:
        return _instead("on", taken.dataset, asked["on"], "data set")
    if "at" in asked and not _reaches(taken.load, asked["at"]):
        return _instead("at", _text(taken.load), asked["at"], "load")
    if "over" in asked and not _reaches(taken.window, asked["over"]):
        return _instead("over", _text(taken.window), asked["over"], "time")
    return None


def too_few(threshold: Threshold, number: Measurement) -> str | None:
    """Why a number of so few samples doesn't count; one of none isn't a number."""
    n, asked = conditions_of(threshold, number).n, threshold.clauses.get("n")
    least = max(1, int(asked or 0))
    wanted = asked is not None or "confidence" in threshold.clauses
    if (n is None and not wanted) or (n is not None and (number.is_from_file or n >= least)):
        return None
    said = "n is missing" if n is None else f"only n {grouped(n)}"
    return f"too few: {said}, measure {grouped(least)} or more"


def _text(quantity: Quantity | None) -> str | None:
    return quantity.text if quantity else None


def _reaches(taken: Quantity | None, asked: str) -> bool:
    """Whether it was as much as the line asks for, or more, of the same thing."""
    wanted = read_quantity(asked)
    if taken is None or wanted is None or taken.canonical_unit != wanted.canonical_unit:
        return False
    return taken.canonical_value >= wanted.canonical_value


def _instead(word: str, taken: str | None, asked: str, what: str) -> str:
    met = f"taken {word} {clip(taken)}" if taken is not None else f"no {what} named"
    return f"{met}: measure it {word} {clip(asked)}"


def inside_error_bar(share: Fraction, bound: Fraction, n: int) -> bool:
    """Whether a bound lies in the interval around a share of n samples, so that chance may have decided.

    The interval holds the bounds for which the score test does not reject the share; asked this way, no
    root has to be drawn and nothing is rounded.
    """
    if n <= 0 or not 0 <= share <= 1:
        return False
    return (share - bound) ** 2 * n <= Z**2 * bound * (1 - bound)


def judge_all(
    done: Sequence[Threshold], readings: Sequence[Sequence[Reading]], demands: Demands
) -> tuple[Result, ...]:
    """Judge each line by its own readings."""
    return tuple(judge_line(line, given, demands) for line, given in zip(done, readings, strict=True))


def waive(results: Sequence[Result], charter: Charter, today: date) -> tuple[Result, ...]:
    """The results with what may be missed on that day, by the charter's waivers."""
    waivers = [each.value for each in charter.waived if each.value.runs(today)]
    waived: list[Result] = []
    for each in results:
        until = None if each.met else waived_until(each.threshold, waivers, charter.done)
        waived.append(replace(each, waived=until) if until else each)
    return tuple(waived)


def judge_line(threshold: Threshold, readings: Sequence[Reading], demands: Demands) -> Result:
    """Compare a bound with the number that speaks for it; without one that counts it is not met.

    A measured number goes before a self-reported one, then the newest; of several of one moment the one that
    is furthest from the bound, so that nobody picks. Of a line `in 5 runs` the worst of the newest five.
    """
    name = canonical_name(threshold.metric)
    numbers = [each for each in readings if isinstance(each, Measurement)]
    numbers = [
        each for each in numbers if canonical_name(each.metric) == name and speaks_for(threshold, each)
    ]
    judged = [(each, refuse(threshold, each, demands)) for each in numbers]
    if counting := [number for number, refused in judged if refused is None]:
        return _of_counting(threshold, counting, demands)
    if left_out := [refused for _, refused in judged if refused is not None]:
        return max(left_out, key=_nearness)
    unread = next((each.reason for each in readings if isinstance(each, Unread)), "")
    return Result(threshold, Status.NOT_MEASURED, reason=unread or unmeasured(threshold, demands))


def _of_counting(threshold: Threshold, counting: Sequence[Measurement], demands: Demands) -> Result:
    """What the numbers that count say: by the newest, or the worst of as many as the line asks for."""
    ordered = sorted(counting, key=_precedence, reverse=True)
    newest = [each for each in ordered if _precedence(each) == _precedence(ordered[0])]
    if threshold.runs > 1 and not ordered[0].is_from_file:
        taken = [each for each in ordered if not each.is_from_file]
        if len(taken) < threshold.runs:
            more = threshold.runs - len(taken)
            times = "once" if more == 1 else f"{more} times"
            reason = f"{len(taken)} of {threshold.runs} runs: measure it {times} more"
            return Result(threshold, Status.TOO_FEW, ordered[0], reason)
        newest = [max(taken[: threshold.runs], key=lambda each: _badness(threshold, each))]
    results = [compare(threshold, each, demands) for each in newest]
    result = next((each for each in results if not each.met), results[0])
    return replace(result, against=_opposite(result, ordered, demands))


def _badness(threshold: Threshold, number: Measurement) -> Fraction:
    """How far a number lies on the wrong side of the bound: the more, the worse."""
    value, bound = exact(number.value, number.unit), exact(threshold.value, threshold.unit)
    if threshold.op == "==":
        return abs(value - bound)
    return value if "<" in threshold.op else -value


def _opposite(result: Result, ordered: Sequence[Measurement], demands: Demands) -> Measurement | None:
    """The newest other number by which the verdict would be the opposite."""
    others = (each for each in ordered if each != result.measurement)
    opposite = (each for each in others if compare(result.threshold, each, demands).met is not result.met)
    told = result.status in DECIDED and result.threshold.runs == 1
    return next(opposite, None) if told else None


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


def compare(threshold: Threshold, number: Measurement, demands: Demands) -> Result:
    """Hold a number that counts against the bound: by itself, or by what is certain of it."""
    value, bound = exact(number.value, number.unit), exact(threshold.value, threshold.unit)
    holds = HOLDS[threshold.op](value, bound)
    if not is_undecided(threshold, number):
        return Result(threshold, Status.MET if holds else Status.MISSED, number)
    if not demands.by_point or "confidence" in threshold.clauses:
        return Result(threshold, Status.UNDECIDED, number)
    return Result(threshold, Status.MET_WITHIN_ERROR if holds else Status.MISSED, number)


def is_undecided(threshold: Threshold, number: Measurement) -> bool:
    """Whether the number of samples does not tell on which side of the bound a share lies."""
    n = conditions_of(threshold, number).n
    if n is None or not is_sampled(threshold):
        return False
    share, bound = exact(number.value, number.unit), exact(threshold.value, threshold.unit)
    return inside_error_bar(share, bound, n)


def error_bar(threshold: Threshold, number: Measurement) -> tuple[float, float] | None:
    """Between what a share of n samples lies by chance alone (Wilson, 95 %); None for all else."""
    n, share = conditions_of(threshold, number).n, exact(number.value, number.unit)
    if not n or not is_sampled(threshold) or not 0 <= share <= 1:
        return None
    squared = float(Z) ** 2
    middle = (float(share) + squared / (2 * n)) / (1 + squared / n)
    spread = float(Z) * math.sqrt(float(share * (1 - share)) / n + squared / (4 * n * n)) / (1 + squared / n)
    return middle - spread, middle + spread


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
