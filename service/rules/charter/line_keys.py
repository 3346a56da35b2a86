"""Which lines of `done` something is for: where a number is found, or a waiver of what may be missed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from service.rules.charter.metrics import canonical_name
from service.rules.charter.quantity import Refusal
from service.rules.charter.threshold import Threshold, at_load, read_clauses, split_clauses
from service.rules.charter.values import parse_dated
from service.rules.source.text import shown

KEY = re.compile(r"(?P<metric>[a-z][a-z0-9_]{0,63})(?P<clauses>(?:\s.*)?)")
TELLING = ("on", "for", "at", "over")

WAIVED = re.compile(r"(?P<key>\S.*?)\s+until\s+(?P<dated>\S.*)", re.DOTALL)
LONGEST_WAIVER = timedelta(days=60)
EAST = timedelta(days=1)
"""Somebody east of UTC counts from tomorrow."""


@dataclass(frozen=True, slots=True)
class Key:
    """A metric, and the clauses that tell its lines apart."""

    metric: str
    clauses: Mapping[str, str] = field(default_factory=dict, hash=False)

    def answers(self, threshold: Threshold) -> bool:
        """Whether the number is for that line."""
        if canonical_name(self.metric) != canonical_name(threshold.metric):
            return False
        return all(same(word, text, threshold.clauses.get(word)) for word, text in self.clauses.items())

    @property
    def about(self) -> tuple[object, ...]:
        """What two keys of the same lines have in common, however they are written."""
        told = ((word, at_load(text) or text) for word, text in self.clauses.items())
        return (canonical_name(self.metric), *sorted(told, key=lambda clause: clause[0]))

    @property
    def printed(self) -> str:
        """The key as it is written."""
        return " ".join([self.metric, *(f"{word} {text}" for word, text in self.clauses.items())])

    def names(self, threshold: Threshold) -> bool:
        """Whether it is for that line and can be for no other: it tells all that the line tells."""
        return self.answers(threshold) and all(
            word in self.clauses for word in TELLING if word in threshold.clauses
        )


def same(word: str, one: str, other: str | None) -> bool:
    """Whether two clauses say the same; a load and a time by what they amount to."""
    if other is None:
        return False
    return at_load(one) == at_load(other) if word in ("at", "over") else one == other


def parse_key(text: str) -> Key | Refusal:
    """Read `recall`, or `recall for high-value`."""
    match = KEY.fullmatch(text.strip())
    if match is None:
        return Refusal(f"{shown(text)} isn't a metric: write its name as in `done`, for example `accuracy`")
    rest, written = split_clauses(match["clauses"])
    clauses = read_clauses(written, match.start("clauses"))
    if rest or isinstance(clauses, Refusal) or not set(clauses) <= set(TELLING):
        message = f"{shown(text)} isn't a key: write the metric, or add a `for`, `on`, `at` or `over`"
        return Refusal(f"{message}, for example `recall for eu`")
    return Key(match["metric"], clauses)


def key_of(threshold: Threshold, others: Iterable[Threshold]) -> str:
    """The shortest key that is for this line and for none of the others."""
    rest = [other for other in others if other.key != threshold.key]
    clauses = {word: threshold.clauses[word] for word in TELLING if word in threshold.clauses}
    keys = [Key(threshold.metric), *(Key(threshold.metric, {word: clauses[word]}) for word in clauses)]
    shortest = next((key for key in keys if not any(key.answers(other) for other in rest)), None)
    return (shortest or Key(threshold.metric, clauses)).printed


@dataclass(frozen=True, slots=True)
class Waiver:
    """Which line may be missed, until when, and why."""

    key: Key
    until: date
    reason: str

    @property
    def written(self) -> str:
        """The waiver as a charter has it."""
        return f"{self.key.printed} until {self.until.isoformat()} - {self.reason}"

    def is_too_long(self, today: date) -> bool:
        """Whether it would end more than 60 days from now."""
        return self.until > today + LONGEST_WAIVER + EAST

    def runs(self, today: date) -> bool:
        """Whether it counts on a day: it has not ended, and it is not too long."""
        return self.until >= today and not self.is_too_long(today)


def parse_waiver(text: str) -> Waiver | Refusal:
    """Read `error_rate until 2027-03-15 - the load test comes later`."""
    match = WAIVED.fullmatch(text.strip())
    dated = parse_dated(match["dated"]) if match else None
    if match is None or dated is None:
        return Refusal("A waiver has a metric, an end and a reason")
    key = parse_key(match["key"])
    if isinstance(key, Refusal):
        return Refusal(f"{shown(match['key'], 40)} isn't how a line of `done` is named")
    return Waiver(key, *dated)


def waived_lines(waiver: Waiver, done: Iterable[Threshold]) -> tuple[Threshold, ...]:
    """The lines that a waiver is for: those on one metric under the same conditions; none where it could be
    for others as well.
    """
    lines = tuple(line for line in done if waiver.key.answers(line))
    named = tuple(line for line in lines if waiver.key.names(line)) or lines
    return named if len({line.key for line in named}) == 1 else ()


def waived_until(line: Threshold, running: Iterable[Waiver], done: Sequence[Threshold]) -> date | None:
    """Until when a line may be missed; None where none of the waivers is for it."""
    return max((each.until for each in running if line in waived_lines(each, done)), default=None)
