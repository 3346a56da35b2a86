"""The answer to a line that isn't a threshold: the line that was meant, or else a question."""

from __future__ import annotations

import re
import unicodedata

from service.rules.charter.examples import example_of, question_of, recognised, with_example
from service.rules.charter.lexicon import AMOUNT, COMPARISON, OPEN_END, vague_word
from service.rules.charter.metrics import Measure, metric_of, with_statistic
from service.rules.charter.quantity import THOUSANDS, Refusal
from service.rules.charter.slips import (
    LONGEST_REPAIRED,
    PERIODS,
    SIGN,
    SIZE,
    SO_MANY,
    TIMES,
    repaired,
)
from service.rules.charter.threshold import (
    EXAMPLE,
    NO_THRESHOLD,
    Threshold,
    parse_threshold,
)
from service.rules.source.text import shown

ONE_NAME = re.compile(r"\b(on|for)\s+(\S.*?)(?=\s+(?:at|on|with|over|for|from)\s|\s+in\s+\d|$)")
ABOUT = re.compile(r"[~≈]\s*(?=\d)")
BETWEEN_SIGNS = re.compile(
    r"^\s*[$€£]?\d[^<>=≤≥]*(?:<=?|>=?|≤|≥)\s*[a-z_][\w ]*(?:<=?|>=?|≤|≥)\s*[$€£]?\d", re.IGNORECASE
)
RANGE = re.compile(r"[0-9]\s*(?:-|–|—|\bto\b|\.\.)\s*[0-9]")
BETWEEN = re.compile(r"\bbetween\b", re.IGNORECASE)
SHARE_OF = re.compile(r"\b(?:for|in|of)\s+(?P<share>[1-9]\d?(?:\.\d{1,2})?)\s*(?:%|percent\b)", re.IGNORECASE)
TIMED = re.compile(
    rf"^(?P<name>[a-z][a-z0-9_ ]{{0,60}}?)\s*(?:[<>=≤≥]|\b(?:within|in|below|under|is|at)\b).*?"
    rf"(?P<time>\d++(?:\.\d++)?\s*(?:{TIMES}))(?![\w/])",
    re.IGNORECASE,
)
BARE_TIME = re.compile(
    rf"^\s*(?:within|in|under|below|at most|up to|<=?|≤)?\s*(?P<time>\d++(?:\.\d++)?\s*(?:{TIMES}))(?![\w/])",
    re.IGNORECASE,
)
SHARE_FIRST = re.compile(
    r"^\s*(?P<share>[1-9]\d?(?:\.\d{1,2})?)\s*(?:%|percent\b)\s+of\s+[a-z][\w -]{0,40}?\s"
    r"(?:(?:is|are|come|comes|answered|served|done|finish|finished)\s+)?"
    r"(?:within|in|under|below|at most|less than|faster than|<=?|≤)\s*"
    rf"(?P<time>\d++(?:\.\d++)?\s*(?:{TIMES}))(?![\w/])",
    re.IGNORECASE,
)

BRACKETS = re.compile(r"\s*\([^()]*\)\s*$")
NO_CONDITION = re.compile(
    r"(?<=[%\w])\s+(during|across|under|using|when|while|if|by|among|between|in|of)\s+[A-Za-z]"
)

# Units that nobody but the author can tell, or that have no line to write instead, and what to do.
QUESTIONS = (
    (
        re.compile(r"(?<=\d)\s*(?:pp|ppt|percentage points?)\b"),
        "Percent points are a difference: write the bound itself in `%`",
    ),
    (
        re.compile(r"(?<=\d)\s*(?:months?|years?|quarters?)\b"),
        "Months differ in length and only go after a `/`: write days, for example `30 d`",
    ),
    (
        re.compile(r"%\s*(?:monthly|weekly|daily|yearly|(?:per|a|/)\s*(?:month|week|day|year))\b"),
        "A share isn't a rate: write the time after it, for example `over 30 d`",
    ),
    (
        re.compile(r"(?<=\d)\s*(?:[kKmMgGtT]b(?:ps)?|[GMT]|bps)(?![\w%])"),
        "Bits or bytes? Write `GB` or `MB` for bytes, `Gbit` or `Mbit` for bits",
    ),
    (
        re.compile(r"(?<=\d)\s*m(?![\w%/])"),
        "Minutes, metres or months? Write `min`, `metres` or `d`",
    ),
    (
        re.compile(r"(?<=\d)\s*(?:[kKM]\s*)?TPS\b"),
        "Transactions or tokens? Write the number in digits, with `transactions/s` or `tokens/s`",
    ),
    (
        re.compile(r"(?<=\d)\s*x(?![\w])|\bbaseline\b"),
        "A bound is a number, not a comparison: work it out from today's value, and write that",
    ),
    (
        re.compile(r"(?:/|\bout of\b)\s*(?:5|10|100)\b"),
        "A score is a plain number: write it without its scale, and name the scale in the prose",
    ),
    (re.compile(r"\w/\s*\w+\s*/"), "A unit has one `/` at most: write it as in `50 req/s`"),
    (re.compile(r"[$€£].*[A-Z]{3}"), "Two currencies for one number: write it as in `0.02 USD`"),
    (re.compile(r"\d[eE][+-]?\d"), "A number is written in digits, without an exponent: write it out"),
    (re.compile(r"\d\.\d{3}\.\d{3}"), "A number is written in digits only: write it without points between"),
    (re.compile(r"^\s*\[[ xX]?\]"), "A threshold isn't a task: write it without the box"),
)
NEGATION = re.compile(
    r"\b(?:not|never|no|cannot|without|neither|nor|unless|except)\b|n['’]t\b", re.IGNORECASE
)
LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁкмтвнАЕОРСХІЈЅКМТВНαορνικτΑΒΕΗΙΚΜΝΟΡΤΧ", "aeopcyxijsdkmtbhAEOPCXIJSKMTBHaopviktABEHIKMNOPTX"
)


def explained(text: str, read: Refusal) -> Refusal:
    """Why a line isn't a threshold, by the first thing that tells, with what to write."""
    return (
        repaired(text)
        or foreign(text)
        or shared(text)
        or of_what(text)
        or asked(text)
        or unanswered(text, read)
        or unread(text, read)
    )


def foreign(text: str) -> Refusal | None:
    """The refusal of a name with a letter of another alphabet, which may look like one of ours."""
    match = re.match(r"[^<>=≤≥]{0,80}", text)
    name = match[0] if match else ""
    letter = next((char for char in name if char.isalpha() and not char.isascii()), None)
    if letter is None or not SIGN.search(text):
        return None
    kind = unicodedata.name(letter, "").split(" ")[0].capitalize()
    latin = text.translate(LOOKALIKES)
    read = parse_threshold(latin) if latin != text else None
    meant = latin if isinstance(read, Threshold) and metric_of(read.metric) else None
    message = f"{shown(letter)} is a letter of another kind ({kind}): write the name in letters from a to z"
    return Refusal(message, meant, name.index(letter))


def shared(text: str) -> Refusal | None:
    """The refusal of a time that holds for a share of all requests: that is a percentile."""
    start = text[:LONGEST_REPAIRED]
    share = SHARE_OF.search(start)
    timed = (TIMED.search(start) or BARE_TIME.search(start)) if share else None
    if timed and share and share.start() < timed.end("time"):
        timed = None
    if timed is None or share is None:
        timed = share = SHARE_FIRST.search(start)
    if timed is None or share is None:
        return None
    name = re.sub(r"\s+", "_", (timed.groupdict().get("name") or "").strip().lower())
    known = metric_of(name)
    base = with_statistic(known.name)[0] if known and known.measure is Measure.TIME else "latency"
    example = f"{base}_p{share['share'].replace('.', '')} <= {timed['time']}"
    message = f"A time for a share of all is a percentile: put it in the name, for example `{example}`"
    return Refusal(message, None, share.start(), example)


def of_what(text: str) -> Refusal | None:
    """The refusal of so many in a time, of what is not said."""
    many = SO_MANY.fullmatch(text.strip()[:LONGEST_REPAIRED])
    if many is None:
        return None
    per = PERIODS[many["per"]]
    example = f"releases >= {many['number']} releases/{per}"
    message = f"{many['number']} of what in that time? Write the noun before `/{per}`, as in `{example}`"
    return Refusal(message, None, many.start("number"), example)


def asked(text: str) -> Refusal | None:
    """The refusal of a line with a number or a unit that means one of several things."""
    if match := THOUSANDS.search(text):
        head, tail = match["head"], match["tail"]
        message = f"`{match[0]}` is {head}{tail} or {head}.{tail}? Write the one you mean"
        return Refusal(message, None, match.start())
    if len(SIGN.findall(SIZE.sub("", text))) > 1 and not BETWEEN_SIGNS.search(text):
        return Refusal("Two bounds in one line: write a line for each", None, 0)
    if brackets := BRACKETS.search(text):
        without = BRACKETS.sub("", text).strip()
        example = without if isinstance(parse_threshold(without), Threshold) else None
        message = "Text in brackets isn't read: write it as a condition, or in the prose below the block"
        return Refusal(message, None, brackets.start(), example)
    start = text[:LONGEST_REPAIRED]
    if (word := NO_CONDITION.search(start)) and SIGN.search(text[: word.start()]):
        message = f"`{word[1]}` doesn't begin a condition: write `on`, `for`, `at`, `over` or `with n`"
        return Refusal(message, None, word.start(1))
    for form, message in QUESTIONS:
        if found := form.search(start):
            return Refusal(message, None, found.start())
    return None


def unanswered(text: str, refusal: Refusal) -> Refusal | None:
    """The refusal of a line whose words stand where a number should."""
    found = vague_word(text[:LONGEST_REPAIRED])
    if found is None or refusal.message.startswith("`with`"):
        return None
    word, family = found
    metric = recognised(text)
    general = family in (AMOUNT, COMPARISON, OPEN_END)
    question = (question_of(metric) if metric and not general else family).question
    example = example_of(metric) if metric else family.example
    message = with_example(f"'{word}' isn't a number. {question} For example", example)
    return Refusal(message, None, 0, example)


def unread(text: str, refusal: Refusal) -> Refusal:
    """The refusal of any other line, by the first thing that the grammar missed."""
    if any(form.search(text[:LONGEST_REPAIRED]) for form in (RANGE, BETWEEN, BETWEEN_SIGNS)):
        return Refusal("A range is two bounds: write one line with `>=` and one with `<=`")
    metric = recognised(text)
    example = example_of(metric) if metric else EXAMPLE
    message, offset = (refusal.message, refusal.offset) if refusal.message != NO_THRESHOLD else missed(text)
    if message.endswith("isn't a unit here"):
        message = f"{message}: write a known one"
    elif message.endswith(" here") or ":" not in message:
        message = f"{message}: write a line"
    if "as in" not in message and not message.endswith(("`", "each", "two")):
        message = with_example(f"{message}, for example", example)
    if message.startswith("`=`"):
        example = re.sub(r"(?<![<>=])=(?!=)", "==", text.strip(), count=1)
    elif "isn't one word" in message:
        example = ONE_NAME.sub(lambda match: f"{match[1]} {'-'.join(match[2].split())}", text.strip())
    likely = isinstance(parse_threshold(example), Threshold)
    return Refusal(message, None, offset, example if likely else None)


def missed(text: str) -> tuple[str, int]:
    """What is missing in a line without a vague word, and where."""
    sign = SIGN.search(SIZE.sub(lambda match: "_" * len(match[0]), text))
    if negation := NEGATION.search(text[: sign.start() if sign else None]):
        return f"What does `{negation[0]}` rule out? Write the bound with `>=` or `<=`", negation.start()
    if sign is None and (about := ABOUT.search(text)):
        return f"`{about[0].strip()}` isn't a bound: write `<=`, `>=` or `==`", about.start()
    if sign is None:
        return "No bound here: write metric, sign, number and unit", 0
    if sign[0] == "=":
        return "`=` isn't a bound: write `<=`, `>=` or `==`", sign.start()
    if not re.match(r"\s*[$€£]?\s*-?[0-9]", text[sign.end() :]):
        return f"No number after `{sign[0]}`: write one with its unit", sign.start()
    return "Can't be read: write metric, sign, number and unit in this order", 0
