"""The thresholds of two charters side by side: which line was which."""

from __future__ import annotations

from collections.abc import Sequence

from service.rules.charter.bounds import Bound, bound_of, side_of
from service.rules.charter.threshold import Threshold

Pair = tuple[Threshold | None, Threshold | None]


def pair(before: Sequence[Threshold], now: Sequence[Threshold]) -> list[Pair]:
    """Each threshold beside what it was: first those whose conditions agree, then those on one metric."""
    left, open_ = list(before), list(now)
    pairs: list[Pair] = []
    for alike in (alike_whole, alike_conditions, alike_side, alike_metric):
        for stands in tuple(open_):
            was = next((each for each in left if alike(bound_of(each), bound_of(stands))), None)
            if was is not None:
                pairs.append((was, stands))
                left.remove(was)
                open_.remove(stands)
    pairs += [(None, stands) for stands in open_]
    pairs += [(was, None) for was in left]
    return pairs


def alike_whole(one: Bound, other: Bound) -> bool:
    """The same threshold, unmoved."""
    return one == other


def alike_conditions(one: Bound, other: Bound) -> bool:
    """The same threshold by what makes one: the metric and what it is measured on, for and at."""
    return (one.metric, one.key, side_of(one)) == (other.metric, other.key, side_of(other))


def alike_side(one: Bound, other: Bound) -> bool:
    """One metric, bounded from one side, measured differently."""
    return (one.metric, side_of(one)) == (other.metric, side_of(other))


def alike_metric(one: Bound, other: Bound) -> bool:
    """One metric, bounded from another side."""
    return one.metric == other.metric and one.key == other.key
