"""What the pages say of a POC in a few words: who has the ball, what is asked, what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import assert_never

from service.rules.gate.lifecycle import State
from service.rules.stall.stalls import EscalationStep
from service.rules.stall.time_spent import ordinal
from service.rules.stall.waiting_on import Party, WaitingOn, Wants
from service.rules.values.calendar import Calendar
from service.store.portfolio import PocSummary, Standing
from service.texts.markdown import plural


@dataclass(frozen=True, slots=True)
class Ball:
    """Who has it: a person or a team where one is known, the party in words, since when, and what for."""

    who: str
    party: str
    since: date | None
    asked: str


ASKED = {
    Wants.CHARTER: "bring a charter",
    Wants.FIX_CHARTER: "fix the charter{place}",
    Wants.START_SIGNATURE: "sign the charter{place}",
    Wants.WORK: "build and measure",
    Wants.ANSWER_REVIEW: "answer the review{place}",
    Wants.REVIEW: "review{place}",
    Wants.INFRA: "provide {about}",
    Wants.UNBLOCK: "settle {about}",
    Wants.ASK_TO_SHIP: "write /poc ship on the pull request that ships it",
    Wants.SHIP_SIGNATURE: "sign to ship{place}",
    Wants.DEPLOY: "deploy{place}",
    Wants.NOTHING: "",
}
NOBODY = Ball("nobody", "", None, "")


def ball_of(each: PocSummary, calendar: Calendar, today: date, *, hidden: bool = False) -> Ball:
    """Who has the ball of a POC; `hidden` says nothing that only who reads the POC may know."""
    waiting_on = each.waiting_on
    if waiting_on is None or waiting_on.waits_for is None or each.state.has_ended:
        return NOBODY if each.state.has_ended else Ball("nobody", "paused" if waiting_on else "", None, "")
    party = waiting_on.waits_for.removeprefix("the ")
    people = waiting_on.people
    about = waiting_on.about if waiting_on.party is Party.BLOCKER and not hidden else ""
    since = min(calendar.day(waiting_on.since), today)
    asked = "" if hidden else asks(waiting_on)
    return Ball(people[0] if people else about or f"somebody for {party}", party, since, asked)


def asks(waiting_on: WaitingOn) -> str:
    """What is asked of whoever has the ball."""
    place = f" (#{waiting_on.number})" if waiting_on.number else ""
    return ASKED[waiting_on.wants].format(place=place, about=waiting_on.about.replace("_", " "))


def slips_of(each: PocSummary) -> str:
    """Which date of how many it is: `third date, +42 days`."""
    if each.ship_by is None:
        return ""
    if each.ship_dates <= 1 or each.first_ship_by is None:
        return "first date"
    return f"{ordinal(each.ship_dates)} date, {(each.ship_by - each.first_ship_by).days:+} days"


def missing_to_ship(each: PocSummary) -> str:
    """What is missing for shipping, as far as it can be said in a line."""
    waived = waived_of(each)
    if each.unsigned is not None:
        met = f"all met{' or waived' if waived else ''} on the ship request"
        missing = plural(len(each.unsigned), "signature")
        return f"{met}, {missing} missing" if each.unsigned else f"{met}, and signed: deploy it"
    if not each.thresholds:
        return "no threshold yet"
    return f"{each.met} of {each.thresholds} met{f', {waived} waived' if waived else ''}"


def waived_of(each: PocSummary) -> int:
    """How many of its thresholds may be missed for now."""
    return each.overview.waived if each.overview else 0


def late_by(each: PocSummary, today: date) -> str:
    """How late it is, in days of the calendar."""
    late = (today - each.ship_by).days if each.ship_by else 0
    return f"{plural(late, 'day')} late" if late > 0 else "no answer"


def decision(each: PocSummary) -> str:
    """What is to be decided, and why."""
    slips = slips_of(each)
    if each.rung >= EscalationStep.DECISION:
        why = "no answer to three reminders"
        return f"{why}, {slips}: ship, re-scope or stop?" if slips else f"{why}: ship, re-scope or stop?"
    return f"{slips}; ship, re-scope or stop?"


def state_words(state: State) -> str:
    """The state in words."""
    return "no charter" if state is State.NONE else state.value


def badge_of(found: Standing) -> tuple[str, str]:
    """What a badge says, and its colour."""
    says = state_words(found.state)
    if found.thresholds and not found.state.has_ended:
        says += f", {found.met} of {found.thresholds} met"
    match found.state:
        case State.SHIPPED:
            return says, "#1a7f37"
        case State.STOPPED:
            return says, "#59636e"
        case State.SHIPPING:
            return says, "#0969da"
        case State.NONE | State.PROPOSED | State.BUILDING | State.EVALUATING:
            return says, "#8250df"
        case _:
            assert_never(found.state)
