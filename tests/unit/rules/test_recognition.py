"""Is this repository a POC? As a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.policy.model import Policy, Selector
from service.rules.policy.recognition import KnownRepository, exclusion, matches, poc_reason
from service.rules.values.github import Repository
from tests.harness.github import NOW, repository


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


AI = Policy(
    select=Selector(frozenset({"ai"}), ("demo-?", "*-Pilot"), {"Stage": frozenset({"poc", "Pilot"})}),
    exclude=Selector(frozenset({"done"}), ("sandbox-*",), {"stage": frozenset({"retired"})}),
    central_repository="Acme/portfolio",
)


def staged(*values: str, full_name: str = "acme/x") -> Repository:
    return replace(repository(full_name=full_name), properties={"stage": values})


@pytest.mark.parametrize(
    ("found", "declares", "expected"),
    [
        pytest.param(repository(full_name="acme/x", topics=["ai"]), False, "topic `ai`", id="a topic"),
        pytest.param(
            repository(full_name="acme/x", topics=["poc"]), False, None, id="no topic of the policy"
        ),
        pytest.param(repository(full_name="acme/poc-x"), False, None, id="no name of the policy"),
        pytest.param(repository(full_name="acme/Demo-1"), False, "its name, `Demo-1`", id="a glob, any case"),
        pytest.param(repository(full_name="acme/demo-12"), False, None, id="a question mark is one sign"),
        pytest.param(repository(full_name="acme/big-pilot"), False, "its name, `big-pilot`", id="a star"),
        pytest.param(repository(full_name="acme/big-pilots"), False, None, id="the whole name counts"),
        pytest.param(staged("pilot"), False, "property `stage`, `pilot`", id="a property, any case"),
        pytest.param(staged("idea", "poc"), False, "property `stage`, `poc`", id="one of several values"),
        pytest.param(staged("idea"), False, None, id="another value"),
        pytest.param(staged(), False, None, id="a property without a value"),
        pytest.param(repository(full_name="acme/x"), False, None, id="properties that nobody told"),
        pytest.param(repository(full_name="acme/x"), True, "its `POC.md`", id="a charter that is declared"),
        pytest.param(repository(full_name="acme/x", topics=["ai", "done"]), True, None, id="excluded topic"),
        pytest.param(repository(full_name="acme/sandbox-1"), True, None, id="excluded name"),
        pytest.param(staged("poc", "retired"), True, None, id="excluded property"),
        pytest.param(repository(full_name="acme/x", topics=["ai", "not-a-poc"]), True, None, id="opted out"),
        pytest.param(repository(full_name="acme/portfolio"), True, None, id="the central repository"),
        pytest.param(repository(full_name="acme/demo-1", fork=True), True, None, id="a fork"),
        pytest.param(repository(full_name="acme/.github", topics=["ai"]), True, None, id="the .github one"),
    ],
)
def test_what_makes_a_poc_by_a_policy(found: Repository, declares: bool, expected: str | None) -> None:
    assert poc_reason(found, declares_charter=declares, policy=AI) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(
            repository(full_name="acme/x", topics=["done"]),
            "excluded by the policy: topic `done`",
            id="topic",
        ),
        pytest.param(
            repository(full_name="acme/Sandbox-x"),
            "excluded by the policy: its name, `Sandbox-x`",
            id="name",
        ),
        pytest.param(staged("retired"), "excluded by the policy: property `stage`, `retired`", id="property"),
        pytest.param(
            repository(full_name="acme/portfolio"), "the policy's central repository", id="the central one"
        ),
        pytest.param(repository(full_name="acme/x", topics=["ai"]), None, id="nothing"),
    ],
)
def test_what_a_policy_excludes(found: Repository, expected: str | None) -> None:
    assert exclusion(found, AI) == expected


def test_a_reason_shows_a_strangers_words_as_code() -> None:
    nasty = "x` @dan-w <img>\n"
    policy = Policy(select=Selector(properties={"stage": frozenset({nasty})}))
    reason = poc_reason(staged(nasty), declares_charter=False, policy=policy)
    assert reason == "property `stage`, `x' @dan-w <img>`"


def by_definition(glob: str, name: str) -> bool:
    """What a glob fits, by its definition, sign by sign."""
    if not glob:
        return not name
    if glob[0] == "*":
        return any(by_definition(glob[1:], name[at:]) for at in range(len(name) + 1))
    return bool(name) and glob[0] in ("?", name[0]) and by_definition(glob[1:], name[1:])


@given(st.text("ab*?.", max_size=8), st.text("ab.", max_size=8))
def test_a_glob_fits_what_it_says(glob: str, name: str) -> None:
    assert matches(glob, name) is by_definition(glob, name)


def test_a_glob_that_is_meant_to_hurt_does_not() -> None:
    assert not matches("*a" * 50, "a" * 99 + "b")


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
