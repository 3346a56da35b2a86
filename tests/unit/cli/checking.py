"""The command `check`, run in this process."""

from __future__ import annotations

import io
from datetime import date

from service.cli.check import check

TODAY = date(2026, 11, 22)


def run(
    *paths: object,
    format: str = "text",  # noqa: A002 - as there
    today: date = TODAY,
    base: str | None = None,
) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    code = check([str(path) for path in paths], format=format, today=today, out=out, err=err, base=base)
    return code, out.getvalue(), err.getvalue()
