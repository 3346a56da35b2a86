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
    strict: bool = False,
) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    asked = [str(path) for path in paths]
    code = check(asked, format=format, today=today, out=out, err=err, base=base, strict=strict)
    return code, out.getvalue(), err.getvalue()
