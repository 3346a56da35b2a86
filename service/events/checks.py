"""Both check runs of one commit."""

from __future__ import annotations

from service.events.charter_check import check_charter
from service.events.context import Decision, Look
from service.events.gate_check import check_gate
from service.events.measuring import measure
from service.events.weighing import Weighed
from service.rules.poc import KnownRepository


def check_both(look: Look, known: KnownRepository, weighed: Weighed, number: int | None = None) -> Decision:
    """Bring both to what they should say; `number` is the pull request's, if the commit is one's head."""
    charter = weighed.charter
    results = measure(look, known, charter, weighed.head_sha).results if charter else ()
    decisions = (
        check_charter(look, known, weighed, results),
        check_gate(look, known, weighed, results, number),
    )
    return Decision(
        "; ".join(decision.outcome for decision in decisions),
        tuple(action for decision in decisions for action in decision.actions),
        known.installation_id,
    )
