"""The time zone of the dates on a page: `?tz=`, kept in a cookie; else each organisation's own."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from starlette.requests import Request
from starlette.responses import Response

from service.pages.asked import AskedError

NAME = "tz"
A_YEAR = 365 * 24 * 3600


@cache
def zones() -> set[str]:
    """All that are known here; they are read from many files."""
    return available_timezones()


def zone_of(request: Request) -> ZoneInfo | None:
    """The zone that was asked for, now or before; None for the organisation's. Raises `AskedError`."""
    asked = request.query_params.get(NAME)
    if asked is not None and asked and asked not in zones():
        raise AskedError(
            "`tz` is a time zone such as `Europe/Berlin` or `UTC`; empty, it is the organisation's."
        )
    wanted = request.cookies.get(NAME, "") if asked is None else asked
    return ZoneInfo(wanted) if wanted in zones() else None


def keep(request: Request, answer: Response) -> Response:
    """The answer, with what was asked for in its cookie."""
    asked = request.query_params.get(NAME)
    if asked is not None:
        age, secure = A_YEAR if asked else 0, request.url.scheme == "https"
        answer.set_cookie(NAME, asked, max_age=age, secure=secure, httponly=True, samesite="lax")
    return answer
