"""A signed repository that is no POC any more: its environment is held until it has stopped, or shipped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.harness.charters import CHARTER, PRODUCTION, SIGNERS, STAGING
from tests.harness.deliveries import described
from tests.harness.story import Story, sha
from tests.harness.world import BASE, HEAD, INSTALLATION, POC

STOP = CHARTER.replace("target:", "stopped: 2026-11-22 - no demand\ntarget:")


def becomes(**changes: Any) -> Callable[[Story], None]:
    """GitHub tells of a change of the repository itself."""

    def happens(story: Story) -> None:
        story.later(minutes=1)
        changed = replace(story.repo.described, updated_at=story.tick(), **changes)
        story.repo.described = changed
        story.deliver(
            "repository", action="edited", repository=described(changed), sender={"login": "erin-x"}
        )
        story.work()

    return happens


def governed(text: str) -> Callable[[Story], None]:
    """The organisation has another policy from now on."""

    def happens(story: Story) -> None:
        story.execute(
            "INSERT INTO policy (installation_id, repository_id, good_text, read_at) "
            "VALUES (:installation, 90, :text, :now)",
            installation=INSTALLATION,
            text=f"policy: 1\n{text}",
        )
        looked_at(story)

    return happens


def looked_at(story: Story) -> None:
    """Somebody marks the repository, as the sweep and a change of the policy do."""
    story.later(minutes=1)
    story.services.store.repositories.mark([POC.id])
    story.work()


def lands(text: str | None) -> Callable[[Story], None]:
    def happens(story: Story) -> None:
        story.land(sha("gone"), text, put={})

    return happens


LEFT = {
    "topic": becomes(topics=("not-a-poc",)),
    "fork": becomes(fork=True),
    "template": becomes(is_template=True),
    "excluded by name": governed('exclude:\n  names: ["poc-*"]\n'),
    "excluded by property": governed("exclude:\n  properties:\n    stage: [retired]\n"),
    "central repository": governed("central_repository: acme/poc-triage\n"),
    "not selected any more, and its charter is gone": governed("select: {}\n"),
}
GONE = {"file gone": lands(None), "undeclared": lands("# Triage\n")}


def held(story: Story, environment: str = PRODUCTION) -> str | None:
    """What a rejected deployment is told; None where it is approved."""
    answer = story.ask_to_deploy(BASE, environment)
    assert answer is not None
    return None if answer.approved else answer.comment


def told(story: Story) -> list[str]:
    return [issue.title for issue in story.repo.issues.values() if "stays held" in issue.title]


@pytest.mark.parametrize("way", [*LEFT, *GONE])
def test_an_environment_that_was_signed_for_stays_held(poc: Story, way: str) -> None:
    poc.land(HEAD)
    if "property" in way:
        poc.execute('UPDATE repository SET properties = \'{"stage": ["retired"]}\'')
    if "charter is gone" in way:
        lands(None)(poc)
    (LEFT | GONE)[way](poc)
    said = held(poc)
    assert said is not None
    assert ("a POC any more" in said) is (way in LEFT)
    assert held(poc, STAGING) is None
    looked_at(poc)
    [title] = told(poc)
    assert title.endswith("and support-prod stays held")
    body = next(issue.body for issue in poc.repo.issues.values() if issue.title == title)
    assert "@jane-doe (owner), @carol-s (product):" in body


def test_what_was_never_signed_is_free(story: Story) -> None:
    story.found(signed=False)
    LEFT["topic"](story)
    assert held(story) is None
    assert told(story) == []


def test_a_stop_that_product_signed_frees_it(poc: Story) -> None:
    poc.land(HEAD, STOP)
    poc.sign("carol-s")
    LEFT["topic"](poc)
    assert held(poc) is None
    assert told(poc) == []


@pytest.mark.parametrize(
    "signer", [None, "bob-m", "new-2"], ids=["nobody", "platform", "whom the stop names"]
)
def test_a_stop_that_product_did_not_sign_frees_nothing(poc: Story, signer: str | None) -> None:
    poc.land(HEAD, STOP.replace("carol-s", "new-2"))
    if signer:
        poc.sign(signer)
    LEFT["topic"](poc)
    assert held(poc) is not None


def test_what_has_shipped_is_free(poc: Story) -> None:
    poc.commit(HEAD)
    poc.ship_request()
    poc.review(*SIGNERS)
    poc.deployed(HEAD)
    LEFT["topic"](poc)
    assert held(poc) is None
    assert told(poc) == []


def test_a_poc_again_is_judged_by_its_charter_again(poc: Story) -> None:
    poc.land(HEAD)
    LEFT["topic"](poc)
    becomes(topics=())(poc)
    assert "/poc ship" in str(held(poc))
    poc.later(days=1)
    LEFT["topic"](poc)
    assert "a POC any more" in str(held(poc))
    assert len(told(poc)) == 2


def test_another_owners_installation_takes_the_hold_over(poc: Story) -> None:
    poc.land(HEAD)
    poc.execute("INSERT INTO installation (id, account, permissions) SELECT 77, 'globex', permissions "
                "FROM installation")  # fmt: skip
    poc.app.githubs[77] = poc.github
    poc.app.installations[77] = replace(poc.app.installations[INSTALLATION], id=77, account="globex")
    moved = replace(POC, full_name="globex/triage", topics=("not-a-poc",), updated_at=poc.tick())
    poc.repo.described = moved
    poc.deliver(
        "repository",
        action="transferred",
        repository=described(moved),
        installation={"id": 77},
        sender={"login": "x"},
    )
    poc.work()
    assert "a POC any more" in str(held(poc))
