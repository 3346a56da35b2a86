"""What people read about a policy: the check run `POC policy`, and the issue about a broken one."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.rules.policy.model import NO_POLICY
from service.rules.policy.reading import PolicyReading, read_policy
from service.rules.values.actions import CheckRunOutput, Conclusion
from service.rules.what_if import Changed, WhatIf
from service.texts.policy import MOST_LISTED, NAMED, policy_view
from service.texts.render import SUMMARY_LIMIT, TITLE_LIMIT
from tests.harness.places import GOLDEN, POLICIES
from tests.unit.texts.gates import assert_does_nothing
from tests.unit.texts.reading import DOCS_URL, NASTY, TEXTS, assert_golden, assert_reads_well

EXAMPLE = (POLICIES / "ok" / "example.yml").read_text()
SEVERAL = (POLICIES / "err" / "several.yml").read_text()
URL = "https://github.com/acme/.github/blob/main/poc-policy.yml"
SUCCESS, FAILURE = Conclusion.SUCCESS, Conclusion.FAILURE
NOT_ALLOWED = "line 19: `support-dev` isn't allowed by the policy"
FULL = WhatIf(
    repositories=14,
    failing=(
        Changed("acme/poc-churn", "no charter"),
        Changed("acme/poc-triage", NOT_ALLOWED),
        Changed("acme/poc-x", f"{NOT_ALLOWED}, and 2 more", private=True),
    ),
    passing=(Changed("acme/summary-poc", f"until now: {NOT_ALLOWED}"),),
    pocs=(Changed("acme/churn", "property `stage`, `pilot`"), Changed("acme/poc-new", "topic `ai`")),
    no_pocs=(Changed("acme/sandbox-poc", "until now by its name, `sandbox-poc`"),),
    opening=(
        Changed("acme/poc-quiet", "waits for owner (`jane-doe`) since 1 October 2026, limit 7 working days"),
        Changed("acme/poc-secret", "no charter, since 1 October 2026, limit 5 working days", private=True),
    ),
    closing=(Changed("acme/sandbox-poc", "not a POC under that policy"),),
)


@dataclass(frozen=True)
class Shown:
    name: str
    title: str
    conclusion: Conclusion
    text: str | None
    change: WhatIf | None = None
    public: bool = False
    app_observes: bool = False

    @property
    def output(self) -> CheckRunOutput:
        reading = read_policy(self.text) if self.text is not None else PolicyReading(NO_POLICY)
        view = policy_view(
            self.text,
            reading,
            self.change,
            public=self.public,
            app_observes=self.app_observes,
            docs_url=DOCS_URL,
        )
        return TEXTS.policy_check(view)


SHOWN = [
    Shown(
        "what-if",
        "3 POCs would newly fail, 1 POC would pass, 2 repositories would become POCs, "
        "1 POC would stop being one, 2 stall issues would open, 1 stall issue would close",
        SUCCESS,
        EXAMPLE,
        FULL,
    ),
    Shown(
        "public",
        "1 POC would newly fail, 2 stall issues would open",
        SUCCESS,
        EXAMPLE,
        WhatIf(14, failing=FULL.failing[2:], opening=FULL.opening),
        public=True,
    ),
    Shown("nothing-changes", "Nothing would change", SUCCESS, EXAMPLE, WhatIf(14)),
    Shown("no-repositories", "Nothing would change", SUCCESS, EXAMPLE, WhatIf()),
    Shown(
        "observe",
        "1 POC would pass",
        SUCCESS,
        "policy: 1\nmode: observe\n",
        WhatIf(1, passing=(Changed("acme/poc-churn", "until now: no charter"),)),
    ),
    Shown(
        "app-observes",
        "1 POC would newly fail, 2 stall issues would open",
        SUCCESS,
        EXAMPLE,
        WhatIf(14, failing=FULL.failing[2:], opening=FULL.opening),
        app_observes=True,
    ),
    Shown("removed", "1 POC would stop being one", SUCCESS, None, WhatIf(3, no_pocs=FULL.no_pocs)),
    Shown("broken", "6 lines of the policy need a change", FAILURE, SEVERAL),
    Shown("broken-once", "1 line of the policy needs a change", FAILURE, "policy: 1\nmode: strict\n"),
    Shown("empty", "1 line of the policy needs a change", FAILURE, ""),
]


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: shown.name)
def test_a_policy_s_summary(shown: Shown) -> None:
    output = shown.output
    assert_golden(f"policy/{shown.name}", output.summary)
    assert (output.conclusion, output.title) == (shown.conclusion, shown.title)
    assert_reads_well(output.summary, links_to=())


@pytest.mark.parametrize("has_good", [True, False], ids=["an earlier one holds", "the defaults apply"])
def test_the_issue_about_a_broken_policy(has_good: bool) -> None:
    title, body = TEXTS.policy_broken(read_policy(SEVERAL).findings, URL, has_good=has_good)
    assert_golden(f"policy/issue-{'good' if has_good else 'default'}", f"{title}\n\n{body}")
    assert_reads_well(body, links_to=(URL,))


def test_the_golden_files_are_those_of_the_table() -> None:
    names = {shown.name for shown in SHOWN} | {"issue-good", "issue-default"}
    assert {path.stem for path in (GOLDEN / "policy").glob("*.md")} == names


def test_each_finding_is_annotated_on_its_line() -> None:
    annotations = TEXTS.policy_check(policy_view(SEVERAL, read_policy(SEVERAL), public=True)).annotations
    assert {each.path for each in annotations} == {"poc-policy.yml"}
    assert [(each.start_line, each.level, each.title) for each in annotations[:2]] == [
        (2, "failure", "wrong-value"),
        (4, "failure", "wrong-shape"),
    ]
    assert annotations[1].message.endswith("\n\nWrite:\n  topics: [POC]")


def test_a_private_repository_is_not_named_where_everybody_reads() -> None:
    output = TEXTS.policy_check(policy_view(EXAMPLE, read_policy(EXAMPLE), FULL, public=True))
    assert "poc-x" not in output.summary
    assert "poc-secret" not in output.summary
    assert "poc-quiet" in output.summary
    assert output.title.startswith("3 POCs would newly fail")


@pytest.mark.parametrize(
    ("length", "most"),
    [pytest.param(9, NAMED[0], id="short names"), pytest.param(90, NAMED[1], id="long names")],
)
def test_a_long_list_is_cut_and_says_by_how_much(length: int, most: int) -> None:
    many = tuple(Changed(f"acme/{'p' * length}-{n}", f"line 9: `{'x' * 100}`") for n in range(73))
    change = WhatIf(900, many, many, many, many, many, many)
    summary = TEXTS.policy_check(policy_view(EXAMPLE, read_policy(EXAMPLE), change, public=False)).summary
    assert len(summary) <= SUMMARY_LIMIT
    assert summary.count(f"And {73 - most} more.") == 6
    assert summary.count(f"-{most - 1}`") == 6
    assert f"-{most}`" not in summary


def test_more_findings_than_a_table_holds_are_counted() -> None:
    text = "policy: 1\n" + "".join(
        f"{section}:\n  topics: [{', '.join(['A/B'] * 20)}]\n  names: [{', '.join(['a/'] * 20)}]\n"
        for section in ("select", "exclude")
    )
    reading = read_policy(text)
    assert len(reading.findings) == 80
    view = policy_view(text, reading, public=True)
    assert f"And {80 - MOST_LISTED} more." in TEXTS.policy_check(view).summary
    assert f"And {80 - MOST_LISTED} more." in TEXTS.policy_broken(reading.findings, URL)[1]


WORST = "@dan-w closes #12 <img src=x> [a](https://x) **b**"


@given(NASTY, st.sampled_from(["mode", "central_repository", "x"]))
@example(WORST, "mode")
def test_nobodys_text_can_do_anything_to_the_texts(nasty: str, key: str) -> None:
    flat = " ".join(nasty.split()).replace("\\", "\\\\").replace('"', '\\"')
    text = f'policy: 1\n"{key}": "{flat}"\n'
    reading = read_policy(text)
    output = TEXTS.policy_check(policy_view(text, reading, public=True))
    assert_does_nothing(output.summary.replace("<br>Write", "Write"))
    assert len(output.title) <= TITLE_LIMIT
    body = TEXTS.policy_broken(reading.findings, URL)[1]
    assert_does_nothing(body.replace("<br>Write", "Write"), (URL,))


@given(NASTY, NASTY)
@example(WORST, WORST)
def test_nor_to_the_what_if(name: str, why: str) -> None:
    change = WhatIf(1, failing=(Changed(name, why),))
    assert_does_nothing(
        TEXTS.policy_check(policy_view("", PolicyReading(NO_POLICY), change, public=False)).summary
    )
