"""What another policy would change, as a table; when a POC counts as stalled is test_stall.py's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest

from service.rules.checks.judge import judge, judge_standing
from service.rules.gate.lifecycle import State
from service.rules.policy.model import NO_POLICY, Limits, Mode, Policy, Selector
from service.rules.policy.reading import read_policy
from service.rules.source.text import CharterFile
from service.rules.stall.stalls import Cause, EscalationStep, Stall, StallDecision, StallFacts, Step
from service.rules.stall.waiting_on import Party, WaitingOn, Wants
from service.rules.values.github import IssueState, Repository, StallIssue
from service.rules.what_if import PocFacts, WhatIf, what_if
from tests.harness.github import charter_file, repository
from tests.unit.rules.samples import SAMPLE, TODAY

NOW = datetime(TODAY.year, TODAY.month, TODAY.day + 1, 9, tzinfo=UTC)  # a Monday
GOOD, BAD, NONE = charter_file(SAMPLE), charter_file(SAMPLE.replace("okta-oidc", "none")), charter_file(None)
LISTS = ("failing", "passing", "pocs", "no_pocs", "opening", "closing")
NAME = "acme/poc-triage"
OBSERVE, SALES = Policy(mode=Mode.OBSERVE), Policy(environments=frozenset({"sales-prod"}))
SUPPORT = Policy(environments=frozenset({"support-prod"}))
AI = Policy(select=Selector(frozenset({"ai"})))
ERROR = "line 15: `none` is no sign-in"
NOT_ALLOWED = "line 11: `support-prod` isn't allowed by the policy"


def facts(
    charter: CharterFile | None = GOOD, found: Repository | None = None, stall: StallFacts | None = None
) -> PocFacts:
    found = found or repository()
    declared = charter is not None and charter.data is not None
    return PocFacts(found.full_name, found, declares_charter=declared, charter=charter, stall=stall)


def told(change: WhatIf) -> Mapping[str, list[tuple[str, str]]]:
    lists = {name: getattr(change, name) for name in LISTS}
    return {name: [(each.full_name, each.why) for each in listed] for name, listed in lists.items() if listed}


CASES = [
    pytest.param(facts(), NO_POLICY, NO_POLICY, {}, id="the same policy"),
    pytest.param(facts(), SUPPORT, SALES, {"failing": [(NAME, NOT_ALLOWED)]}, id="not allowed any more"),
    pytest.param(
        facts(),
        SALES,
        NO_POLICY,
        {"passing": [(NAME, f"until now: {NOT_ALLOWED}")]},
        id="allowed from now on",
    ),
    pytest.param(facts(NONE), NO_POLICY, SALES, {}, id="without a charter before and after"),
    pytest.param(facts(BAD), NO_POLICY, SUPPORT, {}, id="with errors before and after"),
    pytest.param(facts(), OBSERVE, SALES, {"failing": [(NAME, NOT_ALLOWED)]}, id="enforced, and not allowed"),
    pytest.param(
        facts(NONE), OBSERVE, NO_POLICY, {"failing": [(NAME, "no charter")]}, id="enforced, no charter"
    ),
    pytest.param(facts(None), OBSERVE, NO_POLICY, {"failing": [(NAME, "no charter")]}, id="never read"),
    pytest.param(facts(), OBSERVE, NO_POLICY, {}, id="enforced, and fine"),
    pytest.param(
        facts(NONE), NO_POLICY, OBSERVE, {"passing": [(NAME, "until now: no charter")]}, id="only observed"
    ),
    pytest.param(
        facts(NONE, repository(full_name="acme/x", topics=["ai"])),
        NO_POLICY,
        AI,
        {"failing": [("acme/x", "no charter")], "pocs": [("acme/x", "topic `ai`")]},
        id="a POC from now on, without a charter",
    ),
    pytest.param(
        facts(NONE),
        NO_POLICY,
        AI,
        {"no_pocs": [(NAME, "until now by its name, `poc-triage`")]},
        id="no POC any more: it passes nothing",
    ),
    pytest.param(facts(GOOD), NO_POLICY, AI, {}, id="still a POC, by its charter"),
    pytest.param(facts(NONE, repository(archived=True)), OBSERVE, NO_POLICY, {}, id="archived: never a POC"),
]


@pytest.mark.parametrize(("fact", "before", "after", "expected"), CASES)
def test_what_would_change(
    fact: PocFacts, before: Policy, after: Policy, expected: dict[str, list[tuple[str, str]]]
) -> None:
    change = what_if((fact,), before, after, NOW)
    assert change.repositories == 1
    assert told(change) == expected


def test_lists_are_in_the_order_of_the_names_and_know_who_is_private() -> None:
    many = tuple(
        facts(NONE, replace(repository(full_name=f"acme/{name}"), private=name == "b-poc"))
        for name in ("c-poc", "A-poc", "b-poc")
    )
    change = what_if(many, OBSERVE, NO_POLICY, NOW)
    assert [(each.full_name, each.private) for each in change.failing] == [
        ("acme/A-poc", False),
        ("acme/b-poc", True),
        ("acme/c-poc", False),
    ]


def test_a_charter_with_several_errors_says_the_first_and_counts_the_rest() -> None:
    broken = charter_file(SAMPLE.replace("okta-oidc", "none").replace("poc: 1", "poc: 2"))
    [changed] = what_if((facts(broken),), OBSERVE, NO_POLICY, NOW).failing
    assert changed.why.endswith(", and 1 more")


def test_a_why_shows_a_strangers_words_as_code() -> None:
    nasty = SAMPLE.replace("environment: support-prod", 'environment: "@dan-w: closes `#12`; x"')
    [changed] = what_if((facts(charter_file(nasty)),), NO_POLICY, SALES, NOW).failing
    assert changed.why == "line 11: `@dan-w: closes '#12…` isn't allowed by the policy"


def test_a_charter_is_judged_once_where_both_policies_ask_the_same_of_it() -> None:
    with patch("service.rules.what_if.judge_standing", wraps=judge_standing) as judging:
        what_if((facts(),), NO_POLICY, replace(NO_POLICY, limits=Limits(waiting=3)), NOW)
        assert judging.call_count == 1
        what_if((facts(),), NO_POLICY, SALES, NOW)
        assert judging.call_count == 3
        what_if((facts(found=repository(archived=True)),), NO_POLICY, SALES, NOW)
        assert judging.call_count == 3


def test_the_same_policy_written_otherwise_changes_nothing() -> None:
    policy = read_policy("policy: 1\nlimits:\n  share: 0.15\n").policy
    assert policy is not None
    assert told(what_if((facts(), facts(NONE), facts(BAD)), NO_POLICY, policy, NOW)) == {}


def silent(issue: StallIssue | None = None, *, worked: datetime | None = None) -> StallFacts:
    """A POC whose signer has been silent for six weeks."""
    long_ago = NOW - timedelta(weeks=6)
    charter = judge(GOOD, today=TODAY).charter
    return StallFacts(
        is_poc=True,
        dormant=False,
        has_home=True,
        registered_at=long_ago,
        state=State.BUILDING,
        policy=NO_POLICY,
        waiting_on=WaitingOn(Party.SIGNER, Wants.START_SIGNATURE, worked or long_ago, ("dan-w",)),
        charter=charter,
        chartered_at=long_ago,
        charter_changed_at=long_ago,
        acted_at=worked or long_ago,
        activity_at=worked or long_ago,
        issue=issue,
    )


def standing(state: IssueState) -> StallIssue:
    return StallIssue(7, state, "digest", NOW - timedelta(weeks=2), closed_by_us=False)


def stands_still(facts: StallFacts, now: datetime) -> Stall | None:
    """A rule as simple as a what-if can be told by: the limit alone decides."""
    waiting_on, limit = facts.waiting_on, facts.policy.limits.waiting
    since = waiting_on.since.date() if waiting_on else now.date()
    waited = facts.policy.calendar.working_days(since, now.date())
    if not facts.is_poc or facts.dormant or waited < limit:
        return None
    return Stall(Cause.SILENT, waiting_on, since, limit, EscalationStep.ISSUE, now.date())


def closes_what_is_no_poc(facts: StallFacts, now: datetime) -> StallDecision:
    """The step that the what-if asks for."""
    stall = stands_still(facts, now)
    step = Step.KEEP if facts.is_poc or facts.observe else Step.CLOSE
    return StallDecision(step, stall, "so it was told")


LONG, SHORT = Policy(limits=Limits(waiting=200)), Policy(limits=Limits(waiting=3))
WAITS = "waits for signer (`dan-w`) since 12 October 2026, limit 3 working days"
OUT = Policy(exclude=Selector(names=("poc-*",)))
OPEN, CLOSED, GONE = IssueState.OPEN, IssueState.CLOSED, IssueState.GONE
STALLS = [
    pytest.param(silent(), SHORT, SHORT, {}, id="stalled before and after"),
    pytest.param(silent(), LONG, SHORT, {"opening": [(NAME, WAITS)]}, id="a shorter limit"),
    pytest.param(silent(), SHORT, LONG, {}, id="a longer limit, and no issue"),
    pytest.param(silent(), OBSERVE, SHORT, {"opening": [(NAME, WAITS)]}, id="enforced"),
    pytest.param(silent(), LONG, OBSERVE, {}, id="only observed"),
    pytest.param(silent(standing(OPEN)), LONG, SHORT, {}, id="its issue is open already"),
    pytest.param(silent(standing(GONE)), LONG, SHORT, {}, id="its issue was deleted: it gets no other"),
    pytest.param(replace(silent(), dormant=True), LONG, SHORT, {}, id="dormant"),
    pytest.param(
        silent(standing(OPEN)),
        SHORT,
        OUT,
        {
            "no_pocs": [(NAME, "until now by its name, `poc-triage`")],
            "closing": [(NAME, "not a POC under that policy")],
        },
        id="excluded, and its issue is open",
    ),
]


@pytest.mark.parametrize(("stall", "before", "after", "expected"), STALLS)
def test_what_would_stall(
    stall: StallFacts, before: Policy, after: Policy, expected: dict[str, list[tuple[str, str]]]
) -> None:
    with (
        patch("service.rules.what_if.find_stall", stands_still),
        patch("service.rules.what_if.decide", closes_what_is_no_poc),
    ):
        assert told(what_if((facts(stall=stall),), before, after, NOW)) == expected


def test_a_repository_without_issues_has_its_issue_in_the_central_one() -> None:
    fact = facts(found=repository(has_issues=False), stall=replace(silent(), has_home=False))
    central = replace(SHORT, central_repository="acme/portfolio")
    with (
        patch("service.rules.what_if.find_stall", stands_still),
        patch("service.rules.what_if.decide", closes_what_is_no_poc),
    ):
        assert told(what_if((fact,), LONG, SHORT, NOW)) == {}
        assert told(what_if((fact,), SHORT, central, NOW)) == {"opening": [(NAME, WAITS)]}
