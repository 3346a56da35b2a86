"""When a write that notifies people may go out, so that GitHub's limits for content are never reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

APART = timedelta(seconds=1)
"""GitHub asks for that much between two writes."""
LIMITS = ((80, timedelta(minutes=1)), (500, timedelta(hours=1)))
"""How many content writes GitHub takes from an installation within any such time."""
MARGIN = timedelta(seconds=2)
"""How far a write may miss the moment that was planned: it is woken within a second, and takes a while."""

_Moment = tuple[datetime, timedelta]
"""A write and how far it may be off."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The pause between two writes, and how far one may miss its planned moment; tests shorten both."""

    apart: timedelta = APART
    margin: timedelta = MARGIN


USUAL_PACE = Pace()


def next_slot(
    taken: Sequence[datetime],
    now: datetime,
    planned: Sequence[datetime] = (),
    pace: Pace = USUAL_PACE,
) -> datetime:
    """The earliest moment from `now` on at which one more write keeps the limits.

    `taken` are the moments of writes that were made, `planned` those of writes to come: these are kept clear
    of by a margin.
    """
    exact, about = timedelta(), pace.margin
    moments = sorted([*((at, exact) for at in taken), *((at, about) for at in planned)])
    slot = now
    for begin, end in sorted(_forbidden(moments, pace.apart)):
        if begin >= slot:
            break
        slot = max(slot, end)
    return slot


def _forbidden(moments: Sequence[_Moment], apart: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """Between which moments one more write would break a limit; the ends themselves are allowed."""
    for at, off in moments:
        yield at - off - apart, at + off + apart
    for most, within in LIMITS:
        for (first, off_first), (last, off_last) in zip(moments, moments[most - 1 :], strict=False):
            earliest, latest = last - off_last, first + off_first
            if earliest - latest < within:
                yield earliest - within, latest + within
