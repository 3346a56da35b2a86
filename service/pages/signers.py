"""Who has signed a POC, who has not, and what past signatures say of the ship date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from service.rules.charter.model import Charter
from service.rules.gate.lifecycle import State
from service.rules.gate.signoffs import Round, Signature, named, standing
from service.rules.gate.uncounted import SigningFacts, Uncounted, uncounted
from service.rules.policy.model import Policy
from service.rules.stall.forecast import forecast, outlook
from service.rules.values.groups import Group
from service.store.portfolio import OnePoc
from service.texts.goalposts import NAMES
from service.texts.stall import outlook_text


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs for a group, and what they signed: a day and a place, None where it is open."""

    group: str
    login: str | None
    start: Signature | None
    ship: Signature | None


def _rounds(
    stored: OnePoc, charter: Charter
) -> tuple[dict[Group, Signature | None], dict[Group, Signature | None]]:
    given, request = stored.record.standing, stored.record.poc.request
    start = dict(standing(charter, given, Round.START))
    ship: dict[Group, Signature | None] = {}
    if request:
        ship = dict(standing(charter, given, Round.SHIP, number=request.number, since=request.asked_at))
    if request and stored.record.poc.proven_at:
        # The request may bring another charter: whose signature is missing is what its gate found out.
        for each in given:
            asked = (each.round, each.number) == (Round.SHIP, request.number)
            if asked and each.group not in stored.record.poc.unsigned:
                ship[each.group] = each
    return start, ship


def outlook_of(stored: OnePoc, charter: Charter, today: date) -> str:
    """What past signatures say of the ship date; empty where nothing is known or none is missing."""
    if stored.summary.state is not State.PROPOSED:
        return ""
    calendar = stored.record.policy.calendar
    missing = [group for group, given in _rounds(stored, charter)[0].items() if given is None]
    known = forecast(stored.past_turns, calendar)
    found = outlook(known, missing, ship_by=stored.summary.ship_by, today=today, calendar=calendar)
    return outlook_text(found) if found else ""


def signers_of(stored: OnePoc, charter: Charter) -> Iterator[Signer]:
    """Everybody who signs."""
    start, ship = _rounds(stored, charter)
    for group in charter.signoffs.groups:
        yield Signer(NAMES[group], named(charter, group), start.get(group), ship.get(group))


def uncounted_of(stored: OnePoc, charter: Charter, policy: Policy) -> tuple[Uncounted, ...]:
    """Approvals that do not count, and why."""
    request = stored.record.poc.request
    facts = SigningFacts(
        charter,
        [(each.signature, each.withdrawn) for each in stored.record.signatures],
        _rounds(stored, charter),
        policy,
        (request.number, request.asked_at) if request else None,
        stored.accounts,
    )
    return uncounted(facts, stored.reviews)
