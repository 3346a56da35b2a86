"""What was agreed on: what a later charter makes easier counts once those who signed before have signed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.charter.goalposts import MoveKind, moved
from service.rules.charter.model import Charter
from service.rules.checks.judge import judge
from service.rules.gate.agreement import (
    Agreement,
    Applied,
    agreement,
    applied,
    pause_signed,
    stop_signed,
    takes_over,
)
from service.rules.gate.signoffs import Round, Signature, give, material_hash, rounds_of, standing
from service.rules.policy.model import NO_POLICY, GroupPolicy, Policy
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.groups import FOUR, Group
from tests.harness.charters import CHARTER, SIGNERS

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
DATA_SCIENCE, PLATFORM, PRODUCT, SECURITY = FOUR
STRICTER = ("evidence:", "  - recall >= 99 %\nevidence:")
MISSING = ("https://ci.example.com/deploy", "missing")
STRANGERS = [(name, f"new-{index}") for index, name in enumerate(SIGNERS)]
MEMBERS = Policy(groups={PRODUCT: GroupPolicy(frozenset({"carol-s", "cathy-p"}))})


def charter(*edits: tuple[str, str]) -> Charter:
    text = CHARTER
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    read = judge(CharterFile(FileKind.FILE, text.encode()), today=date(2026, 11, 22)).charter
    assert read is not None
    return read


AGREED = charter()


def signed(*people: str, of: Charter = AGREED, policy: Policy = NO_POLICY) -> tuple[Signature, ...]:
    return tuple(
        each
        for login in people
        for each in give(
            of, login, Round.START, AT, 7, "review:1", before=[AGREED], members=policy.groups_of(login)
        )
    )


def held(now: Charter, *people: str, ever: tuple[str, ...] = SIGNERS, policy: Policy = NO_POLICY) -> Applied:
    """A charter beside the one agreed on, which `ever` signed, signed by some people now."""
    given = (*signed(*ever), *signed(*people, of=now, policy=policy))
    return applied(agreement(AGREED, given), now, given, policy)


@pytest.mark.parametrize(
    ("old", "new", "field", "asked"),
    [
        (">= 92 %", ">= 10 %", "done", {DATA_SCIENCE, PRODUCT}),
        ("  - latency_p95 <= 300 ms at 50 req/s\n", "", "done", {DATA_SCIENCE, PRODUCT}),
        ("n >= 2000", "n >= 2", "done", {DATA_SCIENCE, PRODUCT}),
        ("  measured_in: support-staging\n", "", "target", {PLATFORM}),
        ("measured_in: support-staging", "measured_in: support-dev", "target", {PLATFORM}),
        ("environment: support-prod", "environment: sandpit", "target", {PLATFORM}),
        ("load: 50 req/s", "load: 1 req/s", "target", {PLATFORM}),
        ("180000 tickets/day", "2 tickets/day", "target", {PLATFORM, SECURITY}),
        ("auth: okta-oidc", "auth: basic", "target", {PLATFORM, SECURITY}),
        ("within: 10 min", "within: 3 h", "rollback", {PLATFORM}),
        ("https://ci.example.com/eval", "n/a - by hand", "infra", {PLATFORM}),
        ("carol-s", "mallory", "signoffs", {PRODUCT}),
        ("dan-w", "mallory", "signoffs", {PRODUCT}),
    ],
)
def test_what_gets_easier_counts_as_it_was_until_those_who_answer_for_it_have_signed(
    old: str, new: str, field: str, asked: set[Group]
) -> None:
    now = charter((old, new))
    people = [signer for group, signer in zip(FOUR, SIGNERS, strict=True) if group in asked]
    before = held(now)
    assert getattr(before.charter, field) == getattr(AGREED, field)
    assert {group: before.holders[group] for group in asked} == dict(
        zip(sorted(asked, key=list(Group).index), people, strict=True)
    )
    for some in range(len(people)):
        assert held(now, *people[:some]).unsigned
    assert held(now, *people) == Applied(now)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (">= 92 %", ">= 95 %"),
        ("evidence:", "  - error_rate < 0.5 % over 7 d\nevidence:"),
        ("load: 50 req/s", "load: 500 req/s"),
        ("2027-02-26", "2027-02-01"),
        ("load/k6.json", "load/k7.json"),
        ("  drilled: 2026-11-12 in 4 min\n", ""),
        ("turn flag ai_triage off", "switch ai_triage off"),
    ],
)
def test_what_gets_no_easier_needs_nobody(old: str, new: str) -> None:
    now = charter((old, new))
    assert held(now) == Applied(now)


def test_a_stricter_line_beside_it_does_not_cover_the_target_that_is_gone() -> None:
    now = charter(("  measured_in: support-staging\n", ""), STRICTER)
    counted = held(now)
    assert counted.charter.target == AGREED.target
    assert counted.charter.done == now.done
    assert [move.field for move in counted.unsigned] == ["target.measured_in"]


def test_what_turned_out_to_be_missing_is_missing_whoever_signed() -> None:
    counted = held(charter(MISSING, ("https://ci.example.com/eval", "n/a - by hand")))
    entries = {name: entry.value.written for name, entry in counted.charter.infra.entries if entry}
    assert entries["deploy_process"] == "missing"
    assert entries["eval_pipeline"] == "https://ci.example.com/eval"


def test_new_signers_do_not_sign_for_those_who_had() -> None:
    now = charter((">= 92 %", ">= 10 %"), *STRANGERS)
    newcomers = [login for _, login in STRANGERS]
    counted = held(now, *newcomers)
    assert counted.charter.done == AGREED.done
    assert counted.charter.signoffs == AGREED.signoffs
    assert counted.holders == {DATA_SCIENCE: "alice-k", PRODUCT: "carol-s"}
    assert held(now, *newcomers, "alice-k", "carol-s") == Applied(now)


def test_where_nobody_had_signed_those_who_are_named_now_do() -> None:
    now = charter((">= 92 %", ">= 10 %"), *STRANGERS)
    counted = held(now, ever=())
    assert counted.holders == {DATA_SCIENCE: "new-0", PRODUCT: "new-2"}
    assert held(now, "new-0", "new-2", ever=()) == Applied(now)


def test_a_signature_that_was_taken_back_later_keeps_its_say() -> None:
    now = charter((">= 92 %", ">= 10 %"), *STRANGERS)
    given = signed(*(login for _, login in STRANGERS), of=now)
    counted = applied(agreement(AGREED, (*signed(*SIGNERS), *given)), now, given)
    assert set(counted.holders.values()) == {"alice-k", "carol-s"}


def test_a_member_by_the_policy_signs_for_a_person_who_has_left() -> None:
    now = charter(("carol-s", "cathy-p"))
    assert held(now, "cathy-p").unsigned
    assert held(now, "cathy-p", policy=MEMBERS) == Applied(now)


@pytest.mark.parametrize(
    ("edits", "people", "follows"),
    [
        pytest.param([(">= 92 %", ">= 10 %")], (), False, id="easier, signed by nobody"),
        pytest.param([(">= 92 %", ">= 10 %")], ("alice-k",), False, id="easier, signed by one of two"),
        pytest.param([(">= 92 %", ">= 10 %")], ("alice-k", "carol-s"), True, id="easier, signed by both"),
        pytest.param(
            [(">= 92 %", ">= 95 %")], (), False, id="harder, signed by nobody: who signed keeps a say"
        ),
        pytest.param([(">= 92 %", ">= 95 %")], ("alice-k", "carol-s"), True, id="harder, signed by both"),
        pytest.param([("load/k6.json", "load/k7.json")], (), True, id="what nobody signs"),
        pytest.param(STRANGERS, ("carol-s",), False, id="other signers, none of whom has signed"),
        pytest.param(
            STRANGERS, ("carol-s", "new-0", "new-1", "new-2", "new-3"), True, id="other signers who all have"
        ),
    ],
)
def test_a_charter_takes_over_once_it_lacks_no_signature_that_the_one_before_had(
    edits: list[tuple[str, str]], people: tuple[str, ...], follows: bool
) -> None:
    now = charter(*edits)
    given = (*signed(*SIGNERS), *signed(*people, of=now))
    assert takes_over(agreement(AGREED, given), now, given, NO_POLICY) is follows


EDITS = [
    (">= 92 %", ">= 10 %"), ("300 ms", "900 ms"), ("  measured_in: support-staging\n", ""),
    ("load: 50 req/s", "load: 5 req/s"), ("okta-oidc", "basic"), ("within: 10 min", "within: 90 min"),
    ("carol-s", "mallory"), ("alice-k", "eve-x"), ("2027-02-26", "2027-12-26"),
]  # fmt: skip


@given(st.sets(st.sampled_from(EDITS)), st.sets(st.sampled_from(["mallory", "eve-x", "bob-m", "dan-w"])))
def test_without_data_science_and_product_no_bound_gets_looser(
    edits: set[tuple[str, str]], people: set[str]
) -> None:
    counted = held(charter(*sorted(edits)), *sorted(people)).charter
    assert not [move for move in moved(AGREED, counted) if move.eases and move.field == "done"]
    assert Agreement(AGREED).signed == frozenset(Group)


STOP = ("target:", "stopped: 2026-11-22 - no demand\ntarget:")


@pytest.mark.parametrize(
    ("edits", "people", "ever", "ends"),
    [
        pytest.param([STOP], (), SIGNERS, False, id="nobody signed the stop"),
        pytest.param([STOP], ("alice-k", "bob-m", "dan-w"), SIGNERS, False, id="all but product"),
        pytest.param([STOP], ("carol-s",), SIGNERS, True, id="product"),
        pytest.param([STOP, ("carol-s", "new-2")], ("new-2",), SIGNERS, False, id="whom the stop names"),
        pytest.param([STOP, ("carol-s", "new-2")], ("carol-s",), SIGNERS, True, id="who was named before it"),
        pytest.param([STOP, ("carol-s", "new-2")], ("new-2",), (), True, id="nobody had signed before"),
        pytest.param([], SIGNERS, SIGNERS, False, id="no stop"),
    ],
)
def test_a_stop_is_products_to_sign(
    edits: list[tuple[str, str]], people: tuple[str, ...], ever: tuple[str, ...], ends: bool
) -> None:
    now = charter(*edits)
    given = (*signed(*ever), *signed(*people, of=now))
    assert stop_signed(agreement(AGREED, given), now, given, NO_POLICY) is ends


@pytest.mark.parametrize(
    ("people", "until", "counts"),
    [
        pytest.param((), "2036-11-22", False, id="nobody"),
        pytest.param(("alice-k", "bob-m", "dan-w", "new-2"), "2036-11-22", False, id="all but product"),
        pytest.param(("carol-s",), "2036-11-22", True, id="product"),
        pytest.param(("carol-s",), "2036-11-23", False, id="another day than was signed"),
    ],
)
def test_a_long_pause_is_products_to_sign(people: tuple[str, ...], until: str, counts: bool) -> None:
    signed_, now = (
        charter(("target:", f"paused: until {day} - money\ntarget:"), ("carol-s", "new-2"))
        for day in ("2036-11-22", until)
    )
    given = tuple(
        each
        for login in people
        for round_ in rounds_of(signed_)
        for each in give(signed_, login, round_, AT, 7, "review:1", before=[AGREED])
    )
    before = agreement(AGREED, signed(*SIGNERS))
    assert pause_signed(before, now, given, NO_POLICY) is counts
    assert all(each.group is PRODUCT for each in given if each.round is Round.PAUSE)


LEGAL = ("  security: dan-w\n", "  security: dan-w\n  legal: lea-l\n")
WITHOUT = ("security: dan-w", "security: n/a - we have no security group")
OTHER_SIGN_IN = ("okta-oidc", "basic")


def beside(before: Charter, now: Charter, *people: str) -> Applied:
    given = [each for login in people for each in give(now, login, Round.START, AT, 7, "r", before=[before])]
    return applied(Agreement(before), now, given)


def test_a_further_group_signs_what_security_does_and_product_lets_it_go() -> None:
    five, easier = charter(LEGAL), charter(LEGAL, OTHER_SIGN_IN)
    assert standing(five, [], Round.START).keys() == {*FOUR, Group.LEGAL}
    assert beside(five, easier, "bob-m", "dan-w").holders == {Group.LEGAL: "lea-l"}
    assert beside(five, easier, "bob-m", "dan-w", "lea-l") == Applied(easier)
    for now in (AGREED, charter((LEGAL[0], LEGAL[1].replace("lea-l", "n/a - no personal data")))):
        assert beside(five, now).holders == {PRODUCT: "carol-s"}
        assert beside(five, now, "lea-l", "bob-m").charter.signoffs == five.signoffs
        assert beside(five, now, "carol-s") == Applied(now)


def test_a_group_that_is_left_out_is_asked_for_what_it_had_signed() -> None:
    now = charter(WITHOUT, OTHER_SIGN_IN)
    assert standing(now, [], Round.START).keys() == {DATA_SCIENCE, PLATFORM, PRODUCT}
    assert beside(AGREED, now).holders == {PLATFORM: "bob-m", PRODUCT: "carol-s", SECURITY: "dan-w"}
    assert beside(AGREED, now, "bob-m", "carol-s").unsigned
    assert beside(AGREED, now, "bob-m", "carol-s", "dan-w") == Applied(now)
    without = charter(WITHOUT)
    assert beside(without, now).holders == {PLATFORM: "bob-m"}


def test_a_group_that_is_new_signs_the_change_that_names_it() -> None:
    now = charter(LEGAL, OTHER_SIGN_IN)
    assert beside(AGREED, now, "bob-m", "dan-w").holders == {Group.LEGAL: "lea-l"}
    assert beside(AGREED, now, "bob-m", "dan-w", "lea-l") == Applied(now)
    assert [move.kind for move in moved(AGREED, charter(LEGAL))] == [MoveKind.ADDED]


def test_without_data_science_product_answers_for_where_the_numbers_are() -> None:
    before = charter(("data_science: alice-k", "data_science: n/a - rules only"))
    now = charter(
        ("data_science: alice-k", "data_science: n/a - rules only"), ("load/k6.json", "load/k7.json")
    )
    for round_, changes in ((Round.START, False), (Round.SHIP, True)):
        hashes = {material_hash(each, PRODUCT, round_) for each in (before, now)}
        assert (len(hashes) == 2) is changes
