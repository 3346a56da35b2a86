"""Which line of `evidence` speaks for which threshold."""

from __future__ import annotations

from collections.abc import Sequence

from service.rules.charter.model import Evidence
from service.rules.charter.threshold import Threshold


def line_for(threshold: Threshold, lines: Sequence[Evidence]) -> Evidence | None:
    """The line of `evidence` that finds a threshold's number: the one that names it outright, or else the
    one whose key it answers to.
    """
    named = [line for line in lines if line.key.names(threshold)]
    answering = [line for line in lines if line.key.answers(threshold)]
    return next(iter((*named, *answering)), None)
