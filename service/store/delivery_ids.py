"""Ids of deliveries as 16 bytes: what GitHub sends are UUIDs of version 1."""

from __future__ import annotations

import hashlib
import re

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OF_A_TIME = "1"
"""The version of UUIDs that begin with the lowest digits of a time."""


def stored_id(given: str) -> str:
    """The UUID that stands for an id: in the order of its time, so that an index grows at its end.

    The time's digits of version 1 are reordered as in version 6 (RFC 9562). What isn't a UUID, which GitHub
    doesn't send, is stored as the beginning of its SHA-256.
    """
    if not GUID.fullmatch(given):
        digits = hashlib.sha256(given.encode()).hexdigest()
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))
    if given[14] != OF_A_TIME:
        return given
    time = given[15:18] + given[9:13] + given[:8]
    return f"{time[:8]}-{time[8:12]}-6{time[12:]}{given[18:]}"
