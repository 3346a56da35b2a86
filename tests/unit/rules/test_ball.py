"""Who has the ball: every state, and everything that may happen in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import assert_never

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.gate.lifecycle import ON_THE_WAY, State
from service.rules.stall.waiting_on import (
    Blocker,
    Party,
    Request,
    WaitingOn,
    WaitingOnFacts,
    Wants,
    next_waiting_period,
    who_is_waited_for,
)
from service.rules.values.groups import FOUR, Group

T0 = datetime(2026, 11, 2, 9, tzinfo=UTC)
SIGNERS = {
    Group.DATA_SCIENCE: "alice-k",
    Group.PLATFORM: "bob-m",
    Group.PRODUCT: "carol-s",
    Group.SECURITY: "dan-w",
}
IMPOSSIBLE = "-"


def at(days: int) -> datetime:
    return T0 + timedelta(days=days)


def asked(*groups: Group, since: int = 1, number: int | None = None) -> tuple[Request, ...]:
    return tuple(Request((SIGNERS[group],), at(since), number, group) for group in groups)


CHARTERED = WaitingOnFacts(State.BUILDING, T0, owner="jane-doe", valid=True, platform="bob-m")
PRESENT = {state: replace(CHARTERED, state=state) for state in State} | {
    State.NONE: WaitingOnFacts(State.NONE, T0),
    State.PROPOSED: replace(CHARTERED, state=State.PROPOSED, unsigned=asked(*FOUR)),
}
NOBODY, WORK, ASK = "nobody nothing", "owner work jane-doe", "owner ask-to-ship jane-doe"
FIX, START = "owner mend-charter jane-doe", "signer start-signature alice-k"
SHIP, DEPLOY = "signer ship-signature alice-k", "owner deploy jane-doe"
REVIEW, BLOCKED = "reviewer review erin-x", "blocker unblock gus-i"
PLATFORM_SIGNS, INFRA = "signer start-signature bob-m", "platform infra bob-m"
ANSWER = "owner answer-review jane-doe"

Event = Callable[[WaitingOnFacts], WaitingOnFacts]
Row = dict[State, str]


def unchanged(state: State) -> str:
    """Who has the ball as long as nothing happens."""
    match state:
        case State.NONE:
            return "unnamed charter"
        case State.PROPOSED:
            return START
        case State.BUILDING | State.EVALUATING:
            return WORK
        case State.SHIPPING:
            return ASK
        case State.SHIPPED | State.STOPPED:
            return NOBODY
        case _:
            assert_never(state)


def changed(on_the_way: str | None = None, **cells: str) -> Row:
    """Other cells for these states, by name, or for all of those on the way to production."""
    row = {state: unchanged(state) for state in State}
    if on_the_way:
        row |= dict.fromkeys(ON_THE_WAY, on_the_way)
    return row | {State(name): cell for name, cell in cells.items()}


def everywhere(cell: str, **cells: str) -> Row:
    """One cell for all that has not ended, but for these states."""
    row = {state: NOBODY if state.has_ended else cell for state in State}
    return row | {State(name): other for name, other in cells.items()}


def going(facts: WaitingOnFacts, **changes: object) -> WaitingOnFacts:
    """The same for a POC on its way; for one that has ended, or has no charter, it changes nothing."""
    begun = facts.state is not State.NONE and not facts.state.has_ended
    return replace(facts, **changes) if begun else facts  # type: ignore[arg-type]


def revived(facts: WaitingOnFacts, **changes: object) -> WaitingOnFacts:
    """A charter without `stopped` takes a stopped POC up again; nothing does so with one that has shipped."""
    if facts.state is State.SHIPPED:
        return facts
    return replace(CHARTERED, state=State.PROPOSED, **changes)  # type: ignore[arg-type]


def proposed(facts: WaitingOnFacts, *, valid: bool) -> WaitingOnFacts:
    """A pull request brings a charter; what is on the default branch already counts, whatever it changes."""
    if facts.state is not State.NONE:
        return facts
    wanted = asked(*FOUR, number=3) if valid else ()
    return replace(CHARTERED, state=State.PROPOSED, valid=valid, unsigned=wanted)


def building(facts: WaitingOnFacts) -> WaitingOnFacts:
    return replace(facts, state=State.BUILDING, unsigned=()) if facts.state is State.PROPOSED else facts


def measured(facts: WaitingOnFacts, state: State) -> WaitingOnFacts:
    return replace(facts, state=state) if facts.state in ON_THE_WAY else facts


def on_request(facts: WaitingOnFacts, *groups: Group, **changes: object) -> WaitingOnFacts:
    """All is met on the ship request's head, whatever the default branch shows; the others are asked."""
    if facts.state not in ON_THE_WAY:
        return facts
    request = asked(*groups, since=5, number=40)
    return replace(facts, asked_to_ship=40, unsigned=request, ready=not groups, **changes)  # type: ignore[arg-type]


REVIEWED = (Request(("erin-x",), at(2), 31),)
OPEN, CLOSED = Blocker("#12", at(3), True, ("gus-i",)), Blocker("#12", at(3), False, ("gus-i",))
TWO = (Group.DATA_SCIENCE, Group.SECURITY)

EVENTS: dict[str, tuple[Event, Row]] = {
    "a charter with errors is merged": (
        lambda facts: revived(facts, valid=False),
        everywhere(FIX, stopped=FIX),
    ),
    "a charter without errors is merged": (
        lambda facts: revived(facts, unsigned=asked(*FOUR)),
        everywhere(START, stopped=START),
    ),
    "a pull request brings a charter with errors": (
        lambda facts: proposed(facts, valid=False),
        changed(none=FIX),
    ),
    "a pull request brings a charter without errors": (
        lambda facts: proposed(facts, valid=True),
        changed(none=START),
    ),
    "data science signs the charter": (
        lambda facts: replace(facts, unsigned=facts.unsigned[1:]),
        changed(proposed=PLATFORM_SIGNS),
    ),
    "all sign the charter": (building, changed(proposed=WORK)),
    "data science asks for changes of the charter": (
        lambda facts: going(facts, objected=("alice-k",)),
        changed(proposed=PLATFORM_SIGNS),
    ),
    "all ask for changes of the charter": (
        lambda facts: going(facts, objected=tuple(SIGNERS.values())),
        changed(proposed=ANSWER),
    ),
    "platform changed, so platform signs again": (
        lambda facts: (
            facts
            if facts.state.has_ended or facts.state is State.NONE
            else replace(CHARTERED, state=State.PROPOSED, unsigned=asked(Group.PLATFORM))
        ),
        changed(on_the_way=PLATFORM_SIGNS, proposed=PLATFORM_SIGNS),
    ),
    "a review is asked for": (
        lambda facts: going(facts, reviews=REVIEWED),
        changed(building=REVIEW, evaluating=REVIEW),
    ),
    "the review is given, or not asked for any more": (lambda facts: going(facts, reviews=()), changed()),
    "numbers come that miss a bound": (
        lambda facts: measured(facts, State.EVALUATING),
        changed(on_the_way=WORK),
    ),
    "numbers come that meet everything": (
        lambda facts: measured(facts, State.SHIPPING),
        changed(on_the_way=ASK),
    ),
    "an entry of infra is missing": (
        lambda facts: going(facts, missing_infra=("deploy_process",)),
        changed(evaluating=INFRA),
    ),
    "infra is missing, and a review was asked for": (
        lambda facts: going(facts, missing_infra=("deploy_process",), reviews=REVIEWED),
        changed(building=REVIEW, evaluating=INFRA),
    ),
    "what was missing is there": (lambda facts: going(facts, missing_infra=()), changed()),
    "an issue is named as what blocks it": (
        lambda facts: facts if facts.state.has_ended else replace(facts, blocker=OPEN),
        everywhere(BLOCKED),
    ),
    "that issue is closed": (lambda facts: replace(facts, blocker=CLOSED), changed()),
    "the owner asks to ship, and all is met there": (
        lambda facts: on_request(facts, *FOUR),
        changed(on_the_way=SHIP),
    ),
    "the owner asks to ship, and something is missing": (
        lambda facts: going(facts, asked_to_ship=40),
        changed(on_the_way=WORK),
    ),
    "two have signed to ship": (
        lambda facts: on_request(facts, *TWO),
        changed(on_the_way=SHIP),
    ),
    "of these one asks for changes": (
        lambda facts: on_request(facts, *TWO, objected=("alice-k",)),
        changed(on_the_way="signer ship-signature dan-w"),
    ),
    "both ask for changes": (
        lambda facts: on_request(facts, *TWO, objected=tuple(SIGNERS.values())),
        changed(on_the_way=ANSWER),
    ),
    "all have signed to ship": (on_request, changed(on_the_way=DEPLOY)),
    "all have signed, and a review was asked for": (
        lambda facts: on_request(facts, reviews=REVIEWED),
        changed(on_the_way=DEPLOY),
    ),
    "a commit that meets everything is deployed": (
        lambda facts: replace(facts, state=State.SHIPPED),
        everywhere(NOBODY, none=IMPOSSIBLE, proposed=IMPOSSIBLE),
    ),
    "another commit is deployed": (lambda facts: facts, changed()),
    "it is paused": (
        lambda facts: replace(facts, paused=True),
        everywhere(NOBODY, none=IMPOSSIBLE),
    ),
    "the pause is over": (lambda facts: replace(facts, paused=False), changed()),
    "it is snoozed": (lambda facts: facts, changed()),
    "it is stopped": (
        lambda facts: replace(facts, state=State.STOPPED),
        everywhere(NOBODY, none=IMPOSSIBLE),
    ),
    "the repository is archived": (
        lambda facts: facts if facts.state is State.SHIPPED else replace(facts, state=State.STOPPED),
        everywhere(NOBODY),
    ),
    "the charter names nobody as owner": (
        lambda facts: going(facts, owner=None, valid=False),
        everywhere("unnamed charter"),
    ),
    "the ship date passes": (lambda facts: facts, changed()),
    "the owner loses access": (lambda facts: facts, changed()),
    "a bot pushes": (lambda facts: facts, changed()),
    "somebody puts a label on": (lambda facts: facts, changed()),
    "the app itself comments": (lambda facts: facts, changed()),
}
"""What happens: what it makes of the facts, and who has the ball then, in each state.

A stop or a pause is in the charter, so without one neither is possible; and nothing ships unsigned.
"""


@pytest.mark.parametrize(
    ("event", "state"),
    [pytest.param(event, state, id=f"{state}: {event}") for event, state in product(EVENTS, State)],
)
def test_who_has_the_ball(event: str, state: State) -> None:
    happens, row = EVENTS[event]
    expected = row[state]
    if expected == IMPOSSIBLE:
        assert state in (State.NONE, State.PROPOSED)
        return
    waiting_on = who_is_waited_for(happens(PRESENT[state]))
    assert " ".join([waiting_on.party, waiting_on.wants, *waiting_on.people]) == expected


def test_each_party_and_each_want_is_met() -> None:
    cells = {cell for _, row in EVENTS.values() for cell in row.values() if cell != IMPOSSIBLE}
    assert {cell.split()[0] for cell in cells} == set(Party)
    assert {cell.split()[1] for cell in cells} == set(Wants)


moments = st.integers(0, 60).map(at)
logins = st.sampled_from(["alice-k", "bob-m", "jane-doe", "erin-x"])
requests = st.builds(
    Request,
    st.tuples(logins),
    moments,
    st.none() | st.integers(1, 99),
    st.none() | st.sampled_from(Group),
)
some_facts = st.builds(
    WaitingOnFacts,
    state=st.sampled_from(State),
    since=moments,
    state_since=st.none() | moments,
    owner=st.none() | logins,
    valid=st.booleans(),
    paused=st.booleans(),
    unsigned=st.lists(requests, max_size=4).map(tuple),
    objected=st.lists(logins, max_size=2).map(tuple),
    reviews=st.lists(requests, max_size=3).map(tuple),
    worked_at=st.none() | moments,
    missing_infra=st.sampled_from([(), ("deploy_process",)]),
    platform=st.none() | logins,
    blocker=st.none() | st.builds(Blocker, st.just("#12"), moments, st.booleans(), st.tuples()),
    asked_to_ship=st.none() | st.just(40),
    ready=st.booleans(),
)


@given(some_facts)
def test_one_party_has_it_whatever_the_facts(facts: WaitingOnFacts) -> None:
    waiting_on = who_is_waited_for(facts)
    nobody = waiting_on.party in (Party.NOBODY, Party.UNNAMED)
    assert not (nobody and waiting_on.people)
    assert (waiting_on.wants is Wants.NOTHING) == (waiting_on.party is Party.NOBODY)
    assert waiting_on.people or nobody or waiting_on.party in (Party.BLOCKER, Party.PLATFORM)


@pytest.mark.parametrize("agent", ["Copilot", "renovate[bot]"])
@pytest.mark.parametrize("state", State)
def test_a_bot_is_never_waited_for_whoever_named_it(state: State, agent: str) -> None:
    asked_of_it = Request((agent,), at(1), 7, Group.SECURITY)
    facts = replace(
        PRESENT[state],
        owner=agent,
        platform=agent,
        missing_infra=("deploy_process",),
        unsigned=(asked_of_it,),
        reviews=(asked_of_it,),
    )
    for each in (facts, replace(facts, owner="jane-doe"), replace(facts, valid=False)):
        blocked = replace(each, blocker=Blocker("#12", at(0), open=True, assignees=(agent, "gus-i")))
        assert agent not in who_is_waited_for(each).people
        assert who_is_waited_for(blocked).people == (() if each.state.has_ended else ("gus-i",))


def test_of_several_who_are_asked_the_first_has_it() -> None:
    late = asked(Group.DATA_SCIENCE, since=4)
    early = asked(Group.SECURITY, since=2)
    waiting_on = who_is_waited_for(replace(PRESENT[State.PROPOSED], unsigned=late + early))
    assert (waiting_on.people, waiting_on.since) == (("dan-w",), at(2))


def test_a_reviewers_time_runs_from_when_the_others_stopped_working() -> None:
    facts = replace(CHARTERED, reviews=REVIEWED, worked_at=at(9))
    assert who_is_waited_for(facts).since == at(9)


OWNER = WaitingOn(Party.OWNER, Wants.WORK, at(0), ("jane-doe",))
SECURITY = WaitingOn(Party.SIGNER, Wants.SHIP_SIGNATURE, at(4), ("dan-w",), Group.SECURITY, 40)
REVIEWER = WaitingOn(Party.REVIEWER, Wants.REVIEW, at(2), ("erin-x",), None, 31)


@pytest.mark.parametrize(
    ("previous", "present", "moved_at", "expected"),
    [
        pytest.param(None, OWNER, None, OWNER, id="the first turn is noted as it is"),
        pytest.param(OWNER, OWNER, at(5), None, id="nothing has moved"),
        pytest.param(OWNER, replace(OWNER, since=at(7)), at(8), None, id="who keeps it has it since before"),
        pytest.param(
            OWNER,
            replace(OWNER, wants=Wants.DEPLOY, since=at(7)),
            at(8),
            replace(OWNER, wants=Wants.DEPLOY),
            id="something else is wanted of the same party",
        ),
        pytest.param(OWNER, SECURITY, at(3), SECURITY, id="asked later than anybody did anything"),
        pytest.param(
            SECURITY, OWNER, at(9), replace(OWNER, since=at(9)), id="it comes back when somebody acted"
        ),
        pytest.param(
            SECURITY, OWNER, None, replace(OWNER, since=at(4)), id="never earlier than the one before had it"
        ),
        pytest.param(
            REVIEWER,
            replace(REVIEWER, since=at(6)),
            at(6),
            replace(REVIEWER, since=at(6)),
            id="a reviewer's time begins anew when others work",
        ),
        pytest.param(
            OWNER, replace(OWNER, people=("Jane-Doe",)), None, replace(OWNER, people=("Jane-Doe",)), id="case"
        ),
    ],
)
def test_turns(
    previous: WaitingOn | None, present: WaitingOn, moved_at: datetime | None, expected: WaitingOn | None
) -> None:
    assert next_waiting_period(previous, present, moved_at) == expected
