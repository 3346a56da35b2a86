"""The rows of the portfolio and one POC, for machines: JSON and CSV."""

from __future__ import annotations

import csv
import io
from datetime import date

from starlette.responses import Response

from service.pages.poc import PocView
from service.pages.poc_parts import Bullet, Signer
from service.pages.portfolio import PortfolioView, Row
from service.web.html import PRIVATE

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would run."""


def portfolio_document(view: PortfolioView) -> dict[str, object]:
    """A page of the portfolio."""
    return {
        "as_of": view.now.isoformat(timespec="seconds"),
        "found": view.found,
        "page": view.asked.page,
        "size": view.asked.size,
        "pocs": [_record(row) for row in view.rows],
    }


def _record(row: Row) -> dict[str, object]:
    return {
        "repository": row.full_name,
        "owner": row.owner,
        "state": row.state,
        "has_the_ball": row.ball.who,
        "party": row.ball.party,
        "since": _day(row.ball.since),
        "ship_by": _day(row.ship_by),
        "slips": row.slips,
        "met": row.met,
        "thresholds": row.thresholds,
        "ended": _day(row.ended),
        "stop_class": row.stop_cause or None,
        "reason": row.reason,
        "calendar": row.strip.says,
    }


def portfolio_csv(view: PortfolioView) -> Response:
    """The same for a spreadsheet."""
    out = io.StringIO()
    rows = [_record(row) for row in view.rows]
    names = list(rows[0]) if rows else ["repository"]
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    headers = PRIVATE | {"Content-Disposition": 'attachment; filename="portfolio.csv"'}
    return Response(out.getvalue(), media_type="text/csv", headers=headers)


def _cell(value: object) -> object:
    said = "" if value is None else str(value)
    return f"'{said}" if said.startswith(FORMULA) else said


def poc_document(view: PocView) -> dict[str, object]:
    """One POC as its page shows it."""
    return {
        "as_of": view.now.isoformat(timespec="seconds"),
        "repository": view.full_name,
        "title": view.title,
        "owner": view.owner or None,
        "state": view.state,
        "state_since": _day(view.since),
        "has_the_ball": view.ball.who,
        "party": view.ball.party,
        "since": _day(view.ball.since),
        "asked": view.ball.asked,
        "next": {"text": view.action.text, "url": view.action.href} if view.action else None,
        "ship_by": _day(view.ship_by),
        "slips": view.slips,
        "paused": view.paused or None,
        "stopped": view.stopped or None,
        "met": view.met,
        "thresholds": [_threshold(each) for each in view.bullets],
        "signatures": [_signatures(each) for each in view.signers],
        "approvals_that_do_not_count": [
            {"login": each.login, "at": each.at.isoformat(), "pull_request": each.number, "why": each.why}
            for each in view.uncounted
        ],
        "infra": [{"name": each.name, "status": each.status, "text": each.text} for each in view.infra],
        "checks": [
            {
                "name": each.posted.name,
                "conclusion": each.posted.conclusion,
                "title": each.posted.title,
                "where": each.where,
                "url": each.href,
            }
            for each in view.checks
        ],
        "findings": [
            {"code": code, "message": message, "line": line, "severity": severity}
            for code, message, line, severity in view.findings
        ],
        "rules": [{"rule": each.rule, "value": each.value, "from": each.source} for each in view.facts],
        "calendar": view.strip.says,
        "stall_issue": view.issue or None,
    }


def _threshold(bullet: Bullet) -> dict[str, object]:
    judged = bullet.judged
    return {
        "metric": judged.metric,
        "bound": judged.bound,
        "conditions": judged.conditions,
        "measured": judged.measured,
        "verdict": judged.verdict,
        "status": judged.status,
        "met": judged.met,
        "level": judged.level,
        "measured_at": judged.at,
    }


def _signatures(signer: Signer) -> dict[str, object]:
    given = {"start": signer.start, "ship": signer.ship}
    return {"group": signer.group, "login": signer.login} | {
        name: {"login": each.login, "at": each.at.isoformat(), "pull_request": each.number} if each else None
        for name, each in given.items()
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
