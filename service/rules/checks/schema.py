"""The charter as a JSON Schema (2020-12), from the table of keys and the patterns that the checks use."""

from __future__ import annotations

import json
import re
from typing import Any

from service.rules.charter.keys import CHARTER, INFRA, SIGNOFFS, Field, Shape
from service.rules.charter.metrics import NAMES, STATISTICS, TABLE, Measure
from service.rules.charter.quantity import NUMBER
from service.rules.charter.threshold import CONFIDENCE, EXAMPLE, GAP, LINE, MAX_CHARACTERS, POINTS, WORD
from service.rules.charter.units import (
    BYTES,
    CONCURRENT,
    CURRENCIES,
    MEANT,
    MONTH,
    NO_NOUNS,
    NOUN,
    PHYSICAL,
    RATIOS,
    SECONDS,
    SYMBOLS,
    TOKEN,
)
from service.rules.charter.values import (
    DATED,
    ISO_DATE,
    LOGIN,
    MISSING,
    MISSING_FOR,
    PATH,
    UNFILLED,
    URL,
)
from service.rules.checks.done_lines import FEWEST, MOST
from service.rules.checks.rollback import FEWEST_CHARACTERS
from service.rules.checks.target import CORNERS, MACHINES, NONE, NOWHERE
from service.rules.values.github import BOTS
from service.rules.values.groups import NEEDED

ECMA_TOKEN = re.compile(r"\(\?P<\w+>|\\.|\[(?:\\.|[^\]\\])*\]|.", re.DOTALL)
NAMED_GROUP = "(?P<"
# Letters beyond ASCII: `\w` means them in Python, and means them not in ECMA 262.
BEYOND_ASCII = "\\u0080-\\uffff"
ECMA_WORD = f"A-Za-z0-9_{BEYOND_ASCII}"

SPELT = {
    "\\w": f"[{ECMA_WORD}]",
    # What `re.escape` escapes, and ECMA 262 forbids to.
    **{f"\\{char}": char for char in "-#&~ "},
}


def ecma(pattern: re.Pattern[str] | str) -> str:
    """The pattern, without anchors, flags spelt out; it may let more pass than ours, never less."""
    compiled = re.compile(pattern) if isinstance(pattern, str) else pattern
    return "".join(token(each[0], compiled.flags) for each in ECMA_TOKEN.finditer(compiled.pattern))


def token(text: str, flags: int) -> str:
    """One token of a pattern."""
    if text.startswith("["):
        return text.replace("\\w", ECMA_WORD)
    if text.isalpha() and flags & re.IGNORECASE:
        return f"[{text.upper()}{text.lower()}]"
    if text == "." and flags & re.DOTALL:
        return "[\\s\\S]"
    return "(?:" if text.startswith(NAMED_GROUP) else SPELT.get(text, text)


def whole(*alternatives: str) -> str:
    """A pattern for a whole value, spaces around it aside."""
    return f"^\\s*(?:{'|'.join(alternatives)})\\s*$"


Schema = dict[str, Any]
ID = "urn:poc-governor:schema:poc-1"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
ABOUT = (
    "The YAML block of a POC.md. Every value is text, whatever YAML makes of it: "
    "read the block so that scalars stay strings. A schema can't see what depends on another field, on the "
    "day, or on GitHub: `poc-governor check` has the last word."
)
NOTHING: Schema = {"enum": ["", None]}
"""An optional key may be left empty."""


def one_of(words: frozenset[str] | set[str] | dict[str, Any]) -> str:
    """Any of these words, the longest first."""
    return "|".join(ecma(re.escape(word)) for word in sorted(words, key=lambda word: (-len(word), word)))


def any_case(word: str) -> str:
    """A word in small letters or capitals."""
    return ecma(re.compile(re.escape(word), re.IGNORECASE))


SPACE = "\\s*"
SIMPLE_UNIT = (
    f"(?:{one_of({**SECONDS, **BYTES, **RATIOS, **PHYSICAL})}|{one_of(CURRENCIES)}|[{''.join(SYMBOLS)}]"
    f"|(?:{CONCURRENT})?(?!(?:{one_of({*MEANT, *NO_NOUNS})})(?![a-z0-9_-])){NOUN.pattern})"
)
UNIT = f"{SIMPLE_UNIT}(?:{SPACE}/{SPACE}(?:{SIMPLE_UNIT}|{MONTH}))?"
SIGN = f"[{''.join(SYMBOLS)}]"
COUNTABLE = (
    f"(?:{one_of(BYTES)}"
    f"|(?:{CONCURRENT})?(?!(?:{one_of({*SECONDS, *RATIOS, *MEANT, *NO_NOUNS})})(?![a-z0-9_-])){NOUN.pattern})"
)
PER_TIME = f"{SPACE}/{SPACE}(?:{one_of({*SECONDS, MONTH})})"
ABOVE_ZERO = f"(?!-|[0.]+{SPACE}[A-Za-z]){NUMBER}{SPACE}{COUNTABLE}"
POSITIVE = f"(?![0.]*(?![0-9.])){NUMBER.removeprefix('-?')}"
RATE = f"{ABOVE_ZERO}{PER_TIME}"
LOAD = f"{ABOVE_ZERO}(?:{PER_TIME})?"
DURATION = f"(?!-|[0.]+{SPACE}[a-zµμ]){NUMBER}{SPACE}(?:{one_of(SECONDS)})"
CLAUSES = (
    f"at\\s+{LOAD}",
    f"(?:on|for)\\s+{ecma(WORD)}",
    f"over\\s+{DURATION}",
    f"from\\s+{SIGN}?{SPACE}{NUMBER}(?:{SPACE}{UNIT})?",
    f"with\\s+{ecma(CONFIDENCE)}",
    "in\\s+(?:[2-9]|[1-9][0-9])\\s+runs",
    f"with\\s+n{SPACE}(?:>=|==|=|≥){SPACE}(?!0+(?![0-9]))[0-9]{{1,12}}",
)
BEGINS = ("at", "on", "for", "over", "from", "with\\s+n", "with\\s+95", "in")
ONCE = "".join(f"(?!.*\\s{word}\\s.*\\s{word}\\s)" for word in BEGINS)
HEAD = ecma(LINE).partition("(?:(?![0-9.,])")[0]
# What a forecast is off by is measured in its target's unit, whatever that is.
TARGETED = (
    f"(?:(?:{STATISTICS})_)?"
    f"(?:{one_of({name for name, row in NAMES.items() if TABLE[row].measure is Measure.TARGET})})"
    f"(?:_(?:{STATISTICS}))?"
)
OWN_UNIT = f"{TOKEN.pattern}(?:{SPACE}/{SPACE}{TOKEN.pattern})?"
GAPS = f"(?=[a-z0-9_]*{GAP.pattern.replace('(?:^|_)', '').replace('(?:_|$)', '')})"
POINTED = f"{GAPS}{HEAD}{SPACE}(?:{POINTS.pattern})"
BOUND = f"(?:{POINTED}|{HEAD}{SPACE}(?:/?{SPACE}{UNIT})?|(?={TARGETED}(?![a-z0-9_])){HEAD}{SPACE}{OWN_UNIT})"
THRESHOLD = f"{ONCE}{BOUND}(?:\\s+(?:{'|'.join(CLAUSES)}))*"
TELLING = (f"at\\s+{LOAD}", f"(?:on|for)\\s+{ecma(WORD)}", f"over\\s+{DURATION}")
WAIVER = whole(f"[a-z][a-z0-9_]{{0,63}}(?:\\s+(?:{'|'.join(TELLING)}))*\\s+until\\s+{ecma(DATED)}")
OPEN = "|".join(any_case(word) for word in sorted(UNFILLED - {""}))
WRITTEN = f"^(?!\\s*(?:{OPEN})\\s*$)(?![\\s\\S]*\\b(?:TODO|TBD)\\b)(?!<[^<>]*>$)\\s*\\S"
BOT = "|".join(f"@?{any_case(name)}\\s*$" for name in sorted(BOTS))
PERSON = f"(?!{BOT}|@?[\\s\\S]*-{any_case('bot')}\\s*$){ecma(LOGIN)}"
PRIVATE = (
    f"(?!(?:[\\s\\S]*[^A-Za-z0-9])?(?:{'|'.join(map(any_case, sorted(MACHINES)))})(?:[^A-Za-z0-9]|$))"
    f"(?!(?:[\\s\\S]*[^A-Za-z0-9])?(?:{'|'.join(map(any_case, sorted(CORNERS)))})$)"
    f"(?!\\s*(?:{ecma(NOWHERE)})\\s*$)"
)

NEEDLESS = "[nN]/?[aA]\\b"
NEEDLESS_BECAUSE = f"{NEEDLESS}{SPACE}[-–—:]+{SPACE}\\S[\\s\\S]*"

PATTERNS: dict[tuple[str, ...], str] = {
    ("poc",): whole("1"),
    ("owner",): whole(PERSON),
    ("ship_by",): whole(ecma(ISO_DATE)),
    ("target", "environment"): f"^{PRIVATE}",
    ("target", "measured_in"): f"^{PRIVATE}",
    ("target", "load"): whole(RATE, f"{ABOVE_ZERO.replace(COUNTABLE, CONCURRENT + COUNTABLE)}"),
    ("target", "data"): whole(LOAD),
    ("target", "auth"): f"^(?:(?!\\s*(?:{ecma(NONE)})\\s*$)|{SPACE}{NEEDLESS_BECAUSE})",
    ("rollback", "how"): f"\\S[\\s\\S]{{{FEWEST_CHARACTERS - 2},}}\\S",
    ("rollback", "within"): whole(DURATION),
    ("rollback", "drilled"): whole(f"{ISO_DATE.pattern}\\s+in\\s+{DURATION}"),
    ("budget",): whole(f"{SIGN}{SPACE}{POSITIVE}", f"{POSITIVE}{SPACE}(?:{one_of(CURRENCIES)}|{SIGN})"),
    ("paused",): whole(f"until {SPACE}{ecma(DATED)}"),
    ("stopped",): whole(ecma(DATED)),
    **{
        ("infra", field.name): whole(
            MISSING,
            ecma(MISSING_FOR),
            ecma(URL),
            f"(?![\\s\\S]*\\.\\.)(?!{NEEDLESS}){ecma(PATH)}",
            NEEDLESS_BECAUSE,
        )
        for field in INFRA
    },
    **{
        ("signoffs", field.name): whole(PERSON, *(() if field.name in NEEDED else (NEEDLESS_BECAUSE,)))
        for field in SIGNOFFS
    },
}


def charter_schema() -> Schema:
    """The whole schema: shapes for every charter, and the rest for those that are not stopped."""
    return {
        "$schema": DIALECT,
        "$id": ID,
        "title": "POC charter",
        "description": ABOUT,
        **shape_of(CHARTER),
        "required": ["poc"],
        "if": {"required": ["stopped"], "properties": {"stopped": stopped()}},
        "else": {"$ref": "#/$defs/running"},
        "$defs": {
            "running": {
                "description": "The keys that a POC needs until it has ended.",
                **asked_of(CHARTER, ()),
            }
        },
    }


def stopped() -> Schema:
    """An end on purpose: only that has to be said."""
    return {"type": "string", **matching(CHARTER.field("stopped"), PATTERNS["stopped",])}


def shape_of(field: Field) -> Schema:
    """What kind of value a key holds, with its keys where it has some, in words for an editor."""
    match field.shape:
        case Shape.SECTION:
            keys = {each.name: {**words(each), **shape_of(each)} for each in field.fields}
            return {"type": "object", "additionalProperties": False, "properties": keys}
        case Shape.METRICS:
            shape: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
        case Shape.LIST | Shape.WAIVERS:
            shape = {"type": "array", "items": {"type": "string"}}
        case _ if field.name == "poc":
            # An editor reads YAML's number; the service reads text.
            return {"enum": ["1", 1]}
        case _:
            shape = {"type": "string"}
    return shape if field.required else {"anyOf": [shape, NOTHING]}


def words(field: Field) -> Schema:
    """What an editor shows for a key."""
    said: Schema = {"description": f"{field.asks[:1].upper()}{field.asks[1:]}."}
    if field.shape is Shape.TEXT and field.example:
        said["examples"] = [field.example]
    elif field.shape is Shape.LIST:
        said["examples"] = [[field.example]]
    return said


def asked_of(field: Field, path: tuple[str, ...]) -> Schema:
    """What a key of a running POC must say."""
    if field.shape is Shape.SECTION:
        keys = {each.name: asked_of(each, (*path, each.name)) for each in field.fields}
        required = [each.name for each in field.fields if each.required]
        return {"required": required, "properties": {name: asked for name, asked in keys.items() if asked}}
    if field.shape is Shape.LIST:
        limits: Schema = {"minItems": FEWEST, "maxItems": MOST} if field.name == "done" else {}
        line = {"maxLength": MAX_CHARACTERS, **matching(field, whole(THRESHOLD)), "examples": [EXAMPLE]}
        return optional(field, {"type": "array", "items": line, **limits})
    if field.shape is Shape.WAIVERS:
        return optional(field, {"type": "array", "items": matching(field, WAIVER)})
    if field.shape is Shape.METRICS:
        return optional(field, {"type": "object", "additionalProperties": matching(field, WRITTEN)})
    if field.name == "poc":
        return {}
    patterns = [WRITTEN, *([PATTERNS[path]] if path in PATTERNS else [])]
    asked: Schema = {"allOf": [matching(field, pattern) for pattern in patterns]}
    if field.shape is Shape.DATE:
        asked["format"] = "date"
    return optional(field, {"type": "string", **asked})


def matching(field: Field | None, pattern: str) -> Schema:
    """A pattern, with what editors show in its place: some thousand characters tell nobody anything."""
    if field is None:
        raise LookupError(pattern)
    example = field.example.replace("{date}", "2027-02-26").replace("{later}", "2027-03-26")
    like = f", for example `{example}`" if example else ""
    return {"pattern": pattern, "patternErrorMessage": f"Write {field.asks}{like}"}


def optional(field: Field, asked: Schema) -> Schema:
    """The same, or nothing where the key may be left empty."""
    return asked if field.required else {"anyOf": [asked, NOTHING]}


def printed() -> str:
    """The schema as it is printed and served."""
    return f"{json.dumps(charter_schema(), ensure_ascii=False, indent=2)}\n"
