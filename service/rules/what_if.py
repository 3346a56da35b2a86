"""What another policy would change, from what is stored alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from service.rules.checks.judge import judge_standing
from service.rules.policy.model import Mode, Policy
from service.rules.policy.recognition import mode_of, poc_reason
from service.rules.source.text import CharterFile, clip, in_words, shown
from service.rules.stall.escalation import decide
from service.rules.stall.stalls import Cause, Stall, StallFacts, Step, find_stall
from service.rules.values.github import IssueState, Repository

HEAD = re.compile(r"(?:`[^`]*`|[^`:;])+")
"""What a message says is wrong, before it says what to write."""
LONGEST_WHY = 120


@dataclass(frozen=True, slots=True)
class PocFacts:
    """A repository as it is stored: enough to say what a policy makes of it."""

    full_name: str
    repository: Repository
    declares_charter: bool
    charter: CharterFile | None = None
    """The default branch's, as last read; None where there is none."""
    stall: StallFacts | None = None
    """What is stored of it; `policy`, `observe`, `is_poc` and `has_home` are replaced."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A repository that would fare otherwise, and why in a few words, which quote strangers as code."""

    full_name: str
    why: str = ""
    private: bool = False


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What would change, each list in the order of the names."""

    repositories: int = 0
    """Repositories that were compared."""
    failing: tuple[Changed, ...] = ()
    passing: tuple[Changed, ...] = ()
    """POCs that were held up, and would not be."""
    pocs: tuple[Changed, ...] = ()
    """Repositories that would become POCs."""
    no_pocs: tuple[Changed, ...] = ()
    """POCs that would be none any more."""
    opening: tuple[Changed, ...] = ()
    """POCs whose stall issue would open."""
    closing: tuple[Changed, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """What one policy makes of a repository."""

    reason: str | None
    """Why it is a POC."""
    fails: str | None
    """What holds its pull requests up, in a few words."""
    stall: Stall | None
    """The stall for which an issue would be open."""
    closes: bool
    """Whether an open issue would be closed."""


def what_if(facts: Iterable[PocFacts], before: Policy, after: Policy, now: datetime) -> WhatIf:
    """Compare what two policies make of the same facts, where the app itself enforces."""
    known = sorted(facts, key=lambda each: each.full_name.lower())
    changes: dict[str, list[Changed]] = {}
    for each in known:
        for name, why in _changes(each, *outcomes_of(each, before, after, now)):
            changes.setdefault(name, []).append(Changed(each.full_name, why, each.repository.private))
    return WhatIf(len(known), **{name: tuple(found) for name, found in changes.items()})


def _changes(facts: PocFacts, old: PolicyOutcome, new: PolicyOutcome) -> Iterator[tuple[str, str]]:
    """The lists of a `WhatIf` that a repository is on, each with why."""
    if new.fails and old.fails is None:
        yield "failing", new.fails
    if old.fails and new.reason and new.fails is None:  # what isn't a POC any more passes nothing
        yield "passing", f"until now: {old.fails}"
    if new.reason and old.reason is None:
        yield "pocs", new.reason
    if old.reason and new.reason is None:
        yield "no_pocs", f"until now by {old.reason}"
    issue = facts.stall.issue if facts.stall else None
    settled = issue is not None and issue.state in (IssueState.OPEN, IssueState.GONE)
    if new.stall and not old.stall and not settled:
        yield "opening", waiting(new.stall)
    if new.closes and not old.closes:
        yield "closing", "not stalled under that policy" if new.reason else "not a POC under that policy"


def outcomes_of(
    facts: PocFacts, before: Policy, after: Policy, now: datetime
) -> tuple[PolicyOutcome, PolicyOutcome]:
    """What each policy makes of a repository; its charter is judged again only where they ask otherwise."""
    today = now.date()
    reasons = [
        poc_reason(facts.repository, declares_charter=facts.declares_charter, policy=policy)
        for policy in (before, after)
    ]
    wrongs: list[str | None] = [None, None]
    if any(reasons):
        wrong = charter_problem(facts.charter, today, before)
        same = asked_by(before) == asked_by(after)
        wrongs = [wrong, wrong if same else charter_problem(facts.charter, today, after)]
    return (
        outcome(facts, before, reasons[0], wrongs[0], now),
        outcome(facts, after, reasons[1], wrongs[1], now),
    )


def outcome(
    facts: PocFacts, policy: Policy, reason: str | None, wrong: str | None, now: datetime
) -> PolicyOutcome:
    """What one policy makes of it."""
    stall, closes = None, False
    observe = mode_of(policy, facts.repository, begins=False) is Mode.OBSERVE
    if facts.stall is not None:
        home = facts.repository.has_issues or policy.central_repository is not None
        poc = reason is not None
        changed = replace(facts.stall, policy=policy, observe=observe, is_poc=poc, has_home=home)
        speaks = poc and home and not observe
        stall = find_stall(changed, now) if speaks else None
        open_now = changed.issue is not None and changed.issue.state is IssueState.OPEN
        closes = open_now and decide(changed, now).step is Step.CLOSE
    return PolicyOutcome(reason, wrong if reason and not observe else None, stall, closes)


def asked_by(policy: Policy) -> object:
    """What a policy asks of a charter."""
    return policy.environments, {
        group: known.members for group, known in policy.groups.items() if known.members
    }


def charter_problem(charter: CharterFile | None, today: date, policy: Policy) -> str | None:
    """What is wrong with the default branch's charter, in a few words; None where nothing is."""
    judgement = judge_standing(charter, today, policy) if charter else None
    if judgement is None or not judgement.declared:
        return "no charter"
    if judgement.valid:
        return None
    first, *others = judgement.errors
    head = HEAD.match(first.message)
    words = clip(head[0], LONGEST_WHY) if head else first.code
    more = f", and {len(others)} more" if others else ""
    return f"line {first.line}: {words}{more}"


def waiting(stall: Stall) -> str:
    """A stall in a few words."""
    since = f"since {in_words(stall.since)}, limit {stall.limit} working days"
    waiting_on = stall.waiting_on
    if waiting_on is None or stall.cause is not Cause.SILENT:
        return f"{stall.cause}, {since}"
    who = (
        f"{waiting_on.party} ({shown(waiting_on.people[0])})" if waiting_on.people else waiting_on.party.value
    )
    return f"waits for {who} {since}"
