"""What a person reads who asked for a change of the charter: the line to write, and what it will do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from service.rules.charter.amend import Amendment, Change, owned_by, shipping_on, stopped_on, waived_by
from service.rules.charter.goalposts import REOPENS
from service.rules.charter.model import Charter
from service.rules.commands.arguments import CharterCommand, Extend, HandOver, Stop, Waive
from service.rules.commands.parsing import Verb
from service.rules.source.text import CHARTER_PATH, in_words
from service.rules.stall.time_spent import ship_date_changes
from service.texts.goalposts import Person, signers


@dataclass(frozen=True, slots=True)
class EditLocation:
    """Where a charter is edited: GitHub's editor for one branch."""

    url: str
    branch: str
    is_default: bool
    path: str = CHARTER_PATH


@dataclass(frozen=True, slots=True)
class RequestedChange:
    """Who asked for a change, why, and the comment in which they did."""

    login: str
    reason: str
    url: str


@dataclass(frozen=True, slots=True)
class AmendView:
    """A line to write, and what follows from it."""

    order: CharterCommand
    charter: Charter
    """As it is before the change."""
    amendment: Amendment
    desk: EditLocation
    slip: str
    """How often and how far the ship date was moved, with this: `third date, +42 days`; else empty."""
    signers: tuple[Person, ...]
    """Who signs again, where somebody does."""

    @property
    def verb(self) -> Verb:
        """The command that asks for it."""
        return self.order.verb

    @property
    def is_new(self) -> bool:
        """Whether the line is added, and replaces none."""
        return self.amendment.before is None

    @property
    def lines(self) -> str:
        """Which lines are replaced, in words."""
        first, more = self.amendment.line, (self.amendment.before or "").count("\n")
        return f"lines {first} to {first + more}" if more else f"line {first}"


def change_of(order: CharterCommand, today: date) -> Change:
    """What an order asks of the charter."""
    match order:
        case Extend():
            return shipping_on(order.ship_by)
        case HandOver():
            return owned_by(order.login)
        case Stop():
            return stopped_on(today, order.reason)
        case Waive():
            return waived_by(order.waiver)


def amend_view(
    order: CharterCommand,
    charter: Charter,
    amendment: Amendment,
    desk: EditLocation,
    ship_dates: Sequence[date],
) -> AmendView:
    """Lay the change out for the template; `ship_dates` are those that the charter ever named, in order."""
    match order:
        case Extend():
            before = charter.ship_by.value if charter.ship_by else None
            known = [*ship_dates, before] if before and before not in ship_dates[-1:] else ship_dates
            later = before is not None and order.ship_by > before
            slip = str(ship_date_changes([*known, order.ship_by])) if later else ""
            replaces = before is not None
        case HandOver():
            slip, replaces = "", charter.owner is not None
        case Waive():
            slip, replaces = "", True
        case Stop():
            slip, replaces = "", False
    groups = REOPENS["waived" if isinstance(order, Waive) else "owner"] if replaces else ()
    again = [(group, person) for group, person in signers(charter, groups) if person]
    return AmendView(order, charter, amendment, desk, slip, tuple(again))


def proposal_title(view: AmendView) -> str:
    """What a pull request of ours does, which is the message of its commit as well."""
    match view.order:
        case Extend(ship_by=ship_by):
            return f"Ship on {in_words(ship_by)}"
        case HandOver(login=login):
            return f"Hand this POC over to {login}"
        case Stop():
            return "Stop this POC"
        case Waive(waiver=waiver):
            return f"Waive {waiver.key.metric} until {in_words(waiver.until)}"
