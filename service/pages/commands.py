"""The commands that the page of a POC shows to copy: they are right for this POC on this day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from service.pages.poc_parts import Bullet
from service.rules.charter.line_keys import key_of
from service.rules.charter.model import Charter
from service.rules.commands.arguments import USUAL_EXTENSION, usual_extension
from service.rules.values.calendar import Calendar

Shown = tuple[str, str]
"""A command, and what it does."""
RECHECK = ("/poc recheck", "check everything again")


def commands_of(
    charter: Charter, bullets: Sequence[Bullet], calendar: Calendar, today: date, *, ended: bool
) -> Iterator[Shown]:
    """Those that are of use now."""
    if not ended:
        yield "/poc sign", "sign the charter that is on the default branch"
        yield "/poc ship", "ask to ship, on the pull request that ships it"
        yield "/poc snooze 14d waiting for the data contract", "remind nobody for two weeks"
        planned = usual_extension(charter.ship_by.value if charter.ship_by else None, today)
        extended = calendar.working_day_from(planned)
        yield f"/poc extend {extended} the load test moved", "get the charter's line for another ship date"
        if key := _to_waive(charter, bullets):
            until = today + USUAL_EXTENSION
            yield (
                f"/poc waive {key} until {until} it comes later",
                "get the charter's line to ship without it",
            )
        yield "/poc stop the baseline was good enough", "get the charter's line to stop it on purpose"
    yield RECHECK


def _to_waive(charter: Charter, bullets: Sequence[Bullet]) -> str:
    """How the first line of `done` that isn't met is named, or else the first."""
    unmet = {each.judged.metric for each in bullets if not each.judged.met}
    lines = sorted(charter.done, key=lambda line: line.metric not in unmet)
    return key_of(lines[0], charter.done) if lines else ""
