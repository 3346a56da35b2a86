"""What a reconciliation changed in its record is what the database holds once its notes are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.reconcile.context import Reconciliation
from service.reconcile.poc import Poc
from service.rules.values.github import Issue, IssueState
from service.services import Services
from tests.harness.charters import CHARTER, SIGNERS
from tests.harness.snapshots import Snapshots
from tests.harness.story import Story, sha
from tests.harness.world import HEAD, POC

DATE = "ship_by: 2027-02-26"


def is_signed_and_asked_to_ship(story: Story) -> None:
    story.found(signed=False)
    story.sign(*SIGNERS)
    story.ship_request()
    story.review("alice-k", "carol-s")
    story.dismiss("bob-m", story.review("bob-m"))
    story.pull(action="closed", state="closed")


def waits_for_an_issue(story: Story) -> None:
    story.found()
    story.repo.issues[12] = Issue(12, IssueState.OPEN, (), "", story.now, "")
    story.say("/poc snooze 30d waits for #12", number=1, on_pull=False)
    story.later(days=2)
    story.sweep()
    story.repo.issues[12] = replace(story.repo.issues[12], state=IssueState.CLOSED)
    story.later(days=2)
    story.sweep()


def pauses_and_moves_its_date(story: Story) -> None:
    story.found()
    story.land(sha("pause"), CHARTER.replace(DATE, f"{DATE}\npaused: until 2026-12-20 - freeze"))
    story.land(sha("later"), CHARTER.replace(DATE, "ship_by: 2027-03-26"))
    story.later(days=30)
    story.sweep()


def is_archived(story: Story) -> None:
    story.found()
    story.github.repos[POC.id].described = replace(
        POC, archived=True, updated_at=story.now + timedelta(days=1)
    )
    story.sweep()


@pytest.mark.parametrize(
    "happens",
    [is_signed_and_asked_to_ship, waits_for_an_issue, pauses_and_moves_its_date, is_archived],
    ids=lambda step: step.__name__,
)
def test_the_record_and_the_database_agree(
    snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch, happens: Callable[[Story], None]
) -> None:
    made: list[Poc] = []
    compared = 0
    begin, note = Poc.__init__, Services.note

    def begun(poc: Poc, *args: Any) -> None:
        begin(poc, *args)
        made.append(poc)

    def noted(services: Services, ctx: Reconciliation) -> None:
        nonlocal compared
        note(services, ctx)
        while made:
            poc = made.pop()
            compared += agrees(services, poc)

    monkeypatch.setattr(Poc, "__init__", begun)
    monkeypatch.setattr(Services, "note", noted)
    with snapshots.of(Story) as story:
        happens(story)
    assert compared >= 5


def agrees(services: Services, poc: Poc) -> bool:
    """Compare what both have; ids of rows, and what others changed meanwhile, are not among it."""
    stored = services.store.poc_records.find(poc.id, number=int(HEAD[:1]))
    assert stored is not None
    record = poc.record
    assert stored.poc_id == record.poc_id
    assert stored.known == record.known
    assert stored.standing == record.standing
    assert stored.open_numbers == record.open_numbers
    assert replace(stored.poc, **untold(record.poc)) == record.poc
    waiting = services.store.poc_records.waiting(record.poc_id, poc.id)
    for name in ("periods", "ship_dates", "pauses", "blockers", "acted"):
        assert getattr(waiting, name) == getattr(poc.waiting, name), name
    return True


def untold(poc: Any) -> dict[str, Any]:
    """What is only noted, and not read again by the same reconciliation."""
    names = ("bound", "environment", "proven_at", "unsigned", "history_read", "owner", "state_since")
    return {name: getattr(poc, name) for name in names}
