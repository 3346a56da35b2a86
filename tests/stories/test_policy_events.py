"""The organisation's policy, from a push or a pull request to what it changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from service.ports import LARGEST_BLOB
from service.reconcile import policy
from service.rules.queue import Failure, FailureKind
from service.rules.values.actions import POLICY_CHECK, Conclusion
from service.rules.values.github import Commit, Repository
from service.rules.values.subjects import installation_key, policy_key
from service.store import subjects
from service.store.database import transaction
from service.worker import reconcile_while_dirty
from tests.harness.charters import GOOD
from tests.harness.deliveries import described
from tests.harness.github import repository
from tests.harness.org import HOME, Org
from tests.harness.snapshots import Snapshots
from tests.harness.world import BASE, FORK_POINT, HEAD, INSTALLATION, POC, charter_runs

OTHER = repository(2, full_name="acme/lab-speech")
OBSERVE = "policy: 1\nmode: observe\n"
LABS = 'policy: 1\nselect:\n  names: ["lab-*"]\n'
STAGED = "policy: 1\nselect:\n  properties:\n    stage: [poc]\n"
BROKEN = "policy: 1\nmode: watch\n"
ELSEWHERE = "policy: 1\nenvironments: [only-here]\n"


def begun(made: Org) -> None:
    """A POC, another repository, and one for the policy, which is not written yet."""
    made.github.add(POC).write(GOOD, "main", BASE)
    made.github.add(HOME)
    made.github.add(OTHER)
    made.write_policy(None)
    made.install(POC, HOME, OTHER)
    made.github.forget_calls()


@pytest.fixture
def org(snapshots: Snapshots) -> Iterator[Org]:
    with snapshots.of(Org, begun) as made:
        yield made


def reason(org: Org, found: Repository) -> str | None:
    known = org.services.store.repositories.find(found.id)
    return known.poc_reason if known else None


def test_a_policy_that_is_pushed_selects(org: Org) -> None:
    assert reason(org, OTHER) is None
    org.push_policy(LABS)
    assert reason(org, OTHER) is not None
    assert reason(org, POC) == "its `POC.md`"


def test_a_push_that_does_not_touch_it_reads_nothing(org: Org) -> None:
    org.push_policy(LABS, "README.md")
    assert org.github.made("blob") == []
    assert reason(org, OTHER) is None


def test_a_sweep_finds_what_no_event_told_of_and_then_costs_one_call(org: Org) -> None:
    org.write_policy(LABS)
    org.sweep()
    assert reason(org, OTHER) is not None
    org.github.forget_calls()
    org.sweep()
    assert len(org.github.made("blob_shas")) == 1
    assert org.github.made("blob") == []


def test_a_broken_policy_keeps_the_last_good_one_and_says_so_once(org: Org) -> None:
    org.push_policy(LABS)
    org.push_policy(BROKEN)
    assert reason(org, OTHER) is not None
    (notice,) = org.home.issues.values()
    assert notice.labels == ("poc-policy-broken",)
    assert "`watch`" in notice.body
    org.sweep()
    assert len(org.home.issues) == 1
    ((installation_id, known),) = org.services.store.policies.broken()
    assert installation_id == INSTALLATION
    assert known.findings[0].startswith("poc-policy.yml:2: ")
    org.push_policy(OBSERVE)
    assert org.services.store.policies.broken() == ()


def test_what_is_broken_is_said_although_the_first_look_at_it_fails(org: Org) -> None:
    org.push_policy(LABS)
    org.github.fail_next(Failure(FailureKind.TRANSIENT, "GitHub says 502"), "open_issue")
    org.push_policy(BROKEN)
    assert org.home.issues == {}
    org.work(waited=True)
    (notice,) = org.home.issues.values()
    assert "`watch`" in notice.body
    org.github.forget_calls()
    org.sweep()
    assert org.github.made("blob") == []


def test_broken_since_the_first_text_that_could_not_be_read(org: Org) -> None:
    org.push_policy(BROKEN)
    first = org.now
    org.now += timedelta(days=2)
    org.push_policy(BROKEN + "issues_a_day: many\n")
    known = org.services.store.policies.find(INSTALLATION)
    assert known is not None
    assert (known.broken_since, known.good_text, len(known.findings)) == (first, None, 2)
    assert len(org.home.issues) == 2
    assert all("no policy without errors before" in each.body for each in org.home.issues.values())


def test_a_pushed_commit_that_is_no_more_is_read_from_the_branch(org: Org) -> None:
    org.write_policy(LABS)
    org.github.fail_next(Failure(FailureKind.GONE, "GitHub says 404"), "blob_shas")
    org.push_policy(LABS)
    assert reason(org, OTHER) is not None


def test_a_file_that_is_larger_than_what_is_read_is_no_policy(org: Org) -> None:
    org.push_policy("#" * (LARGEST_BLOB + 1))
    ((_, known),) = org.services.store.policies.broken()
    assert "larger than 64 KiB" in known.findings[0]


def test_a_policy_that_is_deleted_holds_no_more(org: Org) -> None:
    org.push_policy(LABS)
    org.push_policy(None)
    assert reason(org, OTHER) is None


def test_observe_by_policy_makes_the_checks_neutral(org: Org) -> None:
    org.github.repos[POC.id].write("---\npoc: 1\n---\n", HEAD)
    org.github.repos[POC.id].merge_bases[BASE, HEAD] = BASE
    org.pull_request()
    org.push_policy(OBSERVE)
    said = [run.output.conclusion for run in charter_runs(org.github.repos[POC.id])]
    assert said == [Conclusion.FAILURE, Conclusion.NEUTRAL]


def test_environments_of_the_policy_are_asked_of_charters(org: Org) -> None:
    org.push_policy(ELSEWHERE)
    org.github.repos[POC.id].write(GOOD.replace("50 req/s", "60 req/s"), HEAD)
    org.github.repos[POC.id].merge_bases[BASE, HEAD] = BASE
    org.pull_request()
    (run,) = charter_runs(org.github.repos[POC.id])
    assert run.output.conclusion is Conclusion.FAILURE
    assert any("only-here" in each.message for each in run.output.annotations)


def test_a_pull_request_on_the_policy_gets_its_what_if_without_a_call_per_poc(org: Org) -> None:
    org.propose_policy(LABS)
    (run,) = org.policy_runs
    assert run.output.conclusion is Conclusion.SUCCESS
    assert "acme/lab-speech" in run.output.summary
    asked = {call.repository_id for call in org.github.calls if call.method != "repository"}
    assert asked <= {HOME.id}
    org.pull_request("edited", repository=HOME)
    assert len(org.policy_runs) == 1


def test_a_broken_policy_on_a_pull_request_fails_on_its_lines(org: Org) -> None:
    org.propose_policy(BROKEN)
    (run,) = org.policy_runs
    assert run.output.conclusion is Conclusion.FAILURE
    (annotation,) = run.output.annotations
    assert (annotation.path, annotation.start_line) == ("poc-policy.yml", 2)


def test_a_pull_request_that_leaves_the_policy_alone_gets_nothing(org: Org) -> None:
    org.push_policy(LABS)
    org.propose_policy(LABS)
    assert org.policy_runs == []


def test_a_branch_that_is_only_behind_changes_nothing_of_the_policy(org: Org) -> None:
    org.write_policy(LABS, FORK_POINT)
    org.push_policy(OBSERVE)
    org.propose_policy(LABS)
    assert org.policy_runs == []


def test_the_policys_check_asked_for_again_is_completed_again(org: Org) -> None:
    org.propose_policy(LABS)
    org.deliver(
        "check_run",
        action="rerequested",
        check_run={"id": org.policy_runs[0].id, "name": POLICY_CHECK, "head_sha": HEAD},
        repository=described(HOME),
        sender={"login": "jane-doe"},
    )
    org.work()
    (run,) = org.policy_runs
    assert run.completions == 2


def test_properties_select_once_the_organisation_is_asked_for_them(org: Org) -> None:
    org.github.repos[OTHER.id].properties = {"stage": ("poc",)}
    org.push_policy(STAGED)
    assert reason(org, OTHER) is not None
    assert len(org.github.made("property_values")) == 1


def test_a_property_that_changes_is_told(org: Org) -> None:
    org.push_policy(STAGED)
    assert reason(org, OTHER) is None
    org.deliver(
        "custom_property_values",
        action="updated",
        new_property_values=[{"property_name": "stage", "value": "poc"}],
        repository=described(OTHER) | {"custom_properties": {"tier": "3"}},
        sender={"login": "jane-doe"},
    )
    org.work()
    assert reason(org, OTHER) is not None


def test_a_policy_of_a_repository_that_is_not_covered_holds_no_more(org: Org) -> None:
    org.push_policy(LABS)
    org.deliver(
        "installation_repositories",
        action="removed",
        repositories_removed=[{"id": HOME.id, "full_name": HOME.full_name}],
    )
    del org.github.repos[HOME.id]
    org.sweep()
    assert reason(org, OTHER) is None
    assert "isn't covered" in (org.outcome(policy_key(INSTALLATION)) or "")


def test_deleting_the_repository_of_the_policy_takes_it_away(org: Org) -> None:
    org.push_policy(LABS)
    del org.github.repos[HOME.id]
    org.deliver("repository", action="deleted", repository=described(HOME), sender={"login": "jane-doe"})
    org.work()
    assert reason(org, OTHER) is None
    assert org.services.store.policies.find(INSTALLATION) is None


def test_a_policys_repository_is_no_poc(org: Org) -> None:
    org.home.history[HEAD] = Commit(HEAD, "tree", ())
    known = org.services.store.repositories.find(HOME.id)
    assert known is not None
    assert known.poc_reason is None


EXCLUDING = 'policy: 1\nexclude:\n  names: ["lab-*"]\n'
LATE = repository(3, full_name="acme/lab-translation")


def test_what_is_excluded_no_more_is_read_although_it_never_was(org: Org) -> None:
    org.push_policy(EXCLUDING)
    org.github.add(LATE).write(GOOD, "main", BASE)
    org.sweep()
    assert reason(org, LATE) is None
    org.push_policy(OBSERVE)
    assert reason(org, LATE) == "its `POC.md`"


def test_a_policy_that_comes_while_repositories_are_listed_selects_them(
    org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks which there are before they are stored, and they are judged by the policy before it."""
    concerned = policy._concerned

    def meanwhile(*arguments: Any) -> Any:
        found = concerned(*arguments)
        org.github.add(LATE)
        with transaction(org.services.engine) as session:
            subjects.mark(session, [installation_key(INSTALLATION)])
        reconcile_while_dirty(org.services, installation_key(INSTALLATION))
        return found

    with monkeypatch.context() as patched:
        patched.setattr(policy, "_concerned", meanwhile)
        org.push_policy(LABS)
    org.sweep()
    assert reason(org, LATE) == "its name, `lab-translation`"
