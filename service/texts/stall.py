"""What the stall issue and its comments show, as frozen values; and what the record of past turns says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import assert_never

from service.rules.charter.model import Charter
from service.rules.commands.arguments import usual_extension
from service.rules.gate.signoffs import named
from service.rules.source.text import clip, in_words
from service.rules.stall.forecast import Forecast, Outlook, Took
from service.rules.stall.stalls import Cause, Stall, StallFacts, addressed, assignee
from service.rules.stall.time_spent import ShipDateChanges, Totals, ordinal
from service.rules.stall.waiting_on import Party, WaitingOn, Wants
from service.rules.values.groups import Group
from service.texts.goalposts import NAMES
from service.texts.markdown import plural

REFERENCE = re.compile(r"(?:[\w.-]+/[\w.-]+)?#[1-9][0-9]{0,8}", re.ASCII)
LONGEST_NAME = 80
MOST_WAITED_FOR = 8
"""Lines of the calendar; the rest are added up."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the POC and its issue stand, and where its charter is edited."""

    poc_id: int
    full_name: str
    elsewhere: bool
    """Whether the issue stands in another repository."""
    charter_url: str
    draft_url: str


@dataclass(frozen=True, slots=True)
class StallView:
    """What the texts of a stall say beside the charter; what people wrote is not yet made harmless."""

    place: Place
    name: str
    stall: Stall
    charter: Charter
    """An empty one where there is none."""
    wants: Wants
    addressed: str | None
    """Whom the first line speaks to, and mentions: a login, or a team."""
    assignee: str | None
    """To whom the issue is given."""
    waits_for: str
    """The party in words: `security`, a login, an issue."""
    group: str
    """The group for which it waits, in words."""
    days: int
    """The working days that had passed on the day of the step."""
    days_now: int
    """Those that have passed today: for what is said today, and does not stay."""
    reference: str
    """Where it is to be done: `#41`, or with its repository from elsewhere."""
    brought_in: tuple[tuple[str, str], ...]
    """Whom the comments mention, each with their part in it."""
    slips: str
    """`third date, +42 days`; empty while it is the first."""
    next_date: str
    """Which one another date would be: `second`."""
    extension: date
    """A day on which it may ship instead."""
    began: date
    totals: Totals | None
    """The calendar from `began` to `until`."""
    until: date


def stall_view(
    stall: Stall,
    facts: StallFacts,
    place: Place,
    *,
    slips: ShipDateChanges | None,
    began: date,
    totals: Totals | None,
    today: date,
) -> StallView:
    """Gather what the texts say."""
    charter, waiting_on, calendar = facts.charter, stall.waiting_on, facts.policy.calendar
    return StallView(
        place=place,
        name=_name(charter, place),
        stall=stall,
        charter=charter or Charter(line=1),
        wants=waiting_on.wants if waiting_on else Wants.CHARTER,
        addressed=addressed(stall, charter),
        assignee=assignee(stall, charter),
        waits_for=_waits_for(waiting_on, place),
        group=NAMES[waiting_on.group] if waiting_on and waiting_on.group else "",
        days=calendar.working_days(stall.since, stall.due),
        days_now=calendar.working_days(stall.since, max(today, stall.due)),
        reference=_reference(waiting_on, place),
        brought_in=tuple(_brought_in(stall, facts)),
        slips=str(slips) if slips else "",
        next_date=ordinal((slips.count if slips else 1) + 1),
        extension=calendar.working_day_from(_extension(stall, charter)),
        began=began,
        totals=_shortened(totals) if totals else None,
        until=last_day(stall),
    )


def stall_title(view: StallView) -> str:
    """Who is waited for, and for how long; a date that has passed says that instead."""
    ship_by = view.charter.ship_by
    match view.stall.cause:
        case Cause.OVERDUE if ship_by:
            slips = f" ({view.slips})" if view.slips else ""
            return f"{view.name} is past its ship date, {in_words(ship_by.value)}{slips}"
        case Cause.OWNER_GONE:
            return f"{view.name} is waiting for a new owner"
        case Cause.NO_CHARTER | Cause.SILENT | Cause.OVERDUE:
            return f"{view.name} is waiting for {view.waits_for}: {plural(view.days, 'working day')}"


def last_day(stall: Stall) -> date:
    """Up to which day the calendar is counted: the step's own day may still bring something."""
    return stall.due - timedelta(days=1)


def _name(charter: Charter | None, place: Place) -> str:
    """What people call it; seen from elsewhere, with its repository."""
    title = clip(charter.title, LONGEST_NAME) if charter and charter.title else ""
    if place.elsewhere:
        return f"{title} ({place.full_name})" if title else place.full_name
    return title or place.full_name.partition("/")[2]


def _waits_for(waiting_on: WaitingOn | None, place: Place) -> str:
    """Whom it waits for, in the words of the calendar."""
    if waiting_on is None:
        return "a charter"
    match waiting_on.party:
        case Party.UNNAMED:
            return "a charter"
        case Party.BLOCKER:
            return _reference(waiting_on, place) or "what blocks it"
        case Party.OWNER | Party.SIGNER | Party.REVIEWER | Party.PLATFORM | Party.NOBODY:
            if waiting_on.group:
                return NAMES[waiting_on.group]
            return waiting_on.people[0] if waiting_on.people else waiting_on.party.value
        case _:
            assert_never(waiting_on.party)


def _reference(waiting_on: WaitingOn | None, place: Place) -> str:
    """Where the next step is to be taken, as the place of the issue would name it."""
    if waiting_on is None:
        return ""
    written = waiting_on.about if waiting_on.wants is Wants.UNBLOCK else f"#{waiting_on.number or ''}"
    if place.elsewhere and written.startswith("#"):
        written = f"{place.full_name}{written}"
    return written if REFERENCE.fullmatch(written) else ""


def _brought_in(stall: Stall, facts: StallFacts) -> Iterator[tuple[str, str]]:
    """The owner and the waiting group's lead; product where it is the owner who is waited for."""
    charter, waiting_on = facts.charter, stall.waiting_on
    if charter is None:
        return
    group = waiting_on.group if waiting_on else None
    product = named(charter, Group.PRODUCT)
    found: list[tuple[str | None, str]] = []
    if stall.cause is not Cause.OWNER_GONE:
        found.append((charter.owner_login, "owner"))
    if group:
        found.append((facts.policy.lead_of(group), f"leads {NAMES[group]}"))
    if group is None or stall.cause is Cause.OVERDUE:
        found.append((product, "product"))
    seen: set[str] = set()
    for login, part in found:
        if login and login.lower() not in seen:
            seen.add(login.lower())
            yield login, part


def _extension(stall: Stall, charter: Charter | None) -> date:
    """A day for another ship date, as seen on the day of the step."""
    return usual_extension(charter.ship_by.value if charter and charter.ship_by else None, stall.due)


def _shortened(totals: Totals) -> Totals:
    """The calendar with the longest waits, the others added up."""
    longest, others = totals.waiting[:MOST_WAITED_FOR], totals.waiting[MOST_WAITED_FOR:]
    more = (("others", sum(days for _, days in others)),) if others else ()
    return Totals(totals.engineering, totals.idle, totals.paused, (*longest, *more))


def outlook_text(found: Outlook) -> str:
    """What a ship date leaves against what the signatures took so far; for the pull request and the page."""
    left = "no working day is left before the ship date"
    if found.left:
        left = f"the ship date leaves {plural(found.left, 'working day')}"
    advice = f": ask {NAMES[found.slowest]} now" if found.tight and found.slowest else ""
    return f"The signatures to start {took_text(found.took)}; {left}{advice}."


def outlook_on_pull_request(found: Outlook) -> str:
    """The same where a text stays: in days, not in counts of days, which would be others tomorrow."""
    ask = f"to have them by the ship date, {in_words(found.ship_by)}, ask by {in_words(found.ask_by)}"
    if found.tight:
        ask = (
            f"the last day to ask for the ship date, {in_words(found.ship_by)}, was {in_words(found.ask_by)}"
        )
    first = f": ask {NAMES[found.slowest]} first, because it takes longest" if found.slowest else ""
    return f"The signatures to start {took_text(found.took)}; {ask}{first}."


def took_text(took: Took) -> str:
    """`took 17 working days here, 80 % within 31 (9 rounds)`."""
    return (
        f"took {plural(took.median, 'working day')} here, 80 % within {took.most} "
        f"({plural(took.turns, 'round')} so far)"
    )


def record_lines(found: Forecast) -> tuple[tuple[str, Took, str], ...]:
    """Each thing that is waited for, what it took, and what the sample counts; empty without a record."""
    rounds = (("all signatures to start", found.start), ("all signatures to ship", found.ship))
    groups = ((NAMES[group], took, "signature") for group, took in found.groups.items())
    return (*((name, took, "round") for name, took in rounds if took), *groups)
