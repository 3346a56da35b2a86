"""Authentication: in scope from the first day."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.wording import shown

NONE = re.compile(
    r"(none|no|not|off|n/?a|nil|false|later|disabled|anonymous|without|-+)\b.*|open|-+", re.IGNORECASE
)


def find(sheet: Sheet) -> Iterator[Complaint]:
    """No authentication, or one that comes later."""
    auth = sheet.text("target", "auth")
    if auth and NONE.fullmatch(auth.value.strip()):
        message = f"{shown(auth.value)} is no sign-in: write the one production has, like `okta-oidc`"
        yield Complaint(message, auth)


CHECK = Check(
    "target-auth",
    "The target has authentication.",
    find,
    why="Sign-in is what most demos leave out, and what production cannot do without.",
    examples=(Example("auth: none for now", "auth: okta-oidc", "target"),),
)
