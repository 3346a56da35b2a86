"""What a policy asks of a charter: the target's environment, and who signs for whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.rules.charter.model import Charter
from service.rules.checks.judge import judge, judge_standing
from service.rules.checks.verdict import conclude, situate
from service.rules.policy.model import NO_POLICY, OFFLINE, GroupPolicy, Policy
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.actions import Conclusion
from service.rules.values.finding import Finding, Severity
from service.rules.values.groups import FOUR, Group
from tests.harness.github import charter_file
from tests.unit.rules.samples import SAMPLE, TODAY

NOT_ALLOWED, NOT_A_MEMBER = "environment-not-allowed", "signoffs-not-member"


def allowing(*environments: str) -> Policy:
    return Policy(environments=frozenset(environments))


def security(*members: str) -> Policy:
    return Policy(groups={Group.SECURITY: GroupPolicy(frozenset(members), "sec-lead")})


def found(policy: Policy, text: str = SAMPLE, before: str | None = None) -> tuple[Finding, ...]:
    charter = judge(CharterFile(FileKind.FILE, before.encode()), today=TODAY).charter if before else None
    file = CharterFile(FileKind.FILE, text.encode())
    return judge(file, before=charter, today=TODAY, policy=policy).findings


CASES = [
    pytest.param(NO_POLICY, SAMPLE, None, id="no policy: any"),
    pytest.param(allowing("support-prod"), SAMPLE, None, id="the environment is listed"),
    pytest.param(
        allowing("support-prod"), SAMPLE.replace("support-prod", "Support-PROD"), None, id="in any case"
    ),
    pytest.param(allowing("support-prod"), SAMPLE, None, id="measured_in is not asked for"),
    pytest.param(
        allowing("sales-prod", "support-live"),
        SAMPLE,
        (NOT_ALLOWED, "`support-prod` isn't allowed by the policy: write `sales-prod` or `support-live`"),
        id="another environment",
    ),
    pytest.param(
        allowing("a", "b", "c", "d"),
        SAMPLE,
        (NOT_ALLOWED, "`support-prod` isn't allowed by the policy: write `a`, `b` or 2 more"),
        id="one of many",
    ),
    pytest.param(
        allowing("a"),
        SAMPLE.replace("environment: support-prod", "environment: TODO"),
        ("unfilled", None),
        id="an environment that is still open is another check's",
    ),
    pytest.param(security("dan-w"), SAMPLE, None, id="the signer is a member"),
    pytest.param(security("dan-w"), SAMPLE.replace("dan-w", "Dan-W"), None, id="a member in any case"),
    pytest.param(security(), SAMPLE, None, id="a group without members: whoever is named"),
    pytest.param(
        security("eve-s", "fred"),
        SAMPLE,
        (NOT_A_MEMBER, "`dan-w` isn't in `security` of the policy: name `eve-s` or `fred`"),
        id="somebody else signs",
    ),
    pytest.param(
        security("eve-s"),
        SAMPLE.replace("security: dan-w", "security: acme/security"),
        ("signoffs-people", None),
        id="a team is another check's",
    ),
    pytest.param(
        security("eve-s"),
        SAMPLE.replace("security: dan-w", "security: renovate-bot"),
        ("signoffs-people", None),
        id="and so is a bot",
    ),
    pytest.param(
        security("eve-s"),
        SAMPLE.replace("poc: 1", "poc: 1\nstopped: 2026-11-20 - enough"),
        None,
        id="a POC that was ended is asked for nothing",
    ),
]


@pytest.mark.parametrize(("policy", "text", "expected"), CASES)
def test_what_a_policy_asks_of_a_charter(
    policy: Policy, text: str, expected: tuple[str, str | None] | None
) -> None:
    findings = [each for each in found(policy, text) if each.severity is Severity.ERROR]
    assert [each.code for each in findings] == ([expected[0]] if expected else [])
    if expected and expected[1]:
        assert findings[0].message == expected[1]


@pytest.mark.parametrize(
    ("policy", "example"),
    [
        pytest.param(allowing("support-live", "sales"), "  environment: support-live", id="the nearest name"),
        pytest.param(allowing("x"), "  environment: x", id="the only one"),
        pytest.param(security("eve-s"), "  security: eve-s", id="the only member"),
    ],
)
def test_writing_the_proposed_line_settles_it(policy: Policy, example: str) -> None:
    [finding] = found(policy)
    assert finding.example == example
    lines = SAMPLE.split("\n")
    lines[finding.line - 1] = example
    assert found(policy, "\n".join(lines)) == ()


def test_where_nobody_can_tell_which_is_meant_no_line_is_proposed() -> None:
    assert [each.example for each in (*found(allowing("x", "y")), *found(security("x", "y")))] == [None, None]


def test_a_message_is_short_however_long_the_names_are() -> None:
    long = "a" * 39
    policy = Policy(
        environments=frozenset({"e" * 255, "f" * 255, "g"}),
        groups={group: GroupPolicy(frozenset({f"{long[1:]}{n}" for n in range(9)})) for group in FOUR},
    )
    text = SAMPLE.replace("environment: support-prod", f"environment: {'x' * 200}").replace("dan-w", long)
    findings = found(policy, text)
    assert len(findings) == 5
    assert all(len(each.message) <= 120 for each in findings)


def test_it_is_an_error_on_a_charter_that_nobody_changes_as_well() -> None:
    policy = allowing("sales-prod")
    assert [each.severity for each in found(policy, before=SAMPLE)] == [Severity.ERROR]
    standing = judge_standing(CharterFile(FileKind.FILE, SAMPLE.encode()), TODAY, policy)
    assert [each.code for each in standing.errors] == [NOT_ALLOWED]


def test_a_pull_request_is_judged_by_the_policy() -> None:
    case = situate(charter_file(SAMPLE), charter_file(None), None)
    concluded = [
        conclude(case, author="jane-doe", observe=False, today=TODAY, policy=policy).conclusion
        for policy in (NO_POLICY, allowing("sales-prod"))
    ]
    assert concluded == [Conclusion.SUCCESS, Conclusion.FAILURE]


NOT_NEEDED, NONE_HERE = ["signoffs-not-needed"], "  security: n/a - none here"
LEGAL = Policy(groups={Group.LEGAL: GroupPolicy(frozenset({"lea-l"}))})
SPARED = Policy(not_needed=frozenset({Group.SECURITY, Group.LEGAL}), groups={Group.LEGAL: GroupPolicy()})


def with_signoff(line: str) -> str:
    return SAMPLE.replace("  security: dan-w\n", f"{line}\n")


@pytest.mark.parametrize(
    ("policy", "text", "codes"),
    [
        pytest.param(NO_POLICY, SAMPLE + "", [], id="four groups"),
        pytest.param(NO_POLICY, with_signoff("  security: dan-w\n  legal: lea-l"), [], id="a fifth signer"),
        pytest.param(LEGAL, SAMPLE, ["signoffs-further"], id="a further group that the policy names"),
        pytest.param(LEGAL, with_signoff("  security: dan-w\n  legal: lea-l"), [], id="with its signer"),
        pytest.param(
            LEGAL,
            with_signoff("  security: dan-w\n  legal: mallory"),
            ["signoffs-not-member"],
            id="who is none",
        ),
        pytest.param(
            LEGAL,
            with_signoff("  security: dan-w\n  legal: n/a - no personal data"),
            NOT_NEEDED,
            id="a reason that the policy does not take",
        ),
        pytest.param(
            SPARED,
            with_signoff("  security: n/a - none here\n  legal: n/a - no personal data"),
            [],
            id="one that it takes",
        ),
        pytest.param(
            NO_POLICY,
            with_signoff("  security: n/a - none here"),
            ["signoffs-not-needed"],
            id="without a policy",
        ),
        pytest.param(
            OFFLINE,
            with_signoff("  security: n/a - none here"),
            ["signoffs-not-needed"],
            id="where nobody can ask",
        ),
        pytest.param(
            SPARED,
            with_signoff("  security: n/a"),
            ["signoffs-further", "signoffs-people"],
            id="without a reason",
        ),
        pytest.param(
            SPARED,
            with_signoff("  security: dan-w\n  legal: lea-l").replace("carol-s", "n/a - none here"),
            ["signoffs-people"],
            id="product always signs",
        ),
    ],
)
def test_which_groups_sign_is_the_policys_to_say(policy: Policy, text: str, codes: list[str]) -> None:
    assert sorted(each.code for each in found(policy, text)) == codes
    severities = {each.severity for each in found(policy, text)}
    assert severities <= ({Severity.NOTICE} if policy is OFFLINE else {Severity.ERROR})


def test_goalposts_are_compared_with_a_charter_that_leaves_a_group_out_as_the_policy_allows() -> None:
    before, agreed = with_signoff(NONE_HERE), judged_by(SPARED, SAMPLE.replace(">= 92 %", ">= 80 %"))
    now = before.replace(">= 92 %", ">= 90 %")
    case = situate(charter_file(now), charter_file(before), charter_file(before))
    moves = [
        conclude(case, author="jane-doe", observe=False, today=TODAY, policy=policy, agreed=agreed).moves
        for policy in (replace(SPARED, groups={}), NO_POLICY)
    ]
    assert [[move.before for move in each if move.field == "done"] for each in moves] == [[">= 92 %"], []]


def judged_by(policy: Policy, text: str) -> Charter | None:
    return judge(charter_file(text), today=TODAY, policy=policy).charter
