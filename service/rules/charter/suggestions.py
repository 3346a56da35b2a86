"""What a line that is no threshold was meant to be: a repaired line, or the question that it leaves open."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from service.rules.charter.lexicon import vague_word
from service.rules.charter.metrics import Measure, metric_of, with_statistic
from service.rules.charter.quantity import EXACT, Refusal, plain
from service.rules.charter.threshold import EXAMPLE, MAX_CHARACTERS, NO_THRESHOLD, Threshold, parse_threshold
from service.rules.charter.unit_fit import fits
from service.rules.charter.units import MEANT, SECONDS
from service.rules.source.text import shown

ABOUT = re.compile(r"[~≈]\s*(?=\d)")
BETWEEN_SIGNS = re.compile(
    r"^\s*[$€£]?\d[^<>=≤≥]*(?:<=?|>=?|≤|≥)\s*[a-z_][\w ]*(?:<=?|>=?|≤|≥)\s*[$€£]?\d", re.IGNORECASE
)
RANGE = re.compile(r"[0-9]\s*(?:-|–|—|\bto\b|\.\.)\s*[0-9]")
BETWEEN = re.compile(r"\bbetween\b", re.IGNORECASE)
SIGN = re.compile(r"<=|>=|==|<|>|≤|≥|=")
TIMES = "|".join(sorted(SECONDS, key=len, reverse=True))
SHARE_OF = re.compile(r"\b(?:for|in|of)\s+(?P<share>[1-9]\d?(?:\.\d{1,2})?)\s*(?:%|percent\b)", re.IGNORECASE)
TIMED = re.compile(
    rf"^(?P<name>[a-z][a-z0-9_ ]{{0,60}}?)\s*(?:[<>=≤≥]|\b(?:within|in|below|under|is|at)\b).*?"
    rf"(?P<time>\d++(?:\.\d++)?\s*(?:{TIMES}))(?![\w/])",
    re.IGNORECASE,
)

# Units that have no line to write instead, and what to do about them.
HINTS = (
    (
        re.compile(r"(?<=\d)\s*(?:pp|ppt|percentage points?)\b"),
        f"Percent points are a difference: write the bound itself, like `{EXAMPLE}`",
    ),
    (
        re.compile(r"(?<=\d)\s*(?:months?|years?|quarters?)\b"),
        "Months differ in length and stand after a `/` only: write days, like `30 d`",
    ),
    (re.compile(r"\w/\s*\w+\s*/"), "A unit has one `/` at most: write it like `50 req/s`"),
    (re.compile(r"[$€£].*[A-Z]{3}"), "Two currencies for one number: write it like `0.02 USD`"),
)

# No threshold is this long; mending more would only cost time.
MOST_MENDED = 150


@dataclass(frozen=True, slots=True)
class Repair:
    """A slip of the pen: what it looks like, what was meant, and the rule that it missed."""

    slip: re.Pattern[str]
    meant: str | Callable[[re.Match[str]], str]
    rule: str


def snake(match: re.Match[str]) -> str:
    """A metric's name as the grammar spells it."""
    name = re.sub(r"[^a-z0-9]+", "_", match["name"].strip().lower()).strip("_")
    return f"{name} {match['sign']}"


def times(factor: int) -> Callable[[re.Match[str]], str]:
    """The number written out: `1.5k` is 1500."""
    return lambda match: plain(EXACT.multiply(EXACT.create_decimal(match["number"]), factor))


def worded(verbs: str, words: str, sign: str) -> Repair:
    """A bound that is written in words."""
    slip = re.compile(rf"\s(?:{verbs})?(?:{words})\s+(?=[$€£\d])", re.IGNORECASE)
    return Repair(slip, f" {sign} ", f"A bound is written with a sign, `{sign}`")


REPAIRS = (
    Repair(re.compile(r"[\"'“”„«»`]"), "", "A threshold has no quotation marks inside: write it bare"),
    Repair(re.compile(r"=>"), ">=", "The sign is written `>=`"),
    Repair(re.compile(r"=<"), "<=", "The sign is written `<=`"),
    worded("is |of |must be |should be ", "at most|no more than|up to|max(?:imum)?", "<="),
    worded("is |of |must be |should be ", "at least|no less than|min(?:imum)?", ">="),
    worded("is |stays |must be |should be ", "below|under|less than", "<"),
    worded("is |stays |must be |should be ", "above|more than|greater than", ">"),
    Repair(re.compile(r":\s*(?=[<>=≤≥])"), " ", "No colon stands between metric and sign"),
    Repair(re.compile(r"(?<![\d.,])(-?0),(?=\d)"), r"\1.", "A decimal has a point"),
    Repair(re.compile(r"(?<=\d)[, '_\u00a0\u202f](?=\d{3}\b)"), "", "A number is written in digits only"),
    Repair(re.compile(r"(?<=\d),(?=\d)"), ".", "A decimal has a point"),
    Repair(re.compile(r"[~≈]\s*(?=\d)"), "", "A bound is exact, without `~`"),
    Repair(re.compile(r"(?<=[<>=≤≥])\s*\+\s*(?=[.\d])"), " ", "A number has no `+`"),
    Repair(re.compile(r"(?<=[<>=≤≥\s])\.(?=\d)"), "0.", "A decimal begins with a digit"),
    Repair(
        re.compile(r"(?<![\d.])(?P<number>\d++(?:\.\d++)?)\s*k(?![\w/])"),
        times(1000),
        "Thousands are written out",
    ),
    Repair(
        re.compile(r"(?<![\d.])(?P<number>\d++(?:\.\d++)?)\s*M(?!\w)"),
        times(1_000_000),
        "Millions are written out",
    ),
    Repair(
        re.compile(rf"(?<=\d)\s*({'|'.join(sorted(map(re.escape, MEANT), key=len, reverse=True))})(?![\w%])"),
        lambda match: f" {MEANT[match[1]]}",
        "This unit has one spelling here",
    ),
    Repair(re.compile(r",\s+(?=(?:at|on|with|over|for)\s)"), " ", "Conditions follow without commas"),
    Repair(re.compile(r"\s@\s*(?=\d)"), " at ", "A load follows the word `at`"),
    Repair(re.compile(r"\(\s*n\s*(?:=|>=|≥)\s*(\d+)\s*\)"), r"with n >= \1", "A sample size is a condition"),
    Repair(
        re.compile(rf"\sfor\s+(?=\d+(?:\.\d+)?\s*(?:{TIMES})(?!\S))"),
        " over ",
        "A time follows the word `over`",
    ),
    Repair(
        re.compile(r"^(?P<name>[A-Za-z][\w .@-]{0,60}?)\s*(?P<sign><=|>=|==|<|>|≤|≥)"),
        snake,
        "A metric is one word in small letters",
    ),
    Repair(re.compile(r"[.;,!]+$"), "", "A threshold ends without punctuation"),
)


def read_threshold(text: str, line: int = 1, column: int = 1) -> Threshold | Refusal:
    """A threshold, or a refusal that ends in what to write."""
    read = parse_threshold(text, line, column)
    if isinstance(read, Threshold):
        return read
    return repaired(text) or shared(text) or unanswered(text) or unread(text, read)


def repaired(text: str) -> Refusal | None:
    """The refusal of a line that the repairs turn into a threshold."""
    if len(text) > MOST_MENDED:
        return None
    meant, rule = text.strip(), ""
    for repair in REPAIRS:
        mended = repair.slip.sub(repair.meant, meant)
        rule = rule if mended == meant else rule or repair.rule
        meant = mended
    meant = meant.strip()
    read = parse_threshold(meant)
    if rule and isinstance(read, Threshold) and (read.known is None or fits(read.known, read.unit)):
        return Refusal(f"{rule}: write {shown(meant, 60)}", meant)
    return None


def shared(text: str) -> Refusal | None:
    """The refusal of a time that holds for a share of all requests: that is a percentile."""
    timed, share = TIMED.search(text[:MOST_MENDED]), SHARE_OF.search(text[:MOST_MENDED])
    if timed is None or share is None or share.start() < timed.end("time"):
        return None
    name = re.sub(r"\s+", "_", timed["name"].strip().lower())
    known = metric_of(name)
    base = with_statistic(known.name)[0] if known and known.measure is Measure.TIME else "latency"
    percentile = share["share"].replace(".", "")
    example = f"{base}_p{percentile} <= {timed['time']}"
    message = f"A time for a share of all is a percentile, a part of the name, like `{example}`"
    return Refusal(message, None, share.start())


def unanswered(text: str) -> Refusal | None:
    """The refusal of a line whose words stand where a number should."""
    found = vague_word(text[:MOST_MENDED])
    if found is None:
        return None
    word, family = found
    return Refusal(f"'{word}' is not a number. {family.question} Like `{family.example}`", family.example)


def unread(text: str, refusal: Refusal) -> Refusal:
    """The refusal of any other line, by the first thing that the grammar missed."""
    if len(text) > MAX_CHARACTERS:
        return Refusal(f"A threshold fits in {MAX_CHARACTERS} characters: write one like `{EXAMPLE}`")
    if any(form.search(text) for form in (RANGE, BETWEEN, BETWEEN_SIGNS)):
        return Refusal("A range is two bounds: write one line with `>=` and one with `<=`")
    for sign, message in HINTS:
        if found := sign.search(text):
            return Refusal(message, None, found.start())
    if refusal.message != NO_THRESHOLD:
        remedy = "" if "as in" in refusal.message else f": write a line like `{EXAMPLE}`"
        return Refusal(f"{refusal.message}{remedy}", None, refusal.offset)
    return Refusal(*missed(text))


def missed(text: str) -> tuple[str, None, int]:
    """What a line without a vague word lacks, and where."""
    sign = SIGN.search(text)
    if sign is None and (about := ABOUT.search(text)):
        return f"`{about[0].strip()}` bounds nothing: write `<=`, `>=` or `==`", None, about.start()
    if sign is None:
        return f"No bound here: write metric, sign, number and unit, like `{EXAMPLE}`", None, 0
    if sign[0] == "=":
        return "`=` bounds nothing: write `<=`, `>=` or `==`", None, sign.start()
    if not re.match(r"\s*[$€£]?\s*-?[0-9]", text[sign.end() :]):
        return f"No number after `{sign[0]}`: write one with its unit, like `{EXAMPLE}`", None, sign.start()
    return f"Not read as metric, sign, number, unit: write a line like `{EXAMPLE}`", None, 0
