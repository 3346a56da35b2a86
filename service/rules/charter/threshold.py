"""The grammar of a threshold: `metric op number unit`, then clauses. It decides; word lists only explain."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from service.rules.charter.metrics import (
    Measure,
    Metric,
    Way,
    canonical_name,
    metric_by_ending,
    metric_of,
    misnumbered,
)
from service.rules.charter.quantity import (
    EXACT,
    NUMBER,
    Quantity,
    Refusal,
    canonical,
    parse_duration,
    read_quantity,
    read_unit,
)
from service.rules.charter.units import Dimension, Unit
from service.rules.source.text import shown

MAX_CHARACTERS = 300
MEASURED = {
    Measure.TIME: Dimension.TIME,
    Measure.SHARE: Dimension.RATIO,
    Measure.MONEY: Dimension.MONEY,
    Measure.SIZE: Dimension.SIZE,
}
OPERATORS = {"<=": "<=", "<": "<", ">=": ">=", ">": ">", "==": "==", "≤": "<=", "≥": ">="}
LINE = re.compile(
    r"(?P<metric>[a-z][a-z0-9_]{0,63})\s*(?P<op><=|>=|==|<|>|≤|≥)\s*"
    rf"(?P<currency>[$€£])?\s*(?P<number>{NUMBER})(?P<rest>(?![0-9.,]).*)"
)
CLAUSE = re.compile(r"(?:^|\s)(at|on|with|over|for|from|in(?=\s+\d+\s+runs?(?:\s|$)))\s")
RUNS = re.compile(r"(?P<count>[2-9]|[1-9][0-9]) runs")
SAMPLE_SIZE = re.compile(r"n\s*(?:>=|==|=|≥)\s*([0-9]{1,12})")
CONFIDENCE = re.compile(r"95\s*%\s*confidence")
WORD = re.compile(r"(?![\d_])\w(?:\S*[^\s,;.:])?")
POINTS = re.compile(r"pp|percentage points?")
GAP = re.compile(r"(?:^|_)(?:gap|difference|delta|change|drop|uplift|increase|reduction|improvement)(?:_|$)")
"""A name that speaks of a difference, the only thing that percentage points measure."""
NO_THRESHOLD = "no threshold"
EXAMPLE = "accuracy >= 92 % on holdout with n >= 2000"


@dataclass(frozen=True, slots=True)
class Threshold:
    """One line of `done`: a metric, its bound, and the conditions under which it is measured."""

    line: int = field(compare=False)
    column: int = field(compare=False)
    text: str = field(compare=False)
    metric: str
    op: str
    value: Decimal
    unit: Unit
    clauses: Mapping[str, str] = field(default_factory=dict, hash=False)
    """By the word that begins it: `at`, `on`, `over`, `for`, `from`, `in`; of `with`: `n`, `confidence`."""

    @property
    def runs(self) -> int:
        """Of how many numbers the worst counts."""
        return int(self.clauses["in"].partition(" ")[0]) if "in" in self.clauses else 1

    @property
    def canonical_value(self) -> Decimal:
        """The bound in the canonical unit."""
        return canonical(self.value, self.unit)

    @property
    def canonical_unit(self) -> str:
        """The unit that bounds of the same meaning share."""
        return self.unit.canonical

    @property
    def known(self) -> Metric | None:
        """The row of the metric table, or what the name's end and the unit say together.

        So many in a time aren't a share, whatever the name.
        """
        metric = metric_of(self.metric)
        if metric is None:
            return self._typed
        is_share = metric.measure is Measure.SHARE and self.metric.endswith("_rate")
        return None if is_share and self.unit.is_flow else metric

    @property
    def _typed(self) -> Metric | None:
        """What the end of the name says, unless the unit says that it means something else."""
        metric = metric_by_ending(self.metric)
        if metric is None:
            return None
        if self.unit.dimension is Dimension.NONE:
            share = metric.measure is Measure.SHARE
            return (
                None if share and self.value > 1 and (metric.way is not Way.UP or "<" in self.op) else metric
            )
        asked = MEASURED[metric.measure]
        priced = asked is Dimension.MONEY and self.unit.parts[:1] == (asked,)
        return metric if priced or self.unit.dimension is asked else None

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two lines the same threshold: the metric, and all its clauses but the sample size."""
        on, segment, load, time = (self.clauses.get(word) for word in ("on", "for", "at", "over"))
        return (canonical_name(self.metric), on, segment, at_load(load), at_load(time))

    @property
    def printed(self) -> str:
        """The line as the grammar writes it."""
        unit = f" {self.unit.text}" if self.unit.text else ""
        return " ".join(
            [f"{self.metric} {self.op} {self.value:f}{unit}", *map(clause_text, self.clauses.items())]
        )


@lru_cache(256)
def at_load(text: str | None) -> tuple[Decimal, str] | None:
    """A load or a time by what it amounts to, so that `50 req/s` is `3000 req/min`."""
    load = read_quantity(text)
    return (load.canonical_value, load.canonical_unit) if load else None


def clause_text(clause: tuple[str, str]) -> str:
    """A clause as it is written."""
    word, value = clause
    written = {"n": "with n >=", "confidence": "with"}.get(word, word)
    return f"{written} {value}"


@lru_cache(256)
def parse_threshold(text: str, line: int = 1, column: int = 1) -> Threshold | Refusal:
    """Read one line by the grammar alone; a refusal says what it met, not yet what was meant."""
    text = text.strip()
    match = LINE.fullmatch(text) if len(text) <= MAX_CHARACTERS else None
    if match is None:
        return Refusal(NO_THRESHOLD)
    written, clauses = split_clauses(match["rest"])
    metric = metric_of(match["metric"])
    if meant := misnumbered(match["metric"]):
        wrong = shown(match["metric"])
        return Refusal(f"{wrong} doesn't exist: write a number that does, as in `{meant}`")
    any_token = metric is not None and metric.measure is Measure.TARGET
    unit = read_unit(match["currency"], written, any_token=any_token)
    if POINTS.fullmatch(written) and GAP.search(match["metric"]):
        unit = Unit(written, "ratio", Fraction(1, 100), Dimension.RATIO)
    if isinstance(unit, Refusal):
        meant = text.replace(written, unit.meant, 1) if unit.meant else None
        return Refusal(unit.message, meant, match.start("rest") + match["rest"].find(written))
    read = read_clauses(clauses, match.start("rest"))
    if isinstance(read, Refusal):
        return read
    if odd := odd_clause(read, unit):
        return odd
    value = EXACT.create_decimal(match["number"])
    return Threshold(line, column, text, match["metric"], OPERATORS[match["op"]], value, unit, read)


def odd_clause(clauses: Mapping[str, str], unit: Unit) -> Refusal | None:
    """Why a bound in that unit cannot have one of its clauses."""
    if "confidence" in clauses and unit.dimension not in (Dimension.RATIO, Dimension.NONE):
        return Refusal("Chance is only known for a share of samples: leave out `with 95 % confidence`")
    today = read_quantity(clauses.get("from"))
    if today and {today.canonical_unit, unit.canonical} not in ({unit.canonical}, {"", "ratio"}):
        return Refusal(f"`from` isn't in the bound's unit: write it in {shown(unit.text or 'none')}")
    return None


def split_clauses(rest: str) -> tuple[str, list[tuple[str, str, int]]]:
    """What stands before the first clause, and each clause with its word, its text and its offset."""
    marks = list(CLAUSE.finditer(rest))
    ends = [mark.start() for mark in marks[1:]] + [len(rest)]
    clauses = [
        (mark[1], rest[mark.end() : end].strip(), mark.start(1))
        for mark, end in zip(marks, ends, strict=False)
    ]
    return rest[: marks[0].start() if marks else None].strip(), clauses


def read_clauses(clauses: list[tuple[str, str, int]], offset: int) -> dict[str, str] | Refusal:
    """The clauses by their word, in any order, each at most once."""
    read: dict[str, str] = {}
    for word, text, start in clauses:
        certain = word == "with" and CONFIDENCE.fullmatch(text)
        key = "confidence" if certain else "n" if word == "with" else word
        if key in read:
            return Refusal(f"`{word}` is here twice: keep one of the two", None, offset + start)
        value = read_clause(word, text)
        if isinstance(value, Refusal):
            return Refusal(value.message, None, offset + start)
        read[key] = value
    return read


def read_clause(word: str, text: str) -> str | Refusal:  # noqa: PLR0911 - one for each word
    """The value of one clause, or what it should have been."""
    if word == "from":
        today = read_quantity(text)
        return text if today else Refusal("`from` takes today's value: write it, as in `from 71 %`")
    if word == "in":
        runs = " ".join(text.split())
        return (
            runs
            if RUNS.fullmatch(runs)
            else Refusal("`in` takes 2 to 99 runs: write how many, as in `in 5 runs`")
        )
    if word == "with" and CONFIDENCE.fullmatch(text):
        return "95 % confidence"
    if word == "with":
        size = SAMPLE_SIZE.fullmatch(text)
        n = int(size[1]) if size else 0
        return str(n) if n else Refusal("`with` takes a sample size: write it, as in `with n >= 2000`")
    if word == "at":
        load = read_quantity(text)
        is_load = load is not None and load.unit.is_load and load.value > 0
        return text if is_load else Refusal("`at` takes a load above zero: write it, as in `at 50 req/s`")
    if word == "over":
        time = parse_duration(text)
        return (
            text if isinstance(time, Quantity) else Refusal("`over` takes a time: write it, as in `over 7 d`")
        )
    asked = "a data set, as in `on tickets-2026q3`" if word == "on" else "a segment, as in `for eu-tickets`"
    if WORD.fullmatch(text):
        return text
    wrong = "isn't one word" if re.search(r"[\s,;.:]", text) else "doesn't begin with a letter"
    return Refusal(f"{shown(text)} {wrong}: `{word}` takes {asked}")
