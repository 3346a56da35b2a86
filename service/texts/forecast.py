"""What the record of past turns says, in sentences."""

from __future__ import annotations

from service.rules.source.text import in_words
from service.rules.stall.forecast import Forecast, Outlook, Took
from service.texts.goalposts import NAMES
from service.texts.markdown import plural


def outlook_text(found: Outlook) -> str:
    """What a ship date leaves against what the signatures took so far; for the pull request and the page."""
    left = "no working day is left before the ship date"
    if found.left:
        left = f"the ship date leaves {plural(found.left, 'working day')}"
    advice = f": ask {NAMES[found.slowest]} now" if found.tight and found.slowest else ""
    return f"The signatures to start {took_text(found.took, 'round')}; {left}{advice}."


def outlook_on_pull_request(found: Outlook) -> str:
    """The same where a text stays: in days, not in counts of days, which would be others tomorrow."""
    ask = f"to have them by the ship date, {in_words(found.ship_by)}, ask by {in_words(found.ask_by)}"
    if found.tight:
        ask = (
            f"the last day to ask for the ship date, {in_words(found.ship_by)}, was {in_words(found.ask_by)}"
        )
    first = f": ask {NAMES[found.slowest]} first, because it takes longest" if found.slowest else ""
    return f"The signatures to start {took_text(found.took, 'round')}; {ask}{first}."


def took_text(took: Took, what: str) -> str:
    """`took 17 working days here, 80 % within 31 (9 rounds)`."""
    return (
        f"took {plural(took.median, 'working day')} here, 80 % within {took.most} "
        f"({plural(took.turns, what)} so far)"
    )


def record_lines(found: Forecast) -> tuple[tuple[str, Took, str], ...]:
    """Each thing that is waited for, what it took, and what the sample counts; empty without a record."""
    rounds = (("all signatures to start", found.start), ("all signatures to ship", found.ship))
    groups = ((NAMES[group], took, "signature") for group, took in found.groups.items())
    return (*((name, took, "round") for name, took in rounds if took), *groups)
