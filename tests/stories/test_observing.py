"""From observing to enforcing: a new installation, its policy, an operator; and what is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from service.cli.modes import UnknownAccountError, modes, switch
from service.rules.policy.model import Mode
from service.store.database import transaction
from service.store.litter import KEPT
from tests.harness.charters import GOOD
from tests.harness.github import NOW
from tests.harness.org import HOME, Org
from tests.harness.snapshots import Snapshots
from tests.harness.world import BASE, INSTALLATION, POC, World, charter_runs

SINCE = "POC Governor is observing since 23 November 2026: this check holds nothing up."


def begun(made: Org) -> None:
    """A service without `MODE`, newly installed on an organisation with a POC and without a policy."""
    made.services = replace(made.services, mode=None)
    made.github.add(POC).write(None, "main", BASE)
    made.github.add(HOME)
    made.write_policy(None)
    made.install(POC, HOME)


@pytest.fixture
def org(snapshots: Snapshots) -> Iterator[Org]:
    with snapshots.of(Org, begun) as made:
        made.services = replace(made.services, mode=None)
        yield made


def said(world: World) -> list[tuple[str, bool]]:
    """The conclusion of each check on the POC, and whether it says since when it observes."""
    runs = charter_runs(world.github.repos[POC.id])
    return [(str(run.output.conclusion), SINCE in run.output.summary) for run in runs]


def test_a_new_installation_observes_until_its_policy_says(org: Org) -> None:
    org.pull_request()
    assert said(org) == [("neutral", True)]
    org.now += timedelta(days=3)
    org.sweep()
    assert len(said(org)) == 1
    org.push_policy("policy: 1\nenvironments: [support-prod]\n")
    assert len(said(org)) == 1
    org.push_policy("policy: 1\nmode: enforce\n")
    assert said(org)[-1] == ("action_required", False)
    org.push_policy("policy: 1\nmode: enforce\nobserve:\n  names: [poc-triage]\n")
    assert said(org)[-1] == ("neutral", False)


def test_an_installation_that_was_there_before_goes_on_enforcing(org: Org) -> None:
    with transaction(org.services.engine) as session:
        session.connection().execute(text("UPDATE installation SET begins_observing = false"))
    org.pull_request()
    assert said(org) == [("action_required", False)]


@pytest.mark.parametrize(
    ("mode", "conclusion"), [(Mode.ENFORCE, "action_required"), (Mode.OBSERVE, "neutral")]
)
def test_the_setting_is_the_default_where_the_policy_is_silent(org: Org, mode: Mode, conclusion: str) -> None:
    org.services = replace(org.services, mode=mode)
    org.pull_request()
    assert said(org)[0][0] == conclusion


def test_an_operator_switches_a_whole_organisation(org: Org) -> None:
    org.push_policy("policy: 1\nmode: enforce\n")
    org.pull_request()
    for mode, conclusion in ((Mode.OBSERVE, "neutral"), (Mode.ENFORCE, "action_required"), (None, None)):
        assert "ACME" in switch(org.services.engine, "ACME", mode)
        org.work()
        assert said(org)[-1][0] == (conclusion or "action_required")
    with pytest.raises(UnknownAccountError, match="globex has no installation here"):
        switch(org.services.engine, "globex", Mode.OBSERVE)


def test_doctor_says_what_holds_and_asks_for_a_decision(org: Org) -> None:
    org.pull_request()
    [held] = modes(org.services.engine, None, org.now)
    assert (held.account, held.due) == ("acme", False)
    assert held.says == (
        "observing since 23 November 2026; that's how an installation starts. Nothing is held up"
    )
    org.push_policy("policy: 1\nmode: enforce\nobserve:\n  rules: [done-sample]\n  until: 2026-11-20\n")
    [held] = modes(org.services.engine, None, org.now)
    assert held.due
    assert held.says == (
        "enforcing; its policy says so. `observe.until: 2026-11-20` of its policy has passed, and changes "
        "nothing by itself: decide there"
    )


def rows(world: World) -> int:
    kept = ("alembic_version", "procrastinate", "write_slot", "used_token", "refused")
    return sum(len(found) for name, found in world.tables().items() if not name.startswith(kept))


def test_what_an_installation_leaves_behind_is_kept_for_thirty_days(org: Org) -> None:
    org.github.repos[POC.id].write(GOOD, "main", BASE)
    org.push("POC.md")
    org.pull_request()
    whole = {"id": INSTALLATION, "account": {"login": "acme", "type": "Organization"}, "permissions": {}}
    org.deliver("installation", action="deleted", installation=whole, repositories=[])
    org.work()
    purge = org.services.store.purge
    with transaction(org.services.engine) as session:
        session.connection().execute(text("UPDATE installation SET deleted_at = :at"), {"at": NOW})
    before = rows(org)
    assert purge.portion(NOW + KEPT - timedelta(minutes=1)) == 0
    assert rows(org) == before
    assert purge.portion(NOW + KEPT + timedelta(minutes=1)) == 2
    assert purge.portion(NOW + KEPT + timedelta(minutes=1)) == 0
    left = {name: found for name, found in org.tables().items() if found}
    assert not any("acme" in row or "poc-triage" in row for found in left.values() for row in found)
    assert set(left) <= {"alembic_version", "subject", "fact"} | {n for n in left if "procrastinate" in n}
