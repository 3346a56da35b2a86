"""The ship gate laid out for its templates, and its title."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.rules.evidence.wording import measured_text
from service.rules.gate.verdict import GateFacts, Occasion, gate
from service.rules.values.groups import Group
from service.texts.gate import GateStatus, gate_title, gate_view
from tests.unit.texts.gates import COMPLETE, EXAMPLE, NOW, Case, charter_of

PAUSED = COMPLETE.replace("poc: 1\n", "poc: 1\npaused: until 2027-03-01 - waiting\n")
STOPPED = COMPLETE.replace("poc: 1\n", "poc: 1\nstopped: 2027-01-29 - good enough\n")
ORDINARY = Case("", "", occasion=Occasion.ORDINARY, asked=False)
DEPLOYMENT = Case("", "", occasion=Occasion.DEPLOYMENT)


@pytest.mark.parametrize(
    ("case", "title"),
    [
        pytest.param(
            replace(ORDINARY, text=PAUSED), "Paused until 1 March 2027", id="paused, all else is there"
        ),
        pytest.param(
            replace(ORDINARY, text=PAUSED, readings={"accuracy": None}),
            "Paused until 1 March 2027; missing for shipping: 1 of 4 thresholds",
            id="paused, and one is missing",
        ),
        pytest.param(replace(ORDINARY, text=STOPPED), "Stopped on purpose", id="stopped"),
        pytest.param(
            replace(ORDINARY, text=COMPLETE.replace("okta-oidc", "none")),
            "Missing for shipping: a charter without errors",
            id="a charter with errors",
        ),
        pytest.param(
            replace(ORDINARY, text=EXAMPLE.replace("https://mlflow.example.com/#/models/triage", "missing")),
            "Missing for shipping: model_registry and deploy_process",
            id="two entries of infra",
        ),
        pytest.param(
            replace(ORDINARY, observe=True),
            "Numbers met (observing)",
            id="observing",
        ),
        pytest.param(
            replace(DEPLOYMENT, asked=False),
            "Not ready to ship: nobody has asked to ship",
            id="deployed unasked",
        ),
        pytest.param(
            replace(DEPLOYMENT, signed=(Group.PRODUCT, Group.SECURITY, Group.PLATFORM)),
            "Not ready to ship: 1 signature open",
            id="deployed with one signature open",
        ),
        pytest.param(DEPLOYMENT, "Ready to ship", id="deployed with everything"),
    ],
)
def test_a_title(case: Case, title: str) -> None:
    assert gate_title(case.gate) == title


@pytest.mark.parametrize(
    ("case", "standing"),
    [
        pytest.param(replace(ORDINARY, none=True), GateStatus.NO_CHARTER, id="no charter"),
        pytest.param(
            replace(ORDINARY, text=COMPLETE.replace("okta-oidc", "none")), GateStatus.ERRORS, id="with errors"
        ),
        pytest.param(replace(ORDINARY, text=STOPPED), GateStatus.STOPPED, id="stopped"),
        pytest.param(replace(ORDINARY, text=PAUSED), GateStatus.JUDGED, id="paused"),
        pytest.param(ORDINARY, GateStatus.JUDGED, id="complete"),
    ],
)
def test_how_far_a_commit_can_be_judged(case: Case, standing: GateStatus) -> None:
    assert gate_view(case.gate).standing is standing


def test_a_threshold_that_nobody_judged_is_shown_as_not_measured() -> None:
    charter = charter_of(COMPLETE)
    view = gate_view(gate(GateFacts(Occasion.ORDINARY, NOW.date(), charter, valid=True)))
    assert [(measured_text(row), row.met) for row in view.rows] == [("not measured", False)] * len(
        charter.done
    )
    assert view.met == 0


def test_a_pause_that_is_over_is_not_shown() -> None:
    text = COMPLETE.replace("poc: 1\n", "poc: 1\npaused: until 2027-02-07 - waiting\n")
    assert gate_view(replace(ORDINARY, text=text).gate).pause is None


def test_the_levels_name_each_metric_once() -> None:
    view = gate_view(ORDINARY.gate)
    assert (view.self_reported, view.vouched) == (
        ("latency_p95", "accuracy"),
        ("cost_per_request", "error_rate"),
    )
