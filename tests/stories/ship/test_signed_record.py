"""The record lists what was signed where it counts; to ship, that is where the owner had asked to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from service.pages.record import record_of
from service.store.database import Database
from service.store.records import Records
from service.texts.record import Entry, EntryKind
from tests.harness.charters import CHARTER, OWNER
from tests.harness.story import Story, sha
from tests.harness.world import HEAD, POC

NEXT = sha("next")


def entries(story: Story, *kinds: EntryKind) -> list[Entry]:
    records = Records(Database(story.services.engine))
    poc_id = records.named(POC.full_name)
    assert poc_id is not None
    return [each for each in record_of(records.of(poc_id), story.now).entries if each.kind in kinds]


def to_ship(story: Story) -> list[str]:
    """Who signed to ship, and on which pull request."""
    told = entries(story, EntryKind.SIGNATURE, EntryKind.WITHDRAWN)
    return [
        f"{each.kind.value} {each.by} #{each.data['number']}" for each in told if each.data["round"] == "ship"
    ]


def nothing(poc: Story) -> None:
    poc.pull()


def asked(poc: Story) -> None:
    poc.ship_request()


def asked_by_another(poc: Story) -> None:
    poc.pull()
    poc.say("/poc ship", "alice-k")


def asked_elsewhere(poc: Story) -> None:
    poc.pull()
    poc.ship_request(poc.commit(NEXT), number=6)


def asked_here_and_then_elsewhere(poc: Story) -> None:
    poc.ship_request()
    poc.ship_request(poc.commit(NEXT), number=6)


def asked_here_elsewhere_and_here(poc: Story) -> None:
    asked_here_and_then_elsewhere(poc)
    poc.say("/poc ship")


def other_command(poc: Story) -> None:
    poc.pull()
    poc.say("/poc recheck\n/poc snooze 3d money")


@pytest.mark.parametrize(
    ("before", "counts"),
    [
        (nothing, False),
        (asked, True),
        (asked_by_another, False),
        (asked_elsewhere, False),
        (asked_here_and_then_elsewhere, False),
        (asked_here_elsewhere_and_here, True),
        (other_command, False),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_an_approval_is_listed_to_ship_where_the_owner_had_asked(
    poc: Story, before: Callable[[Story], None], counts: bool
) -> None:
    poc.commit(HEAD)
    before(poc)
    poc.review("bob-m")
    assert to_ship(poc) == ["signature bob-m #5"] * counts


def test_one_from_before_the_owner_asked_is_not_listed_and_neither_is_its_end(poc: Story) -> None:
    poc.commit(HEAD)
    poc.pull()
    early = poc.review("bob-m")
    poc.dismiss("bob-m", early)
    poc.say("/poc ship")
    assert to_ship(poc) == []
    late = poc.review("alice-k")
    poc.dismiss("alice-k", late)
    assert to_ship(poc) == ["signature alice-k #5", "withdrawn alice-k #5"]


def test_who_opened_the_request_has_signed_once_the_owner_asks(poc: Story) -> None:
    poc.commit(HEAD)
    poc.pull(author="bob-m")
    assert to_ship(poc) == []
    poc.say("/poc ship", OWNER)
    assert to_ship(poc) == ["signature bob-m #5"]
    [signed] = [each for each in entries(poc, EntryKind.SIGNATURE) if each.data["round"] == "ship"]
    [command] = [each for each in entries(poc, EntryKind.COMMAND) if each.data["text"] == "/poc ship"]
    assert signed.at == command.at


def test_a_change_of_the_charter_is_signed_to_start_all_the_same(poc: Story) -> None:
    later = CHARTER.replace("2027-02-26", "2027-03-26")
    poc.pull(poc.commit(HEAD, later))
    poc.review("carol-s")
    rounds = [each.data["round"] for each in entries(poc, EntryKind.SIGNATURE) if each.data["number"] == 5]
    assert rounds == ["start"]
