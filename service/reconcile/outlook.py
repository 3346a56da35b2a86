"""A ship date held against how long signatures took so far in the organisation."""

from __future__ import annotations

from collections.abc import Collection

from service.reconcile.context import Reconciliation
from service.reconcile.poc import Poc
from service.rules.charter.model import Charter
from service.rules.stall.forecast import forecast, outlook
from service.rules.values.groups import Group
from service.texts.forecast import outlook_on_pull_request


def outlook_of(ctx: Reconciliation, poc: Poc, charter: Charter, missing: Collection[Group]) -> str:
    """What past signatures say of the ship date; read only where one is missing, empty without a record."""
    if not missing or charter.ship_by is None:
        return ""
    calendar = ctx.policy.calendar
    # A text that stays must not be another one with each signature that somebody gives elsewhere.
    month = calendar.day(ctx.now).replace(day=1)
    turns = ctx.store.forecasts.past_turns(poc.known.installation_id)
    known = forecast([each for each in turns if calendar.day(each.until) < month], calendar)
    today, ship_by = calendar.day(ctx.now), charter.ship_by.value
    found = outlook(known, missing, ship_by=ship_by, today=today, calendar=calendar)
    return outlook_on_pull_request(found) if found else ""
