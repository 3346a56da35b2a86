"""What GitHub leads a browser back with: the code, and the state by which we know that we sent it there."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

GOOD_FOR = timedelta(hours=1)
"""GitHub's own limit for the three steps from the form to the exchange of the code."""


class ReturnError(Exception):
    """What came back is not what was waited for; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Pending:
    """One registration that was begun."""

    state: str
    begun_at: datetime


def code_of(pending: Pending | None, returned: Mapping[str, str], now: datetime) -> str:
    """The code to exchange; raises `ReturnError` where the state is not that of a registration under way."""
    state, code = returned.get("state", ""), returned.get("code", "")
    if not state or not code:
        raise ReturnError("This address has no code and state: paste all of it, with everything after `?`.")
    if pending is None:
        raise ReturnError("This registration is over: each state works only once. Start again.")
    if not hmac.compare_digest(state.encode(), pending.state.encode()):
        raise ReturnError("The state isn't the one that we sent to GitHub. Start again.")
    if now - pending.begun_at >= GOOD_FOR:
        raise ReturnError("This registration was started more than an hour ago. Start again.")
    return code


def parameters_of(address: str) -> dict[str, str]:
    """What stands behind the `?` of an address that was pasted."""
    return dict(parse_qsl(urlsplit(address.strip()).query))
