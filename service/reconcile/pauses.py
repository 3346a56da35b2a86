"""The pause of a charter: what of it counts, by who signed it and what came before."""

from __future__ import annotations

from datetime import date

from service.reconcile.commit_verdict import agreement_of
from service.reconcile.context import Reconciliation
from service.reconcile.poc import Poc
from service.rules.charter.model import Charter
from service.rules.gate.agreement import holders_of, pause_signed
from service.rules.stall.pauses import PresentPause, unsigned_part
from service.rules.stall.waiting_on import PausePeriod
from service.rules.values.groups import Group
from service.store.waiting import PAUSE

SIGNED, IN_PART = ":signed", ":in-part"
"""How the source of a pause ends that product signed, or of which only the first days count."""


def present_pause(
    ctx: Reconciliation, poc: Poc, charter: Charter, blob_sha: str | None, first: date
) -> PresentPause | None:
    """What counts of the pause that a charter asks for, from the day of that charter."""
    if charter.paused is None:
        return None
    asked, before = charter.paused.value, agreement_of(ctx, poc, charter)
    period = PausePeriod(min(first, asked.until), asked.until, asked.reason)
    source, product = f"{PAUSE}{blob_sha or ''}", holders_of(before, charter)[Group.PRODUCT]
    if pause_signed(before, charter, poc.record.standing, ctx.policy):
        return PresentPause(period, source + SIGNED, product)
    earlier = [
        each.period
        for each in poc.waiting.pauses
        if not each.source.startswith(source) and not each.source.endswith(SIGNED)
    ]
    part = unsigned_part(period, earlier)
    return PresentPause(part, source if part == period else source + IN_PART, product)
