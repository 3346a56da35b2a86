"""The values of the fields, and how they are written: logins, dates, reasons, drills, entries of `infra`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from service.rules.charter.quantity import Quantity, parse_duration

# Enterprise-managed users have an underscore before their company's short code.
LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}(?:_[A-Za-z0-9]{1,20})?")
PROFILE = re.compile(r"^@|^<?(?:https?://)?(?:www\.)?github\.com/(?=[\w-]+/?(?:[?#][^\s>]*)?>?$)")
BEHIND_LOGIN = re.compile(r"/?(?:[?#]\S*)?>?$")
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DATED = re.compile(r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})\s+[-–—]+\s+(?P<reason>\S.*)", re.DOTALL)
DRILLED = re.compile(r"(?P<date>\S+)\s+in\s+(?P<took>\S.*)")
NOT_APPLICABLE = re.compile(r"n/?a\b\s*(?:[-–—:]+\s*(?P<reason>\S.*))?", re.IGNORECASE | re.DOTALL)
URL = re.compile(r"https?://[^\s/]\S*")
PATH = re.compile(r"(?!/)(?=.*[/.]|\w*file$)[\w.@+-][\w./@+ -]*")
MISSING = "missing"
MISSING_FOR = re.compile(
    r"missing\s+[-–—]+\s+(?P<issue>(?:[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)?#[1-9][0-9]{0,8}"
    r"|[A-Z][A-Z0-9]{1,9}-[1-9][0-9]{0,8}|https?://[^\s/]\S*)"
)
UNFILLED = frozenset({"", "~", "null", "todo", "tbd", "fixme", "...", "…", "?", "???", "xxx"})
LONGEST_PLACEHOLDER = 5
OPEN_MARK = re.compile(r"\bTODO\b|\bTBD\b|^<(?!https?:)[^<>]*>$")
TEMPLATE = re.compile(r"\{\{[^{}]*\}\}|\$\{[^{}]*\}")
YEAR_FIRST = re.compile(r"([0-9]{4})[-./]([0-9]{1,2})[-./]([0-9]{1,2})")
BARE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
DAY_FIRST = re.compile(
    r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})|(1[3-9]|2[0-9]|3[01])/([0-9]{1,2})/([0-9]{4})"
)
MONTH_FIRST = re.compile(r"([0-9]{1,2})/(1[3-9]|2[0-9]|3[01])/([0-9]{4})")


@dataclass(frozen=True, slots=True)
class Drill:
    """A rollback that was tried: when, and how long it took."""

    on: date
    took: Quantity


class StopCause(StrEnum):
    """What ended a POC, for whoever counts why they end."""

    DATA = "data"
    OWNER = "owner"
    NUMBERS = "numbers"
    INFRA = "infra"
    VALUE = "value"
    ELSEWHERE = "elsewhere"


CAUSES = frozenset(StopCause)


class InfraKind(StrEnum):
    """What an entry of `infra` says."""

    PATH = "path"
    URL = "url"
    NOT_APPLICABLE = "n/a"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class InfraEntry:
    """A path, an address, the reason why none is needed, or nothing yet."""

    kind: InfraKind
    text: str

    @property
    def written(self) -> str:
        """The entry as a charter has it."""
        return f"n/a - {self.text}" if self.kind is InfraKind.NOT_APPLICABLE else self.text

    @property
    def material(self) -> tuple[InfraKind, str]:
        """What is signed for: of what is missing only that, whichever issue it waits for."""
        return self.kind, str(InfraKind.MISSING) if self.kind is InfraKind.MISSING else self.text


@dataclass(frozen=True, slots=True)
class Pause:
    """Until when nothing is expected, and why."""

    until: date
    reason: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Since when the POC has ended without shipping, and why."""

    on: date
    reason: str

    @property
    def cause(self) -> StopCause | None:
        """The class that the reason begins with, `data: …`; None where it names none."""
        word, colon, _ = self.reason.partition(":")
        return StopCause(word) if colon and word in CAUSES else None


def parse_login(text: str) -> str | None:
    """A login of GitHub, by its form."""
    return text if LOGIN.fullmatch(text) else None


def bare_login(text: str) -> str:
    """The login in what people write for one: with `@`, or as the address of a profile."""
    bare = text.strip()
    name = PROFILE.sub("", bare)
    return BEHIND_LOGIN.sub("", name) if name != bare else bare


def parse_date(text: str) -> date | None:
    """A day, written as ISO 8601 writes it."""
    if not ISO_DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def parse_pause(text: str) -> Pause | None:
    """Read `until 2027-01-08 - waiting for the data contract`."""
    word, _, rest = text.partition(" ")
    dated = parse_dated(rest.strip()) if word == "until" else None
    return Pause(*dated) if dated else None


def parse_stop(text: str) -> Stop | None:
    """Read `2027-01-08 - the baseline was good enough`."""
    dated = parse_dated(text)
    return Stop(*dated) if dated else None


def parse_dated(text: str) -> tuple[date, str] | None:
    """A day, a dash, and a reason."""
    match = DATED.fullmatch(text)
    day = parse_date(match["date"]) if match else None
    return (day, match["reason"].strip()) if match and day else None


def parse_drill(text: str) -> Drill | None:
    """Read `2026-11-12 in 4 min`."""
    match = DRILLED.fullmatch(text)
    if match is None:
        return None
    day, took = parse_date(match["date"]), parse_duration(match["took"])
    return Drill(day, took) if day and isinstance(took, Quantity) else None


def parse_not_needed(text: str) -> str | None:
    """Read `n/a - reason`: the reason."""
    match = NOT_APPLICABLE.fullmatch(text)
    return match["reason"] if match else None


def parse_infra(text: str) -> InfraEntry | None:
    """Read a path, a URL, `n/a - reason`, `missing`, or `missing - #12`."""
    if text == MISSING:
        return InfraEntry(InfraKind.MISSING, text)
    if match := MISSING_FOR.fullmatch(text):
        return InfraEntry(InfraKind.MISSING, f"{MISSING} - {match['issue']}")
    if match := NOT_APPLICABLE.fullmatch(text):
        return InfraEntry(InfraKind.NOT_APPLICABLE, match["reason"]) if match["reason"] else None
    if URL.fullmatch(text):
        return InfraEntry(InfraKind.URL, text)
    return InfraEntry(InfraKind.PATH, text) if PATH.fullmatch(text) and ".." not in text else None


def in_smart_quotes(text: str) -> bool:
    """Whether typographic quotation marks stand around a value, which YAML takes for part of it."""
    return len(text) > 1 and text[0] in "“”„‘’«" and text[-1] in "“”‘’»"


def is_unfilled(text: str) -> bool:
    """Whether a value is still to be written."""
    bare = text.strip()
    if bare.startswith("<") or "TODO" in text or "TBD" in text:
        return bool(OPEN_MARK.search(bare))
    if TEMPLATE.fullmatch(bare):
        return True
    return len(bare) <= LONGEST_PLACEHOLDER and bare.lower() in UNFILLED


def iso(text: str) -> str | None:
    """The day that another notation means, where it means only one."""
    if match := YEAR_FIRST.fullmatch(text) or BARE.fullmatch(text):
        year, month, day = match.groups()
    elif match := DAY_FIRST.fullmatch(text):
        day, month, year = filter(None, match.groups())
    elif match := MONTH_FIRST.fullmatch(text):
        month, day, year = match.groups()
    else:
        return None
    meant = f"{year}-{month:0>2}-{day:0>2}"
    return meant if parse_date(meant) else None
