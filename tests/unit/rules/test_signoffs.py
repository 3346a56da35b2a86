"""Sign-offs: what each group's signature is bound to, and which of those that were given still holds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.charter.goalposts import moved, reopened
from service.rules.charter.model import Charter
from service.rules.checks.judge import judge
from service.rules.gate.signoffs import (
    Round,
    Signature,
    give,
    groups_of,
    material_hash,
    named,
    people_of,
    standing,
)
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.groups import FOUR as GROUPS
from service.rules.values.groups import Group
from tests.harness.charters import GOOD as EXAMPLE
from tests.harness.charters import LATENCY, SAME_IN_OTHER_WORDS

ASKED = datetime(2027, 2, 1, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DATA_SCIENCE, PLATFORM, PRODUCT, SECURITY = GROUPS
ALL = frozenset(GROUPS)
NOBODY: frozenset[Group] = frozenset()


def charter(text: str = EXAMPLE) -> Charter:
    read = judge(CharterFile(FileKind.FILE, text.encode()), today=date(2026, 11, 22)).charter
    assert read is not None
    return read


def edited(old: str, new: str) -> Charter:
    assert old in EXAMPLE
    return charter(EXAMPLE.replace(old, new))


def asked_again(before: Charter, now: Charter, round_: Round = Round.START) -> frozenset[Group]:
    return frozenset(
        group for group in GROUPS if material_hash(before, group, round_) != material_hash(now, group, round_)
    )


@pytest.mark.parametrize(
    ("old", "new", "groups"),
    [
        (">= 92 %", ">= 88 %", {DATA_SCIENCE, PRODUCT}),
        (">= 92 %", "> 92 %", {DATA_SCIENCE, PRODUCT}),
        (">= 92 %", ">= 95 %", {DATA_SCIENCE, PRODUCT}),
        ("tickets-2026q3", "tickets-easy", {DATA_SCIENCE, PRODUCT}),
        ("n >= 2000", "n >= 200", {DATA_SCIENCE, PRODUCT}),
        ("over 7 d", "over 1 h", {DATA_SCIENCE, PRODUCT}),
        ("at 50 req/s", "at 5 req/s", {DATA_SCIENCE, PRODUCT}),
        (LATENCY, "", {DATA_SCIENCE, PRODUCT}),
        (LATENCY, LATENCY + "  - recall >= 80 %\n", {DATA_SCIENCE, PRODUCT}),
        ("< 0.02 USD", "< 0.02 EUR", {DATA_SCIENCE, PRODUCT}),
        ("owner: jane-doe", "owner: joe-doe", {PRODUCT}),
        ("2027-02-26", "2027-02-25", {PRODUCT}),
        ("security: dan-w", "security: erin-v", {PRODUCT}),
        ("target:", "stopped: 2026-11-20 - no demand\ntarget:", {PRODUCT}),
        ("support-prod", "support-beta", {PLATFORM}),
        ("  measured_in: support-staging\n", "", {PLATFORM}),
        ("load: 50 req/s", "load: 500 req/s", {PLATFORM}),
        ("180000 tickets/day", "1000 tickets/day", {PLATFORM, SECURITY}),
        ("okta-oidc", "basic", {PLATFORM, SECURITY}),
        ("deploy_process: missing", "deploy_process: deploy/run.sh", {PLATFORM}),
        ("retrieval only, no features", "we have none", {PLATFORM}),
        ("turn flag ai_triage off", "call Bob at home", {PLATFORM}),
        ("within: 10 min", "within: 20 min", {PLATFORM}),
    ],
)  # fmt: skip
def test_a_material_change_asks_those_again_who_answer_for_it(old: str, new: str, groups: set[Group]) -> None:
    assert asked_again(charter(), edited(old, new)) == groups


@pytest.mark.parametrize(
    ("old", "new"),
    [
        *SAME_IN_OTHER_WORDS,
        ("in 4 min", "in 5 min"),
        ("  drilled: 2026-11-12 in 4 min\n", ""),
        ("turn flag ai_triage off, tickets", "turn  flag ai_triage off,\n    tickets"),
        ("auth: okta-oidc", 'auth: "okta-oidc"'),
        ("Agents read", "People read"),
        ("  latency_p95: load/k6.json", "  latency_p95: load/k7.json"),
    ],
)
def test_a_rewriting_that_means_the_same_asks_nobody(old: str, new: str) -> None:
    assert asked_again(charter(), edited(old, new)) == NOBODY


CHANGES = [
    (">= 92 %", ">= 88 %"), ("300 ms", "0.3 s"), ("300 ms", "200 ms"), (LATENCY, ""), ("n >= 2000", "n >= 2"),
    ("owner: jane-doe", "owner: joe-doe"), ("2027-02-26", "2027-05-26"), ("support-prod", "Support-Prod"),
    ("support-staging", "shadow"), ("load: 50", "load: 5"), ("180000 tickets", "18 tickets"),
    ("okta-oidc", "basic"), ("over 7 d", "over 1 week"),
]  # fmt: skip


@given(st.sets(st.sampled_from(CHANGES)))
def test_who_is_shown_as_signing_again_is_asked_again(changes: set[tuple[str, str]]) -> None:
    text = EXAMPLE
    for old, new in sorted(changes):
        text = text.replace(old, new)
    before, now = charter(), charter(text)
    assert set(reopened(moved(before, now))) <= asked_again(before, now)


def test_the_hashes_of_the_example_stay_what_is_stored() -> None:
    """Signatures are kept for years by these: a new way to hash asks everybody again."""
    assert {group: material_hash(charter(), group, Round.START)[:16] for group in GROUPS} == STORED


STORED = {
    DATA_SCIENCE: "ed6ac6dcd03267b0",
    PLATFORM: "801c9129d462c66f",
    PRODUCT: "d482d738f1686184",
    SECURITY: "ca55389836920fbb",
}


@pytest.mark.parametrize(
    ("old", "new"), [("load/k6.json", "load/k7.json"), ("$.accuracy.value", "$.n"), ('"] ms', '"] s')]
)
def test_to_ship_data_science_answers_for_where_the_numbers_are_found(old: str, new: str) -> None:
    assert asked_again(charter(), edited(old, new), Round.SHIP) == {DATA_SCIENCE}
    assert asked_again(charter(), edited(old, new), Round.START) == NOBODY


def test_who_signed_before_a_change_allows_the_handing_over() -> None:
    before, now = charter(), edited("product: carol-s", "product: alice-k")
    new = give(now, "alice-k", Round.START, ASKED, 7, "review:1", before=[before])
    assert standing(now, new, Round.START, signers=people_of(before))[PRODUCT] is None
    old = give(now, "carol-s", Round.START, ASKED, 7, "review:2", before=[before])
    assert [each.group for each in old] == [PRODUCT]
    assert standing(now, (*new, *old), Round.START, signers=people_of(before))[PRODUCT] == old[0]
    assert standing(now, (*new, *old), Round.START)[PRODUCT] == new[1]


def test_no_two_groups_share_a_hash_even_of_an_empty_charter() -> None:
    assert len({material_hash(Charter(line=1), group, Round.SHIP) for group in Group}) == len(Group)


def test_the_people_are_found_by_their_groups_whatever_the_case_of_their_login() -> None:
    both = edited("platform: bob-m", "platform: Alice-K")
    assert named(both, PLATFORM) == "Alice-K"
    assert groups_of(both, "ALICE-k") == (DATA_SCIENCE, PLATFORM)
    assert groups_of(both, "jane-doe") == groups_of(both, "") == ()
    assert groups_of(Charter(line=1), "") == ()
    assert named(Charter(line=1), SECURITY) is None


def test_one_approval_signs_for_each_group_of_that_person() -> None:
    both = edited("platform: bob-m", "platform: alice-k")
    signed = give(both, "Alice-K", Round.START, ASKED, 7, "review:9")
    assert signed == tuple(
        Signature(
            "Alice-K", group, Round.START, material_hash(both, group, Round.START), ASKED, 7, "review:9"
        )
        for group in (DATA_SCIENCE, PLATFORM)
    )
    assert give(both, "mallory", Round.START, ASKED, 7, "review:9") == ()


def signed_by(
    *logins: str,
    of: Charter | None = None,
    round_: Round = Round.START,
    at: datetime = ASKED + HOUR,
    number: int | None = 41,
    source: str = "review:1",
) -> tuple[Signature, ...]:
    return tuple(
        each for login in logins for each in give(of or charter(), login, round_, at, number, source)
    )


def holds(signatures: tuple[Signature, ...], now: Charter, round_: Round = Round.START) -> set[Group]:
    found = standing(now, signatures, round_, number=41, since=ASKED)
    assert list(found) == list(GROUPS)
    return {group for group, signature in found.items() if signature}


FOUR = ("alice-k", "bob-m", "carol-s", "dan-w")


@pytest.mark.parametrize(
    ("signatures", "now", "groups"),
    [
        pytest.param((), charter(), NOBODY, id="nobody signed"),
        pytest.param(signed_by(*FOUR), charter(), ALL, id="all four signed"),
        pytest.param(signed_by("ALICE-K"), charter(), {DATA_SCIENCE}, id="a login in another case"),
        pytest.param(signed_by("mallory", "jane-doe"), charter(), NOBODY, id="people who are not named"),
        pytest.param(
            signed_by(*FOUR), edited(">= 92 %", ">= 88 %"), {PLATFORM, SECURITY}, id="a bound moved since"
        ),
        pytest.param(signed_by(*FOUR), edited("92 %", "0.92"), ALL, id="a bound rewritten since"),
        pytest.param(
            signed_by(*FOUR),
            edited("dan-w", "erin-v"),
            ALL - {SECURITY, PRODUCT},
            id="another person is named now",
        ),
        pytest.param(
            signed_by(*FOUR),
            edited("bob-m", "alice-k"),
            ALL - {PLATFORM, PRODUCT},
            id="a person who took over a group signs for that again",
        ),
        pytest.param(
            signed_by(*FOUR, round_=Round.SHIP),
            charter(),
            NOBODY,
            id="a signature for shipping starts nothing",
        ),
        pytest.param(
            signed_by("bob-m", number=3, at=ASKED - 90 * 24 * HOUR, source="comment:8"),
            charter(),
            {PLATFORM},
            id="the start is signed anywhere, at any time",
        ),
        pytest.param(
            signed_by(*FOUR, of=edited(">= 92 %", ">= 88 %")) + signed_by("alice-k"),
            charter(),
            ALL - {PRODUCT},
            id="only who signed the present bounds",
        ),
    ],
)
def test_a_start_signature_holds_while_what_was_signed_stands(
    signatures: tuple[Signature, ...], now: Charter, groups: set[Group]
) -> None:
    assert holds(signatures, now) == groups


@pytest.mark.parametrize(
    ("signatures", "groups"),
    [
        pytest.param(signed_by(*FOUR, round_=Round.SHIP), ALL, id="all four after the request"),
        pytest.param(signed_by(*FOUR), NOBODY, id="start signatures ship nothing"),
        pytest.param(signed_by("bob-m", round_=Round.SHIP, number=40), NOBODY, id="on another pull request"),
        pytest.param(signed_by("bob-m", round_=Round.SHIP, number=None), NOBODY, id="in the POC's issue"),
        pytest.param(signed_by("bob-m", round_=Round.SHIP, at=ASKED), {PLATFORM}, id="in the same second"),
        pytest.param(signed_by("bob-m", round_=Round.SHIP, at=ASKED - HOUR), NOBODY, id="before the request"),
        pytest.param(
            signed_by("bob-m", round_=Round.SHIP, at=ASKED - HOUR, source="opened:41"),
            {PLATFORM},
            id="by opening that pull request, before the request",
        ),
        pytest.param(
            signed_by("bob-m", round_=Round.SHIP, at=ASKED - HOUR, number=40, source="opened:40"),
            NOBODY,
            id="by opening another pull request",
        ),
    ],
)
def test_a_ship_signature_counts_on_the_ship_request_after_it_was_asked_for(
    signatures: tuple[Signature, ...], groups: set[Group]
) -> None:
    assert holds(signatures, charter(), Round.SHIP) == groups


def test_nothing_is_signed_for_shipping_while_there_is_no_request() -> None:
    anywhere = signed_by(*FOUR, round_=Round.SHIP, number=None) + signed_by(*FOUR, round_=Round.SHIP)
    assert set(standing(charter(), anywhere, Round.SHIP).values()) == {None}


def test_of_two_signatures_the_newest_is_shown() -> None:
    old, new = signed_by("bob-m", at=ASKED), signed_by("bob-m", at=ASKED + 2 * HOUR, source="review:2")
    for order in (old + new, new + old):
        assert standing(charter(), order, Round.START)[PLATFORM] == new[0]


def test_a_group_without_a_person_is_signed_by_nobody() -> None:
    empty = Charter(line=1)
    nameless = Signature(
        "", PLATFORM, Round.START, material_hash(empty, PLATFORM, Round.START), ASKED, 1, "review:1"
    )
    assert standing(empty, [nameless], Round.START)[PLATFORM] is None
