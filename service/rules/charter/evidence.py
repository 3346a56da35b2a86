"""The lines of `evidence`: in which file a number is found, and where in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from service.rules.charter.quantity import Refusal, read_unit
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


@dataclass(frozen=True, slots=True)
class Source:
    """A number in a file: one value of it, or an aggregate over several."""

    file: str
    aggregate: str | None
    path: str
    unit: Unit
    per: str = ""
    """The path of the number that it is divided by, if it is."""


def parse_source(text: str) -> Source | Refusal:  # noqa: PLR0911 - one for each part of it
    """Read `load/k6.json p95 of $.values[*] ms`."""
    match = SOURCE.fullmatch(text.strip())
    if match is None:
        return Refusal(f"Not a file and a JSONPath: write `<file> <JSONPath>`, for example `{EXAMPLE}`")
    file, aggregate = match["file"], match["aggregate"]
    if not FILE.fullmatch(file):
        return Refusal(f"{shown(file)} isn't a file here: write its path from the root of the repository")
    if aggregate and aggregate not in AGGREGATES:
        return Refusal(f"{shown(aggregate, 12)} isn't one of {listed(AGGREGATES)}: use one of them")
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
            f"{shown(rest.strip())} isn't a unit: end the line with one, for example `ms`", None, offset
        )
    return Source(file, aggregate, match["path"][: path.length], unit, per)


def divisor(path: Path, rest: str, aggregate: str | None) -> tuple[str, str] | Refusal:
    """The path behind `/`, empty where there is none, and what follows it."""
    divided = PER.match(rest)
    if divided is None:
        return "", rest
    below, behind = read_path(divided["path"])
    if aggregate or path.wildcards or below.wildcards or below.text == "$":
        return Refusal("A ratio takes two single numbers: write `$.failed / $.total`")
    refusal = refused(below, behind, None)
    return Refusal(refusal) if refusal else (below.text, behind)


def refused(path: Path, rest: str, aggregate: str | None) -> str | None:
    """Why a path is not one of the restricted form, with what to write."""
    if rest.startswith(".."):
        return "`..` could find many numbers: write the whole path, for example `$.metrics.accuracy`"
    if rest and not rest[0].isspace():
        return f"{shown(rest)} isn't a step of a path: write `.name`, `['name']`, `[0]` or `[?@.key=='x']`"
    if path.filters > 1:
        return "A path has one filter at most: keep one `[?@.key=='x']`"
    if path.wildcards and not aggregate:
        return f"`[*]` gives many numbers: say which, for example `mean of {path.short}`"
    if aggregate and not path.wildcards and not path.filters:
        return f"`{aggregate} of` needs many numbers: write `[*]` where the list is, or leave it out"
    return None
