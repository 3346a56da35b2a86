"""In which state a POC is: each fact that moves it on, and which of two facts counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import product

import pytest

from service.rules.charter.model import Charter, Located
from service.rules.charter.values import Pause, Stop
from service.rules.gate.lifecycle import LifecycleFacts, State, state_of
from service.rules.values.groups import Group

CHARTER = Charter(line=1)
STOPPED = replace(CHARTER, stopped=Located(Stop(date(2027, 1, 8), "the baseline was good enough"), 1, 1))
PAUSED = replace(CHARTER, paused=Located(Pause(date(2027, 1, 8), "waiting for data"), 1, 1))
NOTHING = LifecycleFacts(
    charter=None,
    valid=False,
    proposed=False,
    unsigned=(),
    measured=False,
    proven=False,
    shipped=False,
    archived=False,
)
PROPOSED = replace(NOTHING, charter=CHARTER, unsigned=tuple(Group))
BUILDING = replace(NOTHING, charter=CHARTER, valid=True)
EVALUATING = replace(BUILDING, measured=True)
SHIPPING = replace(EVALUATING, proven=True)
SHIPPED = replace(SHIPPING, shipped=True)


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        pytest.param(NOTHING, State.NONE, id="nothing"),
        pytest.param(replace(NOTHING, proposed=True), State.PROPOSED, id="a pull request brings a charter"),
        pytest.param(PROPOSED, State.PROPOSED, id="on the default branch, with errors"),
        pytest.param(replace(PROPOSED, valid=True), State.PROPOSED, id="without errors, signed by nobody"),
        pytest.param(
            replace(BUILDING, unsigned=(Group.SECURITY,)), State.PROPOSED, id="one signature is open"
        ),
        pytest.param(
            replace(SHIPPING, unsigned=(Group.SECURITY,)), State.PROPOSED, id="measured, but not agreed to"
        ),
        pytest.param(replace(SHIPPING, valid=False), State.PROPOSED, id="measured, but with errors"),
        pytest.param(BUILDING, State.BUILDING, id="signed by all four"),
        pytest.param(replace(BUILDING, proposed=True), State.BUILDING, id="another charter is proposed"),
        pytest.param(EVALUATING, State.EVALUATING, id="the first value"),
        pytest.param(SHIPPING, State.SHIPPING, id="nothing but signatures is missing"),
        pytest.param(SHIPPED, State.SHIPPED, id="deployed"),
        pytest.param(replace(SHIPPED, valid=False), State.SHIPPED, id="deployed, the charter broke since"),
        pytest.param(replace(SHIPPED, charter=None), State.SHIPPED, id="deployed, the charter is gone since"),
        pytest.param(
            replace(SHIPPED, unsigned=tuple(Group), measured=False, proven=False),
            State.SHIPPED,
            id="deployed, with newer goalposts",
        ),
        pytest.param(replace(SHIPPED, charter=PAUSED), State.SHIPPED, id="deployed and paused"),
        pytest.param(replace(EVALUATING, charter=PAUSED), State.EVALUATING, id="a pause is an overlay"),
        pytest.param(replace(NOTHING, charter=STOPPED), State.STOPPED, id="stopped, with errors"),
        pytest.param(replace(SHIPPING, charter=STOPPED), State.STOPPED, id="stopped on the last metre"),
        pytest.param(replace(SHIPPED, charter=STOPPED), State.STOPPED, id="stopped after it had shipped"),
        pytest.param(replace(EVALUATING, archived=True), State.STOPPED, id="archived"),
        pytest.param(replace(NOTHING, archived=True), State.STOPPED, id="archived without a charter"),
        pytest.param(replace(SHIPPED, archived=True), State.SHIPPED, id="archived after it had shipped"),
    ],
)
def test_the_state_follows_from_the_facts(facts: LifecycleFacts, state: State) -> None:
    assert state_of(facts) is state


def test_one_more_fact_for_a_poc_never_takes_it_back() -> None:
    """Over every combination of the facts that carry a POC on."""
    order = list(State)
    carries = ("proposed", "valid", "measured", "proven", "shipped")
    for charter, unsigned, values in product(
        (None, CHARTER), ((), (Group.PRODUCT,)), product((False, True), repeat=len(carries))
    ):
        told = dict(zip(carries, values, strict=True))
        for fact in carries:
            before, after = (
                state_of(LifecycleFacts(charter=charter, unsigned=unsigned, archived=False, **known))
                for known in (told, told | {fact: True})
            )
            assert order.index(after) >= order.index(before), (charter, unsigned, told, fact)
