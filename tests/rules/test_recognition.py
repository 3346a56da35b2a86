"""Is this repository a POC? Design section 4 as a table."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from service.rules.facts import Repository
from service.rules.poc import KnownRepository
from service.rules.recognition import exclusion, poc_reason
from tests.fakes import NOW, repository


@pytest.mark.parametrize(
    ("found", "declares", "expected"),
    [
        pytest.param(repository(full_name="acme/x", topics=["poc"]), False, "topic `poc`", id="topic poc"),
        pytest.param(
            repository(full_name="acme/x", topics=["ml", "proof-of-concept"]),
            False,
            "topic `proof-of-concept`",
            id="topic proof-of-concept",
        ),
        pytest.param(repository(full_name="acme/poc-x"), False, "its name, `poc-x`", id="a name poc-*"),
        pytest.param(
            repository(full_name="acme/X-POC"), False, "its name, `X-POC`", id="a name *-poc, in any case"
        ),
        pytest.param(
            repository(full_name="acme/x"), True, "its `POC.md`", id="a POC.md that declares itself"
        ),
        pytest.param(repository(full_name="acme/x"), False, None, id="nothing speaks for it"),
        pytest.param(repository(full_name="acme/pocket"), False, None, id="a name that only begins like one"),
        pytest.param(repository(full_name="poc-acme/x"), False, None, id="the owner's name does not count"),
        pytest.param(repository(full_name="acme/epoc"), False, None, id="a name that only ends like one"),
        pytest.param(repository(topics=["poc", "not-a-poc"]), True, None, id="opted out by topic"),
        pytest.param(repository(archived=True), True, None, id="archived"),
        pytest.param(repository(fork=True), True, None, id="a fork"),
        pytest.param(repository(is_template=True), True, None, id="a template"),
        pytest.param(
            repository(full_name="acme/.github", topics=["poc"]), True, None, id="the .github repository"
        ),
    ],
)
def test_what_makes_a_poc(found: Repository, declares: bool, expected: str | None) -> None:
    assert poc_reason(found, declares_charter=declares) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(repository(), None, id="an ordinary one"),
        pytest.param(repository(archived=True), "archived", id="archived"),
        pytest.param(repository(fork=True), "a fork", id="a fork"),
        pytest.param(repository(is_template=True), "a template", id="a template"),
        pytest.param(
            repository(full_name="acme/.github"),
            "the organization's .github repository",
            id="the .github one",
        ),
        pytest.param(repository(topics=["not-a-poc"]), "topic not-a-poc", id="opted out"),
    ],
)
def test_what_is_never_one(found: Repository, expected: str | None) -> None:
    assert exclusion(found) == expected


def known(pushed_at: datetime | None, first_pushed_at: datetime | None) -> KnownRepository:
    return KnownRepository(
        installation_id=7,
        repository=repository(pushed_at=pushed_at),
        described=True,
        removed=False,
        reread=False,
        first_seen_at=NOW,
        first_pushed_at=first_pushed_at,
        poc_reason="topic `poc`",
        registered_at=NOW,
        charter=None,
        chartered_at=None,
        charter_changed_at=None,
    )


LONG_AGO, LATELY = NOW - timedelta(days=91), NOW - timedelta(days=89)


@pytest.mark.parametrize(
    ("pushed_at", "first_pushed_at", "dormant"),
    [
        pytest.param(LONG_AGO, LONG_AGO, True, id="no push in the 90 days before we first saw it"),
        pytest.param(LATELY, LATELY, False, id="a push in those 90 days"),
        pytest.param(NOW, LONG_AGO, False, id="woken by a push since"),
        pytest.param(None, None, True, id="never pushed to"),
    ],
)
def test_dormant(pushed_at: datetime | None, first_pushed_at: datetime | None, dormant: bool) -> None:
    assert known(pushed_at, first_pushed_at).dormant is dormant
