"""Which mode holds: by an operator, the policy for a repository or a rule, a setting, or how it began."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from service.rules.charter.model import Charter
from service.rules.checks.verdict import conclude, situate
from service.rules.digest.week import Held, observed
from service.rules.gate.verdict import GateFacts, Occasion, answer_deployment, gate
from service.rules.policy.model import NO_POLICY, Exceptions, Mode, Policy, Selector
from service.rules.policy.reading import read_policy
from service.rules.policy.recognition import mode_of
from service.rules.values.actions import Conclusion
from tests.harness.github import charter_file, repository
from tests.harness.places import CHARTERS

OBSERVE, ENFORCE = Mode.OBSERVE, Mode.ENFORCE
LAB = Exceptions(Selector(names=("poc-*",)))
TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("policy", "switched", "default", "begins", "mode"),
    [
        pytest.param(NO_POLICY, None, None, True, OBSERVE, id="a new installation"),
        pytest.param(NO_POLICY, None, None, False, ENFORCE, id="one that was there before"),
        pytest.param(NO_POLICY, None, ENFORCE, True, ENFORCE, id="the setting ends it"),
        pytest.param(NO_POLICY, None, OBSERVE, False, OBSERVE, id="the setting for silent policies"),
        pytest.param(
            Policy(mode=ENFORCE), None, OBSERVE, True, ENFORCE, id="the policy goes before the setting"
        ),
        pytest.param(Policy(mode=OBSERVE), None, ENFORCE, False, OBSERVE, id="also the other way"),
        pytest.param(
            Policy(mode=ENFORCE), OBSERVE, ENFORCE, False, OBSERVE, id="an operator goes before all"
        ),
        pytest.param(Policy(mode=OBSERVE), ENFORCE, None, True, ENFORCE, id="an operator enforces"),
        pytest.param(
            Policy(mode=ENFORCE, observed=LAB), None, None, True, OBSERVE, id="this one is observed"
        ),
        pytest.param(
            Policy(mode=OBSERVE, enforced=LAB), None, None, True, ENFORCE, id="this one is enforced"
        ),
        pytest.param(
            Policy(mode=ENFORCE, observed=LAB, enforced=LAB), None, None, True, OBSERVE, id="both: observed"
        ),
        pytest.param(Policy(observed=LAB), ENFORCE, None, True, ENFORCE, id="an operator, before a selector"),
    ],
)
def test_which_mode_holds(
    policy: Policy, switched: Mode | None, default: Mode | None, begins: bool, mode: Mode
) -> None:
    assert mode_of(policy, repository(), switched=switched, default=default, begins=begins) is mode


def test_a_selector_says_nothing_of_other_repositories() -> None:
    policy = Policy(mode=ENFORCE, observed=LAB)
    assert mode_of(policy, repository(full_name="acme/core")) is ENFORCE
    assert mode_of(policy, None) is ENFORCE


def test_a_policy_says_it_by_repository_and_by_rule() -> None:
    text = 'policy: 1\nobserve:\n  names: ["lab-*"]\n  rules: [done-sample, rollback]\n  until: 2027-03-01\n'
    read = read_policy(text).policy
    assert read is not None
    rules = frozenset({"done-sample", "rollback"})
    assert read.observed == Exceptions(Selector(names=("lab-*",)), rules, date(2027, 3, 1))
    assert read.mode is None


@pytest.mark.parametrize(
    ("line", "fix"),
    [("rules: [done_sample]", "done-sample"), ("rules: [Done]", "done"), ("until: soon", None)],
)
def test_what_is_no_rule_and_no_day_is_refused(line: str, fix: str | None) -> None:
    [finding] = read_policy(f"policy: 1\nobserve:\n  {line}\n").findings
    assert finding.code == "wrong-value"
    assert (fix is None) == (finding.fix is None)


BAD = charter_file((CHARTERS / "err" / "target-auth-none.md").read_bytes())


@pytest.mark.parametrize(
    ("rules", "conclusion"),
    [
        ((), Conclusion.FAILURE),
        (("target-auth",), Conclusion.NEUTRAL),
        (("done-threshold",), Conclusion.FAILURE),
        (("no-charter",), Conclusion.FAILURE),
    ],
)
def test_a_charter_that_fails_by_observed_rules_alone_is_neutral(
    rules: tuple[str, ...], conclusion: Conclusion
) -> None:
    policy = Policy(observed=Exceptions(rules=frozenset(rules)))
    case = situate(BAD, charter_file(None), None)
    verdict = conclude(case, author="jane-doe", observe=False, today=TODAY, policy=policy)
    assert (verdict.conclusion, verdict.would) == (conclusion, Conclusion.FAILURE)
    assert verdict.rules == ("target-auth",)


def test_a_missing_charter_may_be_observed() -> None:
    policy = Policy(observed=Exceptions(rules=frozenset({"no-charter"})))
    case = situate(charter_file(None), charter_file(None), None)
    verdict = conclude(case, author="jane-doe", observe=False, today=TODAY, policy=policy)
    assert (verdict.conclusion, verdict.would) == (Conclusion.NEUTRAL, Conclusion.ACTION_REQUIRED)


def test_a_gate_to_which_only_observed_things_are_missing_is_neutral_and_lets_a_deployment_through() -> None:
    facts = GateFacts(Occasion.DEPLOYMENT, TODAY, Charter(line=1), valid=True, protected=frozenset({"prod"}))
    assert gate(facts).conclusion is Conclusion.FAILURE
    missing = frozenset(str(gap.kind) for gap in gate(facts).gaps)
    spared = gate(replace(facts, observed=missing, bound=True))
    assert spared.conclusion is Conclusion.NEUTRAL
    answer = answer_deployment(spared, "prod")
    assert (answer.approved, answer.note) == (True, "only observed: enforcing would have rejected it")
    partly = gate(replace(facts, observed=frozenset(sorted(missing)[1:]), bound=True))
    assert partly.conclusion is Conclusion.FAILURE
    assert not answer_deployment(partly, "prod").approved


def test_what_enforcing_would_have_done() -> None:
    held = [
        *[Held(("a",))] * 8,
        *[Held(("a", "b"))] * 2,
        Held(("c",)),
        Held(("c", "d")),
        Held(("d",)),
        Held(("e",)),
    ]
    seen = observed(held, 61, since=None, issues=5)
    assert (seen.held, seen.checks, seen.issues) == (14, 61, 5)
    assert seen.rules == ("a", "b", "c")
    assert seen.share == round(100 * 11 / 14)
    nothing = observed([], 0, since=None, issues=0)
    assert (nothing.rules, nothing.share) == ((), 0)
