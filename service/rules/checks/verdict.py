"""Which charter a commit is judged by, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from service.rules.charter.goalposts import Move, moved
from service.rules.charter.model import Charter
from service.rules.checks.judge import Judgement, declares, judge, judge_standing, unreadable
from service.rules.checks.surroundings import RepositoryFacts
from service.rules.policy.model import NO_POLICY, Policy, WhenUnjudged
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.actions import HOLDING, Conclusion

NO_CHARTER = "no-charter"
CHARTERLESS_AUTHORS = frozenset({"dependabot[bot]", "renovate[bot]"})
"""Their pull requests bring no charter, and cannot."""


class ChangeKind(StrEnum):
    """How a commit stands to the charter of the branch it goes to."""

    NO_CHARTER = "no charter on the head, none on the base"
    BEHIND = "doesn't touch the charter, and is behind the base's, or has none"
    DELETED = "deletes the charter, or renames it"
    OWN = "brings a charter of its own, or the base's unchanged"


@dataclass(frozen=True, slots=True)
class CharterChange:
    """The charter to judge by, if any, and the one that this change began with."""

    situation: ChangeKind
    judged: CharterFile | None = None
    before: CharterFile | None = None

    @property
    def written(self) -> bool:
        """Whether this change brings the charter that it is judged by."""
        return self.situation is ChangeKind.OWN and self.judged != self.before

    @property
    def touched(self) -> bool:
        """Whether this change brings a charter, or takes one away."""
        return self.written or self.situation is ChangeKind.DELETED


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check run will say, before it is put into words."""

    case: CharterChange
    judgement: Judgement | None
    conclusion: Conclusion
    moves: tuple[Move, ...] = ()
    """The goalposts that this change moves."""
    compared: Charter | None = None
    """The charter that they stood in."""
    would: Conclusion = Conclusion.NEUTRAL
    """The conclusion where things are held up."""
    rules: tuple[str, ...] = ()
    """What holds it up there: the codes of its errors."""


def needs_merge_base(head: CharterFile, base: CharterFile) -> bool:
    """Whether only the commit at which the branch began tells what the branch did to the charter."""
    return not same(head, base) and declares(base)


def same(one: CharterFile, other: CharterFile) -> bool:
    """Whether two commits hold the same charter."""
    return (one.kind, one.blob_sha) == (other.kind, other.blob_sha)


def situate(head: CharterFile, base: CharterFile, merge_base: CharterFile | None) -> CharterChange:
    """Find the charter to judge by; `merge_base` is needed where `needs_merge_base` says so."""
    present = declares(head) or unreadable(head)
    if same(head, base) and present:
        return CharterChange(ChangeKind.OWN, head, head)
    if same(head, base) or not declares(base):
        file = head if head.kind is FileKind.FILE or present else None
        return CharterChange(ChangeKind.OWN if present else ChangeKind.NO_CHARTER, file)
    if merge_base is None:
        raise ValueError(
            "the charter differs from the base's: the merge base is needed to tell who changed it"
        )
    if same(head, merge_base):
        return CharterChange(ChangeKind.BEHIND, base, base)
    if not present:
        return CharterChange(ChangeKind.DELETED, head if head.kind is FileKind.FILE else None, base)
    return CharterChange(ChangeKind.OWN, head, merge_base if declares(merge_base) else None)


def conclude(
    case: CharterChange,
    *,
    author: str | None,
    observe: bool,
    today: date,
    outside: RepositoryFacts | None = None,
    policy: Policy = NO_POLICY,
    agreed: Charter | None = None,
) -> Verdict:
    """Judge a case; in `observe` the text is the same and nothing is held up.

    `author` is None for a merge queue's head. `agreed` is the charter that was agreed on last: goalposts are
    compared with it where the change began with none that counts.
    """
    judgement: Judgement | None = None
    moves: tuple[Move, ...] = ()
    compared: Charter | None = None
    if case.situation is ChangeKind.NO_CHARTER:
        judgement = judge(case.judged, before=None, today=today) if case.judged else None
        # Of a merge queue's head each pull request was asked already.
        exempt = author is None or author in CHARTERLESS_AUTHORS
        conclusion = Conclusion.NEUTRAL if exempt else Conclusion.ACTION_REQUIRED
    elif case.judged is None:
        conclusion = Conclusion.FAILURE
    else:
        before = judge(case.before, before=None, today=today).charter if case.before else None
        judgement = judge(case.judged, before=before, today=today, outside=outside, policy=policy)
        conclusion = Conclusion.SUCCESS if judgement.valid else Conclusion.FAILURE
        compared = before if not case.written or _counts(case.before, today, policy) else agreed or before
        if compared and judgement.charter and judgement.valid:
            moves = moved(compared, judgement.charter)
    rules = _rules(case, judgement) if conclusion in HOLDING else ()
    spared = bool(rules) and policy.observed.rules.issuperset(rules)
    shown = Conclusion.NEUTRAL if observe or spared else conclusion
    return Verdict(case, judgement, shown, moves, compared, conclusion, rules)


def _rules(case: CharterChange, judgement: Judgement | None) -> tuple[str, ...]:
    """What a charter fails by: its errors by their codes, or that there is none."""
    if case.situation is ChangeKind.NO_CHARTER or judgement is None:
        return (NO_CHARTER if case.situation is ChangeKind.NO_CHARTER else "charter-removed",)
    return tuple(dict.fromkeys(finding.code for finding in judgement.errors))


def _counts(file: CharterFile | None, today: date, policy: Policy) -> bool:
    """Whether a charter has goalposts: not one with errors, and not one that says the POC has ended."""
    lets_go = replace(NO_POLICY, not_needed=policy.not_needed)
    judgement = judge_standing(file, today, lets_go) if file else None
    return bool(judgement and judgement.valid and judgement.charter and not judgement.charter.stopped)


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A commit that could not be judged: why, and when that is tried again."""

    cause: str
    again_at: datetime
    when: WhenUnjudged
    """What the policy says."""
    leaves_charter: bool
    """Whether it is known to leave the charter as it is."""
    observe: bool
    observing: date | None = None
    """Since when nothing is held up here."""

    @property
    def conclusion(self) -> Conclusion:
        """Neutral only where nobody gains by a commit that can't be judged: its author can make it so."""
        spared = self.when is WhenUnjudged.NEUTRAL and self.leaves_charter
        return Conclusion.NEUTRAL if self.observe or spared else Conclusion.FAILURE


def leaves_charter(head: CharterFile | None, base: CharterFile | None) -> bool:
    """Whether a commit is known to hold the charter of the branch it goes to."""
    return head is not None and base is not None and same(head, base)
