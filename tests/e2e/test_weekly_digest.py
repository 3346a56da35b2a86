"""The weekly digest on the central repository's issue: a week is told once, the next tells what is new."""

from __future__ import annotations

from service.demo.person import Issue
from service.reconcile.digest import DIGEST_LABEL
from service.rules.policy.model import NO_POLICY
from service.rules.values.subjects import repository_key
from service.store import subjects
from service.store.database import transaction
from tests.e2e.conftest import TOLD, MakePoc
from tests.harness.emulator import Repo, Stage, good_charter, later

LIMIT, A_WEEK = NO_POLICY.limits.waiting, 5


def digests(home: Repo) -> tuple[Issue, list[str]]:
    """The issue of the digests, and the digests."""
    (issue,) = home.person.issues(home.name, label=DIGEST_LABEL)
    return issue, home.person.comments(home.name, issue.number)


def test_each_week_is_told_once_on_one_issue(calendar: Stage, poc: MakePoc) -> None:
    home = calendar.repository("portfolio", org=TOLD)
    calendar.govern(TOLD, f"policy: 1\ncentral_repository: {home.full_name}\n")
    repo = poc(good_charter(), org=TOLD)

    calendar.sweep(later(1))
    issue, (first,) = digests(home)
    assert f"- New: [{repo.full_name}]" in first
    calendar.sweep(later(LIMIT))
    calendar.sweep(later(LIMIT + A_WEEK))
    _, told = digests(home)
    assert "1 stalled" in told[-1].partition("**\n")[0]
    assert f"| [{repo.full_name}](" in told[-1]
    assert "| data science (alice-k) |" in told[-1]
    assert "New:" not in told[-1]
    calendar.sweep(later(LIMIT + A_WEEK))
    assert digests(home) == (issue, told)

    home.person.edit_issue(home.name, issue.number, state="closed")
    # GitHub tells of our writes: the POC is reconciled at today's date again, on which it is not stalled.
    calendar.settle()
    with transaction(calendar.services.engine) as session:
        subjects.mark(session, [repository_key(repo.id)], as_of=later(LIMIT + 2 * A_WEEK))
    calendar.settle()
    calendar.sweep(later(LIMIT + 2 * A_WEEK))
    closed, more = digests(home)
    assert (closed.number, closed.state, len(more)) == (issue.number, "closed", len(told) + 1)
