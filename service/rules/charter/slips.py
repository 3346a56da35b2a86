"""A line that says in other words what the grammar says: the line that was meant, where that is certain.

Over 300 lines: the repairs are one chain, in which each counts on those before it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from service.rules.charter.lexicon import vague_word
from service.rules.charter.metrics import Measure, Way, metric_by_ending, metric_of
from service.rules.charter.quantity import EXACT, THOUSANDS, Quantity, Refusal, parse_quantity, plain
from service.rules.charter.threshold import CLAUSE, Threshold, parse_threshold
from service.rules.charter.unit_fit import fits
from service.rules.charter.units import CURRENCIES, MEANT, SECONDS, Dimension
from service.rules.source.text import shown

SIGN = re.compile(r"<=|>=|==|<|>|≤|≥|=")
SIZE = re.compile(r"\bn\s*(?:<=|>=|==|<|>|≤|≥|=)")
TIMES = "|".join(sorted(SECONDS, key=len, reverse=True))
CODES = "|".join(sorted(CURRENCIES))
# No threshold is this long; fixing more would only cost time.
LONGEST_REPAIRED, LONGEST_LOAD = 150, 80

SENTENCE = (
    "must be is are was were on at for with over under above below within not never no none cannot without "
    "nor doesnt dont isnt wont cant neither unless except than and or should shall will would may can could "
    "has have does do equal equals exceed exceeds drop drops fall falls stay stays remain remains keep keeps "
    "least most more less between worse better about only"
)
NEVER_IN_NAMES = frozenset(SENTENCE.split())
"""Words of a sentence. A name of several words that has one of them isn't a name."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A slip of the pen: what it looks like, what was meant, and the rule that it missed."""

    slip: re.Pattern[str]
    meant: str | Callable[[re.Match[str]], str]
    rule: str
    if_known: bool = False
    """Whether only a metric of the table makes sure of it."""


def times(factor: int) -> Callable[[re.Match[str]], str]:
    """The number written out: `1.5k` is 1500."""
    return lambda match: plain(EXACT.multiply(EXACT.create_decimal(match["number"]), factor))


MODAL = r"(?:(?:is|are|be|of|must|should|shall|will|has to|have to|needs? to|stays?|remains?|always|to)\s+)*"
NOT = (
    r"(?:(?:must|should|shall|will|may|can|could|would|do|does|is|are)?\s*(?:not|never)|cannot|no"
    r"|(?:do|does|is|are|ca|wo|must|should|may)n['’]t)\s+(?:ever\s+)?(?:be\s+)?"
)
ABOVE, BELOW = "above|over|beyond|more than|greater than|higher than", "below|under|less than|lower than"
OR_EQUAL = r"\s+or\s+equal(?:s)?(?:\s+to)?"
WORDED = (
    ("<=", rf"{NOT}(?:(?:go|goes|rise|rises|get|gets|climb|grow|grows)\s+)?(?:{ABOVE}|exceed(?:s|ing)?)"),
    (">=", rf"{NOT}(?:(?:go|goes|drop|drops|fall|falls|get|gets|sink|dip|dips)\s+)?(?:{BELOW}|fewer than)"),
    ("<=", rf"(?:{BELOW}|smaller than){OR_EQUAL}"),
    (">=", rf"(?:{ABOVE}){OR_EQUAL}"),
    ("<=", r"at most|at max(?:imum)?|up to|max(?:imum)?(?:\s+of)?|not to exceed"),
    (">=", r"at least|at min(?:imum)?|min(?:imum)?(?:\s+of)?"),
    ("<", f"{BELOW}|smaller than"),
    (">", f"{ABOVE.replace('over|', '')}|exceed(?:s|ing)?"),
)
"""Signs as people say them; the first that is found is meant."""
IF_KNOWN = (("<=", "within"), (">", rf"over(?!\s+\d[\d.,]*\s*(?:{TIMES})\b)"))
"""Signs only beside a metric of the table."""
NO_WORSE = re.compile(rf"\s{MODAL}(?:no|not|never)\s+worse\s+than\s+(?=[$€£\d])", re.IGNORECASE)
SPELLED_SIGNS = tuple(
    (sign, re.compile(rf"(?:^|\s){MODAL}(?:{words})\s+(?=[$€£\d]|[A-Z]{{3}}\s?\d)", re.IGNORECASE), known)
    for known, signs in ((False, WORDED), (True, IF_KNOWN))
    for sign, words in signs
)
NUMBER_FIRST = re.compile(
    r"(?P<sign><=|>=|<|>|≤|≥)?\s*(?P<bound>[$€£]?\d[\d.,]*\s*(?:%|percent\b|[a-zA-Zµ]{1,8}(?:/[a-z]{1,8})?)?)\s+"
    r"(?P<name>[A-Za-z][\w @.-]{0,60}?)(?P<clauses>\s+(?:at|on|with|over|for|from)\s.*)?"
)
PERIODS = {
    "second": "s", "sec": "s", "minute": "min", "min": "min", "hour": "h", "h": "h", "day": "d", "d": "d",
    "week": "week", "month": "month",
}  # fmt: skip
SO_MANY = re.compile(
    r"(?P<name>[A-Za-z][\w -]{0,60}?)\s*(?P<sign><=|>=|==|<|>|≤|≥)\s*(?P<number>\d+(?:\.\d+)?)\s*"
    rf"(?:\b(?:per|an?)\s+|/\s*)(?P<per>{'|'.join(PERIODS)})(?P<clauses>\s+(?:at|on|with|over|for|from)\s.*)?"
)
"""So many in a time, of what is not said."""
SHORTEST_PLURAL = 3
TOKENS = re.compile(r"(?<=\d)\s*(?:TPS|tps|tok/s|toks/s)(?![\w/])")
NAMED = re.compile(r"(?P<name>[^<>=≤≥]{1,80}?)\s*(?P<sign><=|>=|==|<|>|≤|≥)(?P<rest>.*)")
BRACKETS = re.compile(r"\s*\((?P<said>[\w .-]{1,30})\)")
ONE_WORD = re.compile(r"[A-Za-z][\w-]*")
EXACT_UNITS = {key: value for key, value in MEANT.items() if key not in ("MS", "Ms", "S", "H")}


def any_unit(units: dict[str, str]) -> re.Pattern[str]:
    """A number's unit that is one of these."""
    written = "|".join(sorted(map(re.escape, units), key=len, reverse=True))
    return re.compile(rf"(?<=\d)\s*({written})(?![\w%])")


# The order counts: signs, numbers, units, conditions.
REPAIRS = (
    Repair(re.compile(r"(?<!\w)'|'(?!\w)|[\"“”„«»`]"), "", "A threshold has no quotation marks inside"),
    Repair(re.compile(r"=>"), ">=", "The sign is written `>=`"),
    Repair(re.compile(r"=<"), "<=", "The sign is written `<=`"),
    Repair(re.compile(r"[≧⩾]"), ">=", "The sign is written `>=`"),
    Repair(re.compile(r"[≦⩽]"), "<=", "The sign is written `<=`"),
    Repair(re.compile(r":\s*(?=[<>=≤≥])"), " ", "No colon goes between metric and sign"),
    Repair(
        re.compile(rf"(?<=[<>=≤≥\s])(?P<code>{CODES})\s?(?P<number>\d[\d.,]*)"),
        r"\g<number> \g<code>",
        "A currency goes after its number",
    ),
    Repair(re.compile(r"(?<![\d.,])(-?0),(?=\d)"), r"\1.", "A decimal has a point"),
    Repair(
        re.compile(r"(?<=\d)[, '’_\u00a0\u202f](?=\d{3}(?:\D|$))"), "", "A number is written in digits only"
    ),
    Repair(re.compile(r"(?<=\d),(?=\d)"), ".", "A decimal has a point"),
    Repair(re.compile(r"[~≈]\s*(?=\d)"), "", "A bound is exact, without `~`"),
    Repair(re.compile(r"(?<=[<>=≤≥])\s*\+\s*(?=[.\d])"), " ", "A number has no `+`"),
    Repair(re.compile(r"(?<=\d)\+(?=\s|$)"), "", "A number has no `+`"),
    Repair(re.compile(r"(?<=[<>=≤≥\s])\.(?=\d)"), "0.", "A decimal begins with a digit"),
    Repair(
        re.compile(r"(?<![\d.\w])(?P<number>\d++(?:\.\d++)?)\s*[kK](?![\w/])"),
        times(1000),
        "Thousands are written out",
    ),
    Repair(
        re.compile(r"(?<![\d.\w])(?P<number>\d++(?:\.\d++)?)M(?!\w)"),
        times(1_000_000),
        "Millions are written out",
    ),
    Repair(
        re.compile(r"(?<=\d)(?P<noun>\s+[a-z]+)\s+(?:per|an?)\s+(?:1\s*)?(?=[a-z]+)"),
        r"\g<noun>/",
        "A rate is written with `/`",
    ),
    Repair(
        re.compile(
            rf"(?P<price>[$€£]\d[\d.,]*|\d\s*(?:{CODES}))\s+(?:per|an?)\s+(?:1\s*)?(?=[a-z]+(?:\s|$))"
        ),
        r"\g<price>/",
        "A price is written with `/`",
    ),
    Repair(
        re.compile(r"(?<=[a-z])\s*(?:per|/)\s*24\s*h(?:ours?)?\b"),
        "/d",
        "A rate is per one day, hour or second",
    ),
    Repair(re.compile(r"(?<=[a-z]/)(?:sec|secs)\b"), "s", "A second is written `s`"),
    Repair(re.compile(r"(?<=[a-z]/)(?:hr|hrs)\b"), "h", "An hour is written `h`"),
    Repair(any_unit(EXACT_UNITS), lambda match: f" {MEANT[match[1]]}", "This unit has one spelling here"),
    Repair(
        any_unit(MEANT), lambda match: f" {MEANT[match[1]]}", "This unit has one spelling here", if_known=True
    ),
    Repair(re.compile(r",\s+(?=(?:at|on|with|over|for|from)\s)"), " ", "Conditions follow without commas"),
    Repair(re.compile(r"\s@\s*(?=\d)"), " at ", "A load follows the word `at`"),
    Repair(re.compile(r"\(\s*n\s*(?:=|>=|≥)\s*(\d+)\s*\)"), r"with n >= \1", "A sample size is a condition"),
    Repair(
        re.compile(rf"\sfor\s+(?=\d+(?:\.\d+)?\s*(?:{TIMES})(?!\S))"),
        " over ",
        "A time follows the word `over`",
    ),
    Repair(re.compile(r"[.;,!]+$"), "", "A threshold ends without punctuation"),
)
SPELLING = "A metric is one word in small letters"


def repaired(text: str) -> Refusal | None:
    """The refusal of a line that says another way what the grammar says: with that line."""
    if len(text) > LONGEST_REPAIRED:
        return None
    flat = "".join(straight(char) for char in text.strip())
    rule = "" if flat == text.strip() else "Signs, digits and spaces have to be the plain ones"
    if THOUSANDS.search(flat):
        return None
    if_known = False
    flat, said, if_known = signed(flat)
    if (noun := counted(flat)) != flat:
        flat, rule = noun, rule or "A rate says what it counts"
    rule = rule or (said and f"A bound is written with a sign, `{said}`")
    for repair in REPAIRS:
        said_plainly = repair.slip.sub(repair.meant, flat)
        rule = rule if said_plainly == flat else rule or repair.rule
        if_known = if_known or (repair.if_known and said_plainly != flat)
        flat = said_plainly
    meant = named(flat.strip())
    read = parse_threshold(meant) if meant else None
    if meant is None or not isinstance(read, Threshold) or (if_known and metric_of(read.metric) is None):
        return None
    odd = read.known is not None and not fits(read.known, read.unit)
    if odd and (if_known or read.unit.dimension is not Dimension.NONE or re.search(r"\d\s*[kKM]\b", text)):
        return None
    return Refusal(f"{rule or SPELLING}: write {shown(meant, 60)}", meant)


def straight(char: str) -> str:
    """The plain letter, digit, sign or space that a character stands for."""
    if char.isascii() or char in "≤≥µμ€£°":
        return char
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    if char.isspace() or char in "\u200b\ufeff":
        return " "
    return (
        folded if "\uff01" <= char <= "\uff5e" and (folded := unicodedata.normalize("NFKC", char)) else char
    )


def signed(text: str) -> tuple[str, str, bool]:
    """The line with a sign for the words that stand for one, the sign, and whether only the table is sure."""
    if SIGN.search(SIZE.sub("", text)):
        return number_first(text), "", False
    if NO_WORSE.search(text):
        metric = metric_of(snake(text[: NO_WORSE.search(text).start()]))  # type: ignore[union-attr]
        sign = {Way.UP: ">=", Way.DOWN: "<="}.get(metric.way) if metric else None
        return (NO_WORSE.sub(f" {sign} ", text), sign, True) if sign else (text, "", False)
    for sign, words, if_known in SPELLED_SIGNS:
        if words.search(text):
            return number_first(words.sub(f" {sign} ", text, count=1).strip()), sign, if_known
    turned = number_first(text)
    return turned, "" if turned == text else SIGN.search(turned)[0], False  # type: ignore[index]


def counted(text: str) -> str:
    """The line with the noun of its metric, where it says so many per time: `false_alarms <= 2 per week`."""
    named_first = NAMED.fullmatch(text)
    known = metric_of(snake(named_first["name"])) if named_first else None
    if known and known.unit == "tokens/s":
        return TOKENS.sub(" tokens/s", text)
    match = SO_MANY.fullmatch(text)
    name = snake(match["name"]) if match else ""
    metric = metric_of(name)
    last = name.rpartition("_")[2]
    if metric and metric.unit and metric.measure in (Measure.COUNT, Measure.THROUGHPUT, Measure.VOLUME):
        noun = metric.unit.partition("/")[0]
    else:
        plural = (
            metric is None and len(last) > SHORTEST_PLURAL and last.endswith("s") and last[-2] not in "su"
        )
        noun = last if plural else ""
    if match is None or not noun:
        return text
    per = PERIODS[match["per"]]
    return f"{match['name'].strip()} {match['sign']} {match['number']} {noun}/{per}{match['clauses'] or ''}"


def number_first(text: str) -> str:
    """The line with its metric in front, where the number was: `92 % accuracy`."""
    match = NUMBER_FIRST.fullmatch(text)
    metric = metric_of(snake(match["name"])) if match else None
    if match is None or metric is None:
        return text
    sign = match["sign"] or {Way.UP: ">=", Way.DOWN: "<="}.get(metric.way)
    return f"{snake(match['name'])} {sign} {match['bound'].strip()}{match['clauses'] or ''}" if sign else text


def snake(name: str) -> str:
    """A metric's name as the grammar spells it."""
    name = re.sub(r"(?<=[A-Za-z0-9])\s?@\s?(?=\d)", "_at_", name.strip())
    name = re.sub(r"(?<=[pP]9\d)\.(?=\d)", "", name.replace("@[.5:.95]", "_at_50_95"))
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def named(text: str) -> str | None:
    """The line with its metric's name as the grammar spells it, its conditions behind the bound."""
    match = NAMED.fullmatch(text)
    if match is None or not match["name"].isascii():
        return None
    name, rest = match["name"].strip(), f"{match['sign']}{match['rest']}"
    if found := spelled(name):
        return f"{found} {rest}"
    clause = CLAUSE.search(name)
    head = spelled(name[: clause.start()]) if clause else None
    if clause and head:
        return f"{head} {rest} {name[clause.start() :].strip()}"
    words = snake(name).split("_")
    several = ONE_WORD.fullmatch(name) is None
    if several and (NEVER_IN_NAMES.intersection(words) or vague_word(name) or re.search(r"[^\w .-]", name)):
        return None
    return f"{snake(name)} {rest}"


def spelled(name: str) -> str | None:
    """The name of the table, or one with an ending of it, that a few words stand for."""
    bracket = BRACKETS.search(name)
    spellings = [name, re.sub(r"(?<=[a-z])(?=[A-Z]|\d)", "_", name)]
    if bracket and metric_of(snake(bracket["said"])) == metric_of(snake(BRACKETS.sub("", name))) is not None:
        spellings.append(BRACKETS.sub("", name))
    for each in map(snake, spellings):
        one_word = ONE_WORD.fullmatch(name) is not None
        if metric_of(each) or (
            metric_by_ending(each) and (one_word or not NEVER_IN_NAMES & set(each.split("_")))
        ):
            return each
    return None


def load_of(text: str) -> str | None:
    """The load that was meant by `1,800,000 tickets/day` or `50 rps`."""
    if len(text) > LONGEST_LOAD or THOUSANDS.search(text):
        return None
    text = "".join(map(straight, text))
    for repair in REPAIRS:
        text = text if repair.if_known else repair.slip.sub(repair.meant, text)
    meant = text.strip()
    quantity = parse_quantity(meant)
    is_load = isinstance(quantity, Quantity) and quantity.unit.is_load
    return meant if is_load and "`" not in meant else None
