"""What the commands with words of their own ask for: how long, by when, whom, and why; read, or refused.

A refusal of one that is written wrongly ends in the line to write.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import ClassVar, assert_never

from service.rules.charter.line_keys import LONGEST_WAIVER, Key, Waiver, parse_key
from service.rules.charter.values import (
    CAUSES,
    ISO_DATE,
    bare_login,
    is_unfilled,
    iso,
    parse_date,
    parse_login,
)
from service.rules.commands.parsing import PREFIX, Command, Refusal, Verb
from service.rules.source.text import shown
from service.rules.values.calendar import USUAL
from service.rules.values.github import is_bot

LONGEST_SNOOZE = 60
FARTHEST = timedelta(days=366)
USUAL_SNOOZE, USUAL_EXTENSION = 14, timedelta(weeks=4)
UNTIL = re.compile(r"(?P<key>\S.*?)\s+until\s+(?P<day>\S+)(?P<rest>.*)", re.DOTALL)
LONGEST_REASON = 200
LONGEST_LINE = 300
REASON, LOGIN, METRIC = "<reason>", "<login>", "<metric>"
DAYS_A_WEEK = 7
SPAN = re.compile(
    r"(?P<count>[0-9]{1,6})\s*(?P<unit>d|days?|w|weeks?)(?![^\s:,.;–—-])(?P<rest>.*)", re.IGNORECASE
)
ISSUE = re.compile(
    r"(?<![\w./#-])(?:(?P<name>[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)?#|"
    r"https?://[^/\s]+/(?P<path>[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)/(?:issues|pull)/)(?P<number>[1-9][0-9]{0,8})(?!\w)"
)
"""`#12`, `owner/name#12`, or an issue's address."""


@dataclass(frozen=True, slots=True)
class Snooze:
    """Nobody is to be asked for some days."""

    verb: ClassVar[Verb] = Verb.SNOOZE
    days: int
    reason: str

    def waits_for(
        self, *, poc: str, place: str, but: Collection[tuple[str, int]]
    ) -> tuple[Snooze, str | None]:
        """It with the issue that its reason names, written as the POC's repository would name it.

        `place` is the repository in which the comment stands: there `#12` is its own. An issue that is among
        `but` is waited for by nobody.
        """
        match = ISSUE.search(self.reason)
        if match is None:
            return self, None
        name, number = match["name"] or match["path"] or place, int(match["number"])
        if (name.lower(), number) in {(each.lower(), other) for each, other in but}:
            return self, None
        reference = f"#{number}" if name.lower() == poc.lower() else f"{name}#{number}"
        reason = f"{self.reason[: match.start()]}{reference}{self.reason[match.end() :]}"
        return replace(self, reason=reason), reference


@dataclass(frozen=True, slots=True)
class Extend:
    """It ships on another day."""

    verb: ClassVar[Verb] = Verb.EXTEND
    ship_by: date
    reason: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """Somebody else owns it."""

    verb: ClassVar[Verb] = Verb.OWNER
    login: str


@dataclass(frozen=True, slots=True)
class Stop:
    """It ends on purpose."""

    verb: ClassVar[Verb] = Verb.STOP
    reason: str


@dataclass(frozen=True, slots=True)
class Waive:
    """A line of `done` may be missed until a day."""

    verb: ClassVar[Verb] = Verb.WAIVE
    waiver: Waiver

    @property
    def reason(self) -> str:
        """Why."""
        return self.waiver.reason


CharterCommand = Extend | HandOver | Stop | Waive
"""What changes the charter."""
CommandArguments = Snooze | CharterCommand


def read_order(command: Command, today: date) -> CommandArguments | Refusal | None:
    """What a command asks for, given on a day; None for those that take no words."""
    match command.verb:
        case Verb.SNOOZE:
            return _snooze(command.argument)
        case Verb.EXTEND:
            return _extend(command.argument, today)
        case Verb.OWNER:
            return _owner(command.argument)
        case Verb.STOP:
            return _stop(command.argument)
        case Verb.WAIVE:
            return _waive(command.argument, today)
        case Verb.SHIP | Verb.SIGN | Verb.RECHECK | Verb.HELP | None:
            return None
        case _:
            assert_never(command.verb)


def reason_of(text: str) -> str:
    """A reason in one line of what can be seen; empty where there is none, or it is still to be written."""
    visible = "".join(char if char.isprintable() else " " for char in text)
    reason = " ".join(visible.split()).lstrip("-–—:,.; ")
    if is_unfilled(reason) or not any(char.isalnum() for char in reason):
        return ""
    return reason if len(reason) <= LONGEST_REASON else f"{reason[: LONGEST_REASON - 1].rstrip()}…"


def line_of(verb: Verb, *words: str) -> str:
    """A line to write, as code."""
    return shown(" ".join([PREFIX, verb, *words]), LONGEST_LINE)


def _snooze(text: str) -> Snooze | Refusal:
    match = SPAN.match(text)
    if match is None:
        wanted = line_of(Verb.SNOOZE, f"{USUAL_SNOOZE}d", reason_of(text) or REASON)
        return Refusal(f"`/poc snooze` begins with a number of days: write {wanted}.")
    days = int(match["count"]) * (DAYS_A_WEEK if match["unit"].lower().startswith("w") else 1)
    reason = reason_of(match["rest"])
    if not 1 <= days <= LONGEST_SNOOZE:
        wanted = line_of(Verb.SNOOZE, f"{LONGEST_SNOOZE if days else 1}d", reason or REASON)
        return Refusal(f"`/poc snooze` takes 1 to {LONGEST_SNOOZE} days: write {wanted}.")
    if not reason:
        return Refusal(f"`/poc snooze` needs a reason: write {line_of(Verb.SNOOZE, f'{days}d', REASON)}.")
    return Snooze(days, reason)


def usual_extension(planned: date | None, today: date) -> date:
    """A usual time after the ship date, or after today, and not too far for the command."""
    return min(max(planned or today, today) + USUAL_EXTENSION, today + FARTHEST / 2)


def _extend(text: str, today: date) -> Extend | Refusal:
    word, rest = [*text.split(maxsplit=1), "", ""][:2]
    day, reason = parse_date(word), reason_of(rest)
    if day is None or not today < day <= today + FARTHEST:
        why, meant = _no_ship_date(word, day, today)
        wanted = line_of(Verb.EXTEND, meant.isoformat(), reason or REASON)
        return Refusal(f"{why}: write {wanted}.")
    if not reason:
        wanted = line_of(Verb.EXTEND, day.isoformat(), REASON)
        return Refusal(f"`/poc extend` needs a reason: write {wanted}.")
    return Extend(day, reason)


def _no_ship_date(word: str, day: date | None, today: date) -> tuple[str, date]:
    """Why a word isn't a day to ship on, and one that is."""
    usual = USUAL.working_day_from(today + USUAL_EXTENSION)
    if day is not None and day > today:
        return f"`/poc extend` reaches {FARTHEST.days} calendar days ahead at most", today + FARTHEST
    if day is not None:
        return f"`/poc extend` takes a day in the future, and {day} isn't", usual
    if ISO_DATE.fullmatch(word):
        return f"`/poc extend` takes a day, and {shown(word)} isn't in the calendar", usual
    meant = parse_date(iso(word) or "")
    if meant is not None and today < meant <= today + FARTHEST:
        return "`/poc extend` takes a day as year, month and day", meant
    span = SPAN.fullmatch(word)
    if span and int(span["count"]) and not span["rest"]:
        days = int(span["count"]) * (DAYS_A_WEEK if span["unit"].lower().startswith("w") else 1)
        usual = today + min(timedelta(days=days), FARTHEST)
    return "`/poc extend` begins with the new day", usual


def _owner(text: str) -> HandOver | Refusal:
    words = text.split()
    name = bare_login(words[0]) if words else ""
    if "/" in name:
        why = f"`/poc owner` takes one person, and {shown(name)} is a team"
    elif name and is_bot(name):
        why = f"`/poc owner` takes a person, and {shown(name)} is a bot"
    elif not parse_login(name):
        why = "`/poc owner` takes one GitHub login"
    elif len(words) > 1:
        return Refusal(
            f"`/poc owner` takes one login and nothing else: write {line_of(Verb.OWNER, f'@{name}')}."
        )
    else:
        return HandOver(name)
    return Refusal(f"{why}: write {line_of(Verb.OWNER, f'@{LOGIN}')}.")


def _stop(text: str) -> Stop | Refusal:
    reason = reason_of(text)
    cause, colon, rest = reason.partition(":")
    if colon and cause.strip().lower() in CAUSES:
        cause, why = cause.strip().lower(), reason_of(rest)
        if not why:
            wanted = line_of(Verb.STOP, f"{cause}: {REASON}")
            return Refusal(f"`/poc stop` needs a reason after the class: write {wanted}.")
        return Stop(f"{cause}: {why}")
    if reason:
        return Stop(reason)
    return Refusal(f"`/poc stop` needs a reason: write {line_of(Verb.STOP, REASON)}.")


def _waive(text: str, today: date) -> Waive | Refusal:
    match = UNTIL.fullmatch(text)
    key = parse_key(match["key"] if match else text.partition(" ")[0])
    usual = (today + USUAL_EXTENSION).isoformat()
    if match is None or not isinstance(key, Key):
        asks = "a metric, a day and a reason" if match is None else "a metric as `done` names it"
        name = key.printed if isinstance(key, Key) else METRIC
        wanted = line_of(Verb.WAIVE, name, "until", usual, REASON)
        return Refusal(f"`/poc waive` takes {asks}: write {wanted}.")
    day, reason = parse_date(match["day"]), reason_of(match["rest"])
    if day is None or not today < day <= today + LONGEST_WAIVER:
        why, meant = _no_last_day(match["day"], day, today)
        wanted = line_of(Verb.WAIVE, key.printed, "until", meant.isoformat(), reason or REASON)
        return Refusal(f"{why}: write {wanted}.")
    if not reason:
        wanted = line_of(Verb.WAIVE, key.printed, "until", day.isoformat(), REASON)
        return Refusal(f"`/poc waive` needs a reason: write {wanted}.")
    return Waive(Waiver(key, day, reason))


def _no_last_day(word: str, day: date | None, today: date) -> tuple[str, date]:
    """Why a word isn't a day on which a waiver ends, and one that is."""
    usual = today + USUAL_EXTENSION
    if day is not None and day > today:
        return (
            f"`/poc waive` reaches {LONGEST_WAIVER.days} calendar days ahead at most",
            today + LONGEST_WAIVER,
        )
    if day is not None:
        return f"`/poc waive` takes a day in the future, and {day} isn't", usual
    meant = parse_date(iso(word) or "")
    if meant is not None and today < meant <= today + LONGEST_WAIVER:
        return "`/poc waive` takes a day as year, month and day", meant
    return f"`/poc waive` takes a day, and {shown(word)} isn't one", usual
