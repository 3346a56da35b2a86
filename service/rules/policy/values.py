"""How the values of a policy are written: globs, days of the week, periods, shares, names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, timedelta, tzinfo
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

from service.rules.charter.quantity import Quantity, Refusal, parse_duration, parse_quantity, plain
from service.rules.charter.units import DAY, Dimension
from service.rules.charter.values import ISO_DATE, bare_login, parse_date, parse_login
from service.rules.source.text import clip, shown
from service.rules.values.calendar import Freeze
from service.rules.values.github import is_bot
from service.rules.values.groups import NEEDED, Group

Word = TypeVar("Word", bound=StrEnum)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SHORTEST_DAY = 2
LONGEST_FREEZE = 366
LONGEST_GLOB = 100
LONGEST_REASON = 120
OLDEST = 365
NEAR_ENOUGH = 0.6
HUNDRED = 100

TOPIC = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")
GLOB = re.compile(r"[A-Za-z0-9._*?-]{1,100}")
EVENT = re.compile(r"[a-z][a-z_]{0,49}")
FULL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100}")
TEAM = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}/[a-z0-9._-]{1,100}")
TEAM_PAGE = re.compile(r"(?:https?://)?[\w.-]+\.[a-z]+/orgs/([\w-]+)/teams/([\w.-]+)")
HOST = re.compile(r"(?:https?://)?[\w.-]+\.[a-z]+/(?=[\w-]+/[\w.-]+$)")
PERIOD = re.compile(
    rf"(?P<first>{ISO_DATE.pattern})(?:\s+(?:to|until|[-–—]+)\s+(?P<last>{ISO_DATE.pattern}))?"
    r"(?:\s+[-–—]+\s+(?P<reason>\S.*))?"
)
NO_ZONES = ("posix", "right", "localtime", "posixrules", "Factory")
"""What the zones' folder holds besides them."""
ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+/-]{0,63}")
RULE = re.compile(r"[a-z]{1,20}(?:-[a-z]{1,20}){0,4}")
COUNT = re.compile(r"[0-9]{1,6}")
LED_BY_A_COUNT = re.compile(r"(?P<count>[0-9]{1,6})\s*(?:working\s+)?(?:d|days?)")


def word(words: type[Word]) -> Callable[[str], Word | Refusal]:
    """Read one of a few words."""
    return lambda text: one_of(list(words), text, "known")


def one_of(words: Sequence[Word], text: str, kind: str) -> Word | Refusal:
    """The word that a text is."""
    known = {each.value: each for each in words}
    if text in known:
        return known[text]
    near = get_close_matches(text.lower()[:40], known, n=1, cutoff=NEAR_ENOUGH)
    choice = " or ".join(f"`{each}`" for each in known)
    return Refusal(f"{shown(text)} isn't {kind} here: write {choice}", near[0] if near else None)


def spelt(text: str, pattern: re.Pattern[str], problem: str, meant: str = "") -> str | Refusal:
    """A text of a pattern, or what is wrong with it and what was meant, if that is of the pattern."""
    if pattern.fullmatch(text):
        return text
    return Refusal(f"{shown(text)} {problem}", meant if pattern.fullmatch(meant) else None)


def count(least: int, most: int) -> Callable[[str], int | Refusal]:
    """Read a whole number between two."""

    def parse(text: str) -> int | Refusal:
        bare = LED_BY_A_COUNT.fullmatch(text)
        meant = bare["count"] if bare and least <= int(bare["count"]) <= most else None
        if not COUNT.fullmatch(text) or not least <= int(text) <= most:
            return Refusal(f"{shown(text)} doesn't fit: write a number from {least} to {most}", meant)
        return int(text)

    return parse


def rule(text: str) -> str | Refusal:
    """Read a check's code, or a kind of what the ship gate finds missing."""
    meant = text.lower().replace("_", "-").replace(" ", "-")
    return spelt(text, RULE, "isn't a rule: write a code like `done-sample`", meant)


def day(text: str) -> date | Refusal:
    """Read a day, `2027-03-01`."""
    found = parse_date(text)
    return (
        found
        if isinstance(found, date)
        else Refusal(f"{shown(text)} isn't a day: write one like `2027-03-01`")
    )


def yes_or_no(text: str) -> bool | Refusal:
    """Read `true` or `false`."""
    if text in ("true", "false"):
        return text == "true"
    meant = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(text.lower(), text.lower())
    fits = meant if meant in ("true", "false") else None
    return Refusal(f"{shown(text)} isn't known here: write `true` or `false`", fits)


def share(text: str) -> Decimal | Refusal:
    """Read `15 %`."""
    quantity = parse_quantity(text)
    if not isinstance(quantity, Quantity) or quantity.unit.dimension not in (Dimension.RATIO, Dimension.NONE):
        return Refusal(f"{shown(text)} isn't a share: write one like `15 %`")
    if 0 < quantity.canonical_value <= 1:
        return quantity.canonical_value
    bare = quantity.unit.dimension is Dimension.NONE and 1 < quantity.value <= HUNDRED
    meant = f"{plain(quantity.value)} %" if bare else None
    return Refusal(f"{shown(text)} isn't between 0 and 100 %: write one like `15 %`", meant)


def age(text: str) -> int | Refusal:
    """Read `14 d`, as days."""
    quantity = parse_duration(text)
    days = quantity.canonical_value / DAY if isinstance(quantity, Quantity) else Decimal(0)
    if 1 <= days <= OLDEST and days == int(days):
        return int(days)
    meant = f"{int(text)} d" if COUNT.fullmatch(text) and 1 <= int(text) <= OLDEST else None
    return Refusal(f"{shown(text)} doesn't fit: write whole days like `14 d` (`{OLDEST} d` at most)", meant)


def topic(text: str) -> str | Refusal:
    """Read a topic as GitHub writes them."""
    meant = text.lower().lstrip("#").strip().replace("_", "-").replace(" ", "-")
    return spelt(text, TOPIC, "isn't a topic: write one like `proof-of-concept`", meant)


def glob(text: str) -> str | Refusal:
    """Read `poc-*`: a repository's name without its owner."""
    if GLOB.fullmatch(text):
        return text
    name = text.rpartition("/")[2]
    if name != text and GLOB.fullmatch(name):
        return Refusal(f"{shown(text)} includes an owner: write {shown(name)}", f'"{name}"')
    if len(text) > LONGEST_GLOB:
        return Refusal(f"{len(text)} characters: keep a name to {LONGEST_GLOB}")
    return Refusal(f"{shown(text)} isn't a name: write one like `poc-*` (with no signs but `*` and `?`)")


def bounded(most: int) -> Callable[[str], str | Refusal]:
    """Read a name of which only the length is known."""

    def parse(text: str) -> str | Refusal:
        if not text:
            return Refusal("This value is empty: write it, or delete it")
        return text if len(text) <= most else Refusal(f"{len(text)} characters: keep it to {most}")

    return parse


def login(text: str) -> str | Refusal:
    """Read one login."""
    name = bare_login(text)
    if is_bot(name):
        return Refusal(f"{shown(name)} is a bot: name a person")
    if "/" in name:
        return Refusal(f"{shown(name)} is a team: name people")
    if not parse_login(name):
        return Refusal(f"{shown(name)} isn't a GitHub login: write one, like `dan-w`")
    return name if name == text else Refusal(f"Only the login goes here: write {shown(name)}", name)


def dispensable(text: str) -> Group | Refusal:
    """Read a group that a charter may leave out."""
    if text in NEEDED:
        return Refusal(f"`{text}` always signs: delete it, or write another group")
    return one_of([group for group in Group if group not in NEEDED], text, "a group")


def event(text: str) -> str | Refusal:
    """Read the name of an event that starts workflows."""
    return spelt(text, EVENT, "isn't a workflow event: write one, like `pull_request_target`")


def full_name(text: str) -> str | Refusal:
    """Read `owner/name`."""
    meant = HOST.sub("", text, count=1).removesuffix("/").removesuffix(".git")
    return spelt(text, FULL_NAME, "isn't a repository: write `owner/name`", meant)


def team(text: str) -> str | Refusal:
    """Read `org/team`, in small letters."""
    name = text.lower()
    if TEAM.fullmatch(name):
        return name
    meant = TEAM_PAGE.sub(r"\1/\2", name).removeprefix("@").removesuffix("/")
    message = f"{shown(text)} isn't a team: write `org/team`"
    return Refusal(message, meant if TEAM.fullmatch(meant) else None)


def weekday(text: str) -> int | Refusal:
    """Read a day of the week, as a number from Monday, 0."""
    if text.lower() in DAYS:
        return DAYS.index(text.lower())
    meant = [day for day in DAYS if len(text) >= SHORTEST_DAY and day.startswith(text.lower()[:3])]
    message = f"{shown(text)} isn't a day of the week: write one, like `saturday`"
    return Refusal(message, meant[0] if len(meant) == 1 else None)


def freeze(text: str) -> Freeze | Refusal:
    """Read `2026-12-21 to 2027-01-03 - year end`; a day alone is a freeze of one day."""
    match = PERIOD.fullmatch(text)
    first = parse_date(match["first"]) if match else None
    last = (parse_date(match["last"]) if match["last"] else first) if match else None
    if match is None or first is None or last is None:
        example = "2026-12-21 to 2027-01-03 - year end"
        return Refusal(f"{shown(text)} isn't a period: write one like `{example}`")
    reason = clip(match["reason"] or "", LONGEST_REASON)
    if last < first:
        return Refusal("It ends before it begins: write the earlier day first", period(last, first, reason))
    if last - first >= timedelta(days=LONGEST_FREEZE):
        return Refusal(f"Longer than {LONGEST_FREEZE} days: keep a freeze to a year")
    return Freeze(first, last, reason)


def period(first: date, last: date, reason: str) -> str:
    """A freeze as it is written."""
    quoted = reason.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{first} to {last} - {quoted}"' if reason else f"{first} to {last}"


def time_zone(text: str) -> tzinfo | Refusal:
    """Read the name of a zone of the IANA database."""
    if text.upper() in ("UTC", "Z", "ETC/UTC"):
        return UTC
    if ZONE.fullmatch(text) and text.partition("/")[0] not in NO_ZONES:
        # The database holds folders and other files too, which are an error of their own each.
        with suppress(OSError, ValueError, KeyError):
            return ZoneInfo(text)
    return Refusal(f"{shown(text)} isn't a time zone: write one like `Europe/Berlin`", nearest_zone(text))


def nearest_zone(text: str) -> str | None:
    """The zone that a name nearly is, or that a city is in."""
    names = (zone for zone in sorted(available_timezones()) if zone not in NO_ZONES)
    zones = {zone.lower(): zone for zone in names}
    written = text.lower().replace(" ", "_")[:64]
    city = [zone for low, zone in zones.items() if low.endswith(f"/{written}")]
    near = get_close_matches(written, zones, n=1, cutoff=0.8)
    return city[0] if city else zones[near[0]] if near else None
