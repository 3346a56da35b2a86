"""What stands in a charter as somebody wrote it; what explains a mistake is loaded where there is one.

To compile the patterns that tell what was meant takes longer than to judge a charter without a mistake.
"""

from __future__ import annotations

from functools import lru_cache

from service.rules.charter.quantity import Refusal
from service.rules.charter.threshold import MAX_CHARACTERS, Threshold, parse_threshold

TOO_LONG = f"A threshold fits in {MAX_CHARACTERS} characters: write metric, sign, number and unit"


@lru_cache(256)
def read_threshold(text: str, line: int = 1, column: int = 1) -> Threshold | Refusal:
    """A threshold, or a refusal that ends in what to write."""
    read = parse_threshold(text, line, column)
    if isinstance(read, Threshold):
        return read
    if len(text) > MAX_CHARACTERS:
        return Refusal(TOO_LONG)
    from service.rules.charter.suggestions import explained

    return explained(text, read)


def meant_load(text: str) -> str | None:
    """The load that was meant by `1,800,000 tickets/day` or `50 rps`."""
    from service.rules.charter.slips import load_of

    return load_of(text)
