"""Judge each threshold: which number is used for it, whether that counts, and how the two compare."""

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
"""95 % of a normal distribution lie within so many standard deviations of its mean."""
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
"""Why a number doesn't count, in the order of the checks: a number that fails a later one came closer."""


def conditions_of(threshold: Threshold, number: Measurement) -> Conditions:
    """How a number was taken: as it was sent; for a number from a file, as the charter's line says."""
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
    """Whether a number was taken for the line's segment; a number for another segment isn't used."""
    return conditions_of(threshold, number).segment == threshold.clauses.get("for")


def unmeasured(threshold: Threshold, demands: Demands) -> str:
    """What to do if there is no number yet."""
    segment = f" for {clip(threshold.clauses['for'])}" if "for" in threshold.clauses else ""
    where = f" in {clip(demands.environments[0])}" if demands.environments else ""
    then = ", then add an evidence line" if demands.level is Level.SELF_REPORTED else ""
    return f"measure it{segment}{where}{then}"


def self_reported(number: Measurement, demands: Demands) -> str | None:
    """Why a self-reported number doesn't count, if only measured ones do."""
    if demands.level is Level.SELF_REPORTED or number.level is Level.MEASURED:
        return None
    if number.is_from_file:
        return "self-reported: a workflow run has to send it"
    return "self-reported: its job has no `environment`, give it one"


def too_old(number: Measurement, demands: Demands) -> str | None:
    """Why a number is too old to count."""
    if demands.now - number.at <= timedelta(days=demands.max_age_days):
        return None
    day = in_words(number.at.astimezone(UTC).date())
    since = "unchanged since" if number.is_from_file else "taken on"
    return f"too old: {since} {day}, counts for {demands.max_age_days} calendar days"


def wrong_environment(number: Measurement, demands: Demands) -> str | None:
    """Why a number from another environment doesn't count; a file is taken to be from the right one."""
    if number.is_from_file:
        return None
    taken = (number.conditions or Conditions()).environment
    counting = demands.environments
    if taken is not None and taken.lower() in {name.lower() for name in counting}:  # GitHub minds no case
        return None
    met = f"taken in {clip(taken)}" if taken is not None else "no environment named"
    return f"{met}: measure it in {clip(counting[0])}" if counting else f"{met}: the charter names none"


def wrong_conditions(threshold: Threshold, number: Measurement) -> str | None:
    """Why a number doesn't count that was taken on other data, at a lower load, or over a shorter time."""
    taken, asked = conditions_of(threshold, number), threshold.clauses
    if "on" in asked and taken.dataset != asked["on"]:
        return _instead("on", taken.dataset, asked["on"], "data set")
    if "at" in asked and not _reaches(taken.load, asked["at"]):
        return _instead("at", _text(taken.load), asked["at"], "load")
    if "over" in asked and not _reaches(taken.window, asked["over"]):
        return _instead("over", _text(taken.window), asked["over"], "time")
    return None


def too_few(threshold: Threshold, number: Measurement) -> str | None:
    """Why a number with too few samples doesn't count; it always takes at least one sample."""
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
    """Whether a load or a time is at least what the line asks for, in a unit that can be compared."""
    wanted = read_quantity(asked)
    if taken is None or wanted is None or taken.canonical_unit != wanted.canonical_unit:
        return False
    return taken.canonical_value >= wanted.canonical_value


def _instead(word: str, taken: str | None, asked: str, what: str) -> str:
    met = f"taken {word} {clip(taken)}" if taken is not None else f"no {what} named"
    return f"{met}: measure it {word} {clip(asked)}"


def inside_error_bar(share: Fraction, bound: Fraction, n: int) -> bool:
    """Whether a bound is inside the confidence interval of a share of n samples, so that it may be chance.

    The interval has all bounds for which the score test doesn't reject the share. Asking the test itself
    needs no square root, so nothing is rounded.
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
    """The results, with the charter's waivers applied: which misses are allowed on that day."""
    waivers = [each.value for each in charter.waived if each.value.runs(today)]
    waived: list[Result] = []
    for each in results:
        until = None if each.met else waived_until(each.threshold, waivers, charter.done)
        waived.append(replace(each, waived=until) if until else each)
    return tuple(waived)


def judge_line(threshold: Threshold, readings: Sequence[Reading], demands: Demands) -> Result:
    """Compare a bound with the best number for it; it isn't met if no number counts.

    Measured numbers come before self-reported ones, and newer ones before older ones. If several have the
    same time, one that misses the bound counts, so that nobody can pick. A line with `in 5 runs` gets the
    worst of the newest five.
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
    """The result of the numbers that count: of the newest, or of the worst if the line asks for several."""
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
    """A rank by which the worst of several numbers has the highest value."""
    value, bound = exact(number.value, number.unit), exact(threshold.value, threshold.unit)
    if threshold.op == "==":
        return abs(value - bound)
    return value if "<" in threshold.op else -value


def _opposite(result: Result, ordered: Sequence[Measurement], demands: Demands) -> Measurement | None:
    """The newest other number with which the verdict would be the opposite."""
    others = (each for each in ordered if each != result.measurement)
    opposite = (each for each in others if compare(result.threshold, each, demands).met is not result.met)
    told = result.status in DECIDED and result.threshold.runs == 1
    return next(opposite, None) if told else None


def refuse(threshold: Threshold, number: Measurement, demands: Demands) -> Result | None:
    """The first reason why a number doesn't count; None if it counts."""
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
    """Compare a number that counts with the bound; its confidence interval may leave it undecided."""
    value, bound = exact(number.value, number.unit), exact(threshold.value, threshold.unit)
    holds = HOLDS[threshold.op](value, bound)
    if not is_undecided(threshold, number):
        return Result(threshold, Status.MET if holds else Status.MISSED, number)
    if not demands.by_point or "confidence" in threshold.clauses:
        return Result(threshold, Status.UNDECIDED, number)
    return Result(threshold, Status.MET_WITHIN_ERROR if holds else Status.MISSED, number)


def is_undecided(threshold: Threshold, number: Measurement) -> bool:
    """Whether there are too few samples to say on which side of the bound a share is."""
    n = conditions_of(threshold, number).n
    if n is None or not is_sampled(threshold):
        return False
    share, bound = exact(number.value, number.unit), exact(threshold.value, threshold.unit)
    return inside_error_bar(share, bound, n)


def error_bar(threshold: Threshold, number: Measurement) -> tuple[float, float] | None:
    """The confidence interval of a share (Wilson, 95 %); None if it isn't a share of samples."""
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
    """The line of `evidence` for a threshold: the one that names it exactly, or else one that fits."""
    named = [line for line in lines if line.key.names(threshold)]
    answering = [line for line in lines if line.key.answers(threshold)]
    return next(iter((*named, *answering)), None)
