"""The days of a POC by whom they went to: counted with the first look of a day, for the pages to add up."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from service.reconcile.context import Reconciliation
from service.reconcile.poc import Poc
from service.rules.stall.time_spent import LAST_DAYS, days_by_party, time_breakdown, totals
from service.rules.values.activity import merged_timeline


def count_days(ctx: Reconciliation, poc: Poc) -> None:
    """Count those of the last quarter, up to yesterday: today may still bring something."""
    calendar = ctx.policy.calendar
    today = calendar.day(ctx.now)
    if poc.record.poc.counted_on == today:
        return
    first = max(calendar.day(poc.known.began_at), today - timedelta(days=LAST_DAYS))
    # A little more: work on both sides of a gap makes the gap work too.
    since = datetime.combine(first - timedelta(days=7), time(), calendar.zone)
    spans = time_breakdown(
        poc.waiting.periods,
        [each.period for each in poc.waiting.pauses],
        merged_timeline(ctx.store.timeline.of(poc.id, since=since), poc.learned),
        first=first,
        last=today - timedelta(days=1),
        calendar=calendar,
    )
    poc.counted(days_by_party(totals(spans)), today)
