"""What a person reads who asked for a change of the charter: the line to write, and what it will do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from service.rules.charter.amend import Amendment, Change, owned_by, shipping_on, stopped_on
from service.rules.charter.model import Charter
from service.rules.commands.arguments import CommandArguments, Extend, HandOver, Stop
from service.rules.commands.parsing import Verb
from service.rules.source.text import CHARTER_PATH
from service.rules.stall.time_spent import ship_date_changes


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
    """A line to write, and what follows from it; what does not apply is empty."""

    verb: Verb
    amendment: Amendment
    desk: EditLocation
    owner: str = ""
    new_owner: str = ""
    ship_by: date | None = None
    new_ship_by: date | None = None
    slip: str = ""
    """How often and how far it was moved, with this: `third date, +42 days`."""
    product: str = ""
    """Who signs for product again."""

    @property
    def is_new(self) -> bool:
        """Whether the line is added, and replaces none."""
        return self.amendment.before is None

    @property
    def lines(self) -> str:
        """Which lines are replaced, in words."""
        first, more = self.amendment.line, (self.amendment.before or "").count("\n")
        return f"lines {first} to {first + more}" if more else f"line {first}"


def change_of(order: Extend | HandOver | Stop, today: date) -> Change:
    """What an order asks of the charter."""
    match order:
        case Extend():
            return shipping_on(order.ship_by)
        case HandOver():
            return owned_by(order.login)
        case Stop():
            return stopped_on(today, order.reason)


def amend_view(
    order: CommandArguments,
    charter: Charter,
    amendment: Amendment,
    desk: EditLocation,
    ship_dates: Sequence[date],
) -> AmendView:
    """Lay the change out for the template; `ship_dates` are those that the charter ever named, in order."""
    owner, ship_by = charter.owner, charter.ship_by
    before = ship_by.value if ship_by else None
    view = AmendView(order.verb, amendment, desk)
    if isinstance(order, Extend):
        known = [*ship_dates, before] if before and before not in ship_dates[-1:] else ship_dates
        moved = ship_date_changes([*known, order.ship_by])
        later = before is not None and order.ship_by > before
        return replace(
            view,
            ship_by=before,
            new_ship_by=order.ship_by,
            slip=str(moved) if later else "",
            product=_product(charter) if before else "",
        )
    if isinstance(order, HandOver):
        return replace(
            view,
            owner=owner.value if owner else "",
            new_owner=order.login,
            product=_product(charter) if owner else "",
        )
    return view


def _product(charter: Charter) -> str:
    return charter.signoffs.product.value if charter.signoffs.product else ""
