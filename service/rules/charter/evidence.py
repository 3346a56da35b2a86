"""The lines of `evidence`: which number a key is for, and where in which file it is found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from service.rules.charter.metrics import canonical_name
from service.rules.charter.quantity import Refusal, read_unit
from service.rules.charter.threshold import Threshold, at_load, read_clauses, split_clauses
from service.rules.charter.units import Unit
from service.rules.source.text import listed, shown

NAME = r"\.[^\W\d]\w*"
QUOTED = r"""(?:'(?:[^'\\\x00-\x1f]|\\['\\/bfnrt])*'|"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt])*")"""
INDEX = r"\[\s*(?:0|-?[1-9][0-9]{0,8})\s*\]"
STEP = re.compile(
    rf"(?P<name>{NAME})|(?P<quoted>\[\s*{QUOTED}\s*\])|(?P<index>{INDEX})|(?P<all>\[\*\]|\.\*)"
    rf"|(?P<filter>\[\?\s*@(?:{NAME}|\[{QUOTED}\])+\s*==\s*{QUOTED}\s*\])"
)
SHOWN_CHARACTERS = 30


@dataclass(frozen=True, slots=True)
class Path:
    """How far a text is a path, and what the path holds."""

    text: str
    wildcards: int = 0
    filters: int = 0

    @property
    def length(self) -> int:
        """How many characters of the text it takes."""
        return len(self.text)

    @property
    def short(self) -> str:
        """The path as a message shows it, still a path."""
        plain = self.text.isascii() and "`" not in self.text
        return self.text if len(self.text) <= SHOWN_CHARACTERS and plain else "$.scores[*]"


def read_path(text: str) -> tuple[Path, str]:
    """The path that a text begins with, and what follows it."""
    position, wildcards, filters = 1, 0, 0
    while step := STEP.match(text, position):
        position = step.end()
        wildcards += step.lastgroup == "all"
        filters += step.lastgroup == "filter"
    return Path(text[:position], wildcards, filters), text[position:]


AGGREGATES = ("mean", "p50", "p95", "p99", "max", "min", "sum", "rate")
EXAMPLE = "eval/metrics.json $.accuracy"
SOURCE = re.compile(
    r"(?P<file>[^\s$].*?)\s+(?:(?P<aggregate>[A-Za-z0-9]+)\s+of\s+)?(?P<path>\$.*)", re.DOTALL
)
FILE = re.compile(r"(?!/)(?!.*(?:^|/)\.\.(?:/|$))[\w.@+-][\w./@+=\-\[\]()#,' ]*")
PER = re.compile(r"\s*/\s*(?P<path>\$.*)", re.DOTALL)
KEY = re.compile(r"(?P<metric>[a-z][a-z0-9_]{0,63})(?P<clauses>(?:\s.*)?)")
TELLING = ("on", "for", "at", "over")


@dataclass(frozen=True, slots=True)
class Source:
    """A number in a file: one value of it, or an aggregate over several."""

    file: str
    aggregate: str | None
    path: str
    unit: Unit
    per: str = ""
    """The path of the number that it is divided by, if it is."""


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
        return Refusal(f"{shown(text)} is no metric: write its name as in `done`, for example `accuracy`")
    rest, written = split_clauses(match["clauses"])
    clauses = read_clauses(written, match.start("clauses"))
    if rest or isinstance(clauses, Refusal) or not set(clauses) <= set(TELLING):
        message = f"{shown(text)} is no key: write the metric, or add its `for`, `on`, `at` or `over`"
        return Refusal(f"{message}, for example `recall for eu`")
    return Key(match["metric"], clauses)


def key_of(threshold: Threshold, others: Iterable[Threshold]) -> str:
    """The shortest key that is for this line and for none of the others."""
    rest = [other for other in others if other.key != threshold.key]
    clauses = {word: threshold.clauses[word] for word in TELLING if word in threshold.clauses}
    keys = [Key(threshold.metric), *(Key(threshold.metric, {word: clauses[word]}) for word in clauses)]
    shortest = next((key for key in keys if not any(key.answers(other) for other in rest)), None)
    chosen = shortest or Key(threshold.metric, clauses)
    return " ".join([chosen.metric, *(f"{word} {text}" for word, text in chosen.clauses.items())])


def parse_source(text: str) -> Source | Refusal:  # noqa: PLR0911 - one for each part of it
    """Read `load/k6.json p95 of $.values[*] ms`."""
    match = SOURCE.fullmatch(text.strip())
    if match is None:
        return Refusal(f"Not a file and a JSONPath: write `<file> <JSONPath>`, for example `{EXAMPLE}`")
    file, aggregate = match["file"], match["aggregate"]
    if not FILE.fullmatch(file):
        return Refusal(f"{shown(file)} is no file here: write its path from the root of the repository")
    if aggregate and aggregate not in AGGREGATES:
        return Refusal(f"{shown(aggregate, 12)} is none of {listed(AGGREGATES)}: use one of them")
    path, rest = read_path(match["path"])
    offset = match.start("path") + path.length
    if refusal := refused(path, rest, aggregate):
        return Refusal(refusal, None, offset)
    divided = divisor(path, rest, aggregate)
    if isinstance(divided, Refusal):
        return Refusal(divided.message, None, offset)
    per, rest = divided
    unit = read_unit(None, rest.strip(), any_token=True)
    if isinstance(unit, Refusal):
        return Refusal(
            f"{shown(rest.strip())} is no unit: end the line with one, for example `ms`", None, offset
        )
    return Source(file, aggregate, match["path"][: path.length], unit, per)


def divisor(path: Path, rest: str, aggregate: str | None) -> tuple[str, str] | Refusal:
    """The path behind `/`, empty where there is none, and what follows it."""
    divided = PER.match(rest)
    if divided is None:
        return "", rest
    below, behind = read_path(divided["path"])
    if aggregate or path.wildcards or below.wildcards or below.text == "$":
        return Refusal("A ratio is of two single numbers: write `$.failed / $.total`")
    refusal = refused(below, behind, None)
    return Refusal(refusal) if refusal else (below.text, behind)


def refused(path: Path, rest: str, aggregate: str | None) -> str | None:
    """Why a path is not one of the restricted form, with what to write."""
    if rest.startswith(".."):
        return "`..` could find many numbers: write the whole path, for example `$.metrics.accuracy`"
    if rest and not rest[0].isspace():
        return f"{shown(rest)} is no step of a path: write `.name`, `['name']`, `[0]` or `[?@.key=='x']`"
    if path.filters > 1:
        return "A path has one filter at most: keep one `[?@.key=='x']`"
    if path.wildcards and not aggregate:
        return f"`[*]` gives many numbers: say which, for example `mean of {path.short}`"
    if aggregate and not path.wildcards and not path.filters:
        return f"`{aggregate} of` needs many numbers: write `[*]` where the list is, or leave it out"
    return None
