"""Why a command that can be read is refused: because of the POC's state, or of earlier commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import assert_never

from service.rules.charter.line_keys import Waiver, key_of, waived_lines
from service.rules.charter.model import Charter
from service.rules.commands.arguments import (
    LOGIN,
    LONGEST_LINE,
    LONGEST_SNOOZE,
    CommandArguments,
    Extend,
    HandOver,
    Snooze,
    Stop,
    Waive,
    line_of,
)
from service.rules.commands.parsing import WRITERS, Refusal, Verb
from service.rules.gate.signoffs import groups_of
from service.rules.source.text import listed, shown
from service.rules.stall.stalls import in_a_row
from service.rules.stall.time_spent import ordinal
from service.rules.stall.waiting_on import PausePeriod

MOST_LINES = 3


@dataclass(frozen=True, slots=True)
class PocState:
    """The POC on the day on which a command is given."""

    today: date
    charter: Charter | None = None
    """The one that would be changed."""
    shipped: bool = False
    snoozes: Sequence[PausePeriod] = ()
    """Those that were asked for before."""


def refusal_of(order: CommandArguments, present: PocState) -> Refusal | None:  # noqa: PLR0911 - one for each
    """Why a command is not followed; None where it is."""
    verb, charter = order.verb, present.charter
    if present.shipped:
        return Refusal(f"`/poc {verb}` comes too late: this POC has shipped.")
    if charter and charter.stopped:
        stop = charter.stopped.value
        return Refusal(
            f"`/poc {verb}` comes too late: this POC was stopped on {stop.on}. To take it up again, delete "
            f"the line `stopped` from its charter."
        )
    match order:
        case Snooze():
            return _snoozed(order, present)
        case Extend():
            instead = "write one that says in `ship_by` when it ships"
            return _extended(order, charter) if charter else _without_charter(verb, instead)
        case HandOver():
            instead = "write one that names the owner in `owner`"
            return _handed_over(order, charter) if charter else _without_charter(verb, instead)
        case Stop():
            instead = "give the repository the topic `not-a-poc`, or archive it"
            return None if charter else _without_charter(verb, instead)
        case Waive():
            instead = "write one that says in `done` what has to be reached"
            return _waived(order.waiver, charter) if charter else _without_charter(verb, instead)
        case _:
            assert_never(order)


def rest_of(order: Snooze, today: date) -> PausePeriod:
    """The days off that a snooze asks for: what is left of today, and that many more."""
    return PausePeriod(today, today + timedelta(days=order.days), order.reason)


def may_not_own(login: str, permission: str | None) -> Refusal | None:
    """Why a person cannot own the POC, by what GitHub says that they may do in its repository."""
    if permission in WRITERS:
        return None
    if permission is None:
        why = f"GitHub doesn't know anybody called {shown(login)}"
    else:
        why = f"an owner needs write access to the repository, and {shown(login)} has {permission}"
    return Refusal(f"`/poc owner`: {why}. Give it, or write {line_of(Verb.OWNER, f'@{LOGIN}')}.")


def may_not_wait_for(reference: str, permission: str | None) -> Refusal | None:
    """Why a person cannot let the POC wait for an issue elsewhere, by what they may do in its repository.

    Whom it waits for is shown to everybody who sees the POC, so that a command must not ask for others.
    """
    if permission not in (None, "none"):
        return None
    return Refusal(
        f"`/poc snooze`: you can't read {shown(reference, LONGEST_LINE)}, so the POC can't wait for it on "
        f"your word. Ask somebody who can, or leave it out of the reason."
    )


def _snoozed(order: Snooze, present: PocState) -> Refusal | None:
    today, rest = present.today, rest_of(order, present.today)
    running = max((each.until for each in present.snoozes), default=today)
    first, count = in_a_row(rest, present.snoozes)
    if rest.until <= running:
        longer = min((running - today).days + order.days, LONGEST_SNOOZE)
        wanted = line_of(Verb.SNOOZE, f"{longer}d", order.reason)
        return Refusal(
            f"`/poc snooze` changes nothing here: it's already snoozed until {running}, and only a later "
            f"end replaces that, for example {wanted}."
        )
    days = (rest.until - first).days
    if days > LONGEST_SNOOZE:
        until = min(rest.until, today + timedelta(days=LONGEST_SNOOZE))
        wanted = shown(f"paused: until {until} - {order.reason}", 300)
        return Refusal(
            f"`/poc snooze` reaches {LONGEST_SNOOZE} calendar days in a row, and this {ordinal(count)} one "
            f"would make it {days}. A longer rest is a pause: write {wanted} into the charter."
        )
    return None


def _without_charter(verb: Verb, instead: str) -> Refusal:
    return Refusal(f"`/poc {verb}` changes the charter, and there is none here: {instead}.")


def _extended(order: Extend, charter: Charter) -> Refusal | None:
    if charter.ship_by is None or charter.ship_by.value != order.ship_by:
        return None
    return Refusal(
        f"`/poc extend` changes nothing here: the charter already says `ship_by: {order.ship_by}`."
    )


def _waived(waiver: Waiver, charter: Charter) -> Refusal | None:
    key = shown(waiver.key.printed)
    if not waived_lines(waiver, charter.done):
        return _no_line(waiver, charter, key)
    standing = (each.value.until for each in charter.waived if each.value.key.about == waiver.key.about)
    until = max(standing, default=None)
    if until is None or until < waiver.until:
        return None
    return Refusal(
        f"`/poc waive` changes nothing here: {key} is already waived until {until}, and only a later end "
        f"replaces that."
    )


def _no_line(waiver: Waiver, charter: Charter, key: str) -> Refusal:
    """Why a waiver is for no line of `done`, or for more than one, with those that there are."""
    keys = tuple(dict.fromkeys(key_of(line, charter.done) for line in charter.done))
    if not keys:
        return Refusal(f"`/poc waive`: no line of `done` in the charter can be read, so none is about {key}.")
    near = tuple(each for each in keys if each.split()[0] == waiver.key.metric)
    why = "could be for more than one line" if near else "isn't on any line"
    words = ("until", waiver.until.isoformat(), waiver.reason)
    wanted = " or ".join(line_of(Verb.WAIVE, each, *words) for each in (near or keys)[:MOST_LINES])
    return Refusal(f"`/poc waive`: {key} {why} of `done`. Write {wanted}.")


def _handed_over(order: HandOver, charter: Charter) -> Refusal | None:
    login = order.login.lower()
    if charter.owner and charter.owner.value.lower() == login:
        return Refusal(
            f"`/poc owner` changes nothing here: the charter says {shown(f'owner: {order.login}')} already."
        )
    groups = tuple(group.words for group in groups_of(charter, login))
    if not groups:
        return None
    return Refusal(
        f"`/poc owner`: {shown(order.login)} signs for {listed(groups)}, and nobody signs their own POC. "
        f"Name another signer first, or write {line_of(Verb.OWNER, f'@{LOGIN}')}."
    )
