"""Under what a number was taken, beside what its line asks for; each answer ends in what to measure."""

from __future__ import annotations

from datetime import UTC, timedelta

from service.rules.charter.quantity import Quantity, parse_quantity
from service.rules.charter.threshold import Threshold
from service.rules.evidence.numerals import grouped
from service.rules.evidence.values import Conditions, Demands, Measurement
from service.rules.source.wording import clip
from service.rules.values.groups import Level


def conditions_of(threshold: Threshold, number: Measurement) -> Conditions:
    """Those that were sent along; a file's are those that the charter's line claims."""
    if not _is_claimed(number):
        return number.conditions or Conditions()
    clauses = threshold.clauses
    return Conditions(
        dataset=clauses.get("on"),
        load=_quantity(clauses.get("at")),
        window=_quantity(clauses.get("over")),
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
    """Why a file's number does not count where only measured ones do."""
    if demands.level is Level.SELF_REPORTED or number.level is Level.MEASURED:
        return None
    return "self-reported: a workflow run has to send it"


def too_old(number: Measurement, demands: Demands) -> str | None:
    """Why a number of that day does not count any more."""
    if demands.now - number.at <= timedelta(days=demands.max_age_days):
        return None
    day = number.at.astimezone(UTC).date().isoformat()
    since = "taken on" if number.level is Level.MEASURED else "unchanged since"
    return f"too old: {since} {day}, counts for {demands.max_age_days} days"


def wrong_environment(number: Measurement, demands: Demands) -> str | None:
    """Why a number taken there does not count; a file's is claimed to be taken where it counts."""
    if _is_claimed(number):
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
    """Why a number of so few samples does not count; one of none is no number."""
    n, asked = conditions_of(threshold, number).n, threshold.clauses.get("n")
    least = max(1, int(asked or 0))
    if _is_claimed(number) or (n is None and asked is None) or (n is not None and n >= least):
        return None
    said = "n is not said" if n is None else f"only n {grouped(n)}"
    return f"too few: {said}, measure {grouped(least)} or more"


def _is_claimed(number: Measurement) -> bool:
    """Whether nothing but the charter says under what the number was taken."""
    return number.level is Level.SELF_REPORTED and number.conditions is None


def _quantity(text: str | None) -> Quantity | None:
    quantity = parse_quantity(text) if text else None
    return quantity if isinstance(quantity, Quantity) else None


def _text(quantity: Quantity | None) -> str | None:
    return quantity.text if quantity else None


def _reaches(taken: Quantity | None, asked: str) -> bool:
    """Whether it was as much as the line asks for, or more, of the same thing."""
    wanted = _quantity(asked)
    if taken is None or wanted is None or taken.canonical_unit != wanted.canonical_unit:
        return False
    return taken.canonical_value >= wanted.canonical_value


def _instead(word: str, taken: str | None, asked: str, what: str) -> str:
    met = f"taken {word} {clip(taken)}" if taken is not None else f"no {what} named"
    return f"{met}: measure it {word} {clip(asked)}"
