"""`doctor` about the weekly digest: a central repository that takes none, a Slack that refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from service.cli.doctor import Line, Mark, _inside
from service.config.settings import Settings, load
from service.rules.digest.edition import Channel, ComposedDigest, DigestPlace
from service.rules.values.github import Installation
from service.store.database import Database
from service.store.store import Store
from tests.harness.github import NOW, PERMISSIONS, repository
from tests.harness.settings import NEEDED

CENTRAL = repository(91, full_name="acme/portfolio")
POLICY = "policy: 1\ncentral_repository: Acme/Portfolio\n"
HOOK = "https://hooks.slack.acme.dev/services/T/B/secret"
NO_SERVICE = "Slack says 404, no_service: set SLACK_WEBHOOK_URL to another address"
LOCKED = "GitHub says 403, Unable to create comment because issue is locked."
AT_CENTRAL = DigestPlace(Channel.CENTRAL, CENTRAL.id, "digest:2026-W48", public=False)
AT_SLACK = DigestPlace(Channel.SLACK, 0, "slack:7:2026-W48", public=False)


@pytest.fixture
def records(engine: Engine) -> Store:
    made = Store(Database(engine))
    made.installations.remember(Installation(7, "acme", dict(PERMISSIONS)))
    made.policies.keep(7, 90, "9f1c2b4", POLICY, (), at=NOW)
    return made


def settings(slack: str = HOOK) -> Settings:
    return load(NEEDED | {"SLACK_WEBHOOK_URL": slack})


def said(engine: Engine, found: Settings) -> list[Line]:
    return [line for line in _inside(engine, found) if line.what.startswith(("digest", "Slack"))]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param(
            None,
            "doesn't exist, or isn't covered by the installation: add it there, or fix poc-policy.yml",
            id="not covered",
        ),
        pytest.param(
            {"archived": True},
            "is archived: unarchive it, or name another in poc-policy.yml",
            id="archived",
        ),
        pytest.param(
            {"has_issues": False},
            "has issues disabled: enable them in its settings, or name another in poc-policy.yml",
            id="no issues",
        ),
        pytest.param({}, None, id="all is well"),
    ],
)
def test_the_central_repository(
    engine: Engine, records: Store, changes: dict[str, Any] | None, says: str | None
) -> None:
    if changes is not None:
        records.repositories.listed(7, [replace(CENTRAL, **changes)])
    named = "Acme/Portfolio, `central_repository` of acme's poc-policy.yml,"
    expected = [Line(Mark.WRONG, "digest of installation 7", f"{named} {says}")] if says else []
    assert said(engine, settings()) == expected


def test_a_repository_of_another_installation_does_not_count(engine: Engine, records: Store) -> None:
    records.repositories.listed(8, [CENTRAL])
    (line,) = said(engine, settings())
    assert "isn't covered" in line.says


def test_slack_that_refuses_is_named_by_its_setting_and_not_by_its_address(
    engine: Engine, records: Store
) -> None:
    _refused(records, AT_SLACK, NO_SERVICE)
    records.repositories.listed(7, [CENTRAL])
    says = f"the digest of 2026-W48 for acme wasn't sent. {NO_SERVICE}"
    assert said(engine, settings()) == [Line(Mark.WRONG, "Slack", says)]
    assert said(engine, settings(slack="")) == []


def test_an_issue_that_is_locked(engine: Engine, records: Store) -> None:
    _refused(records, AT_CENTRAL, LOCKED)
    records.repositories.listed(7, [CENTRAL])
    says = (
        f"the digest of 2026-W48 wasn't written in acme/portfolio ({LOCKED}): "
        "unlock its issue (label `poc-digest`), or delete it, and the next digest opens another"
    )
    assert said(engine, settings()) == [Line(Mark.WRONG, "digest of installation 7", says)]


@pytest.mark.parametrize("place", [AT_CENTRAL, AT_SLACK], ids=["central", "Slack"])
def test_a_digest_that_came_through_after_all_is_no_matter_any_more(
    engine: Engine, records: Store, place: DigestPlace
) -> None:
    records.repositories.listed(7, [CENTRAL])
    _refused(records, place, "no")
    later = replace(place, key=place.key.replace("W48", "W49"))
    records.digests.keep(7, ComposedDigest("2026-W49", later, NOW + timedelta(days=7), "text"))
    assert said(engine, settings()) == []
    _refused(records, later, "no", week="2026-W49")
    assert len(said(engine, settings())) == 1
    records.messages.begin(*later.message)
    records.messages.said(*later.message, 1, 99)
    assert said(engine, settings()) == []


def _refused(records: Store, place: DigestPlace, reason: str, *, week: str = "2026-W48") -> None:
    at = NOW if week == "2026-W48" else NOW + timedelta(days=7)
    records.digests.keep(7, ComposedDigest(week, place, at, "text"))
    records.messages.begin(*place.message)
    records.messages.refused(*place.message, reason)
