"""The ship gate: whether a commit may ship, and if not, all that is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from service.rules.charter.goalposts import Move
from service.rules.charter.model import Charter
from service.rules.evidence.values import Result, Status
from service.rules.gate.signoffs import Signature, named
from service.rules.source.text import in_words, listed, shown
from service.rules.values.actions import Conclusion
from service.rules.values.groups import Group

COMPARED = frozenset({Status.MET, Status.MET_WITHIN_ERROR, Status.UNDECIDED, Status.MISSED})
"""How a threshold stands that has a number which counts."""
LONGEST_NAME = 100


class Occasion(StrEnum):
    """What is asked: a verdict is given only where somebody wants to ship."""

    ORDINARY = "ordinary"
    """A pull request, the default branch, a merge queue's head: neutral, saying what is missing."""
    SHIP_REQUEST = "ship request"
    DEPLOYMENT = "deployment"


@dataclass(frozen=True, slots=True)
class GateFacts:
    """All that the gate is decided by."""

    occasion: Occasion
    today: date
    charter: Charter | None
    """The charter judged by; None where there is none that can be read."""
    valid: bool = False
    """Whether the charter has no finding of severity error."""
    results: tuple[Result, ...] = ()
    """One for each line of `done`, in their order."""
    signatures: Mapping[Group, Signature | None] = field(default_factory=dict)
    """The ship round so far; empty while nobody asked to ship."""
    outdated: Mapping[Group, Signature] = field(default_factory=dict)
    """Signatures of an earlier commit, where the policy asks for those of the head."""
    newer: Mapping[str, int | None] = field(default_factory=dict)
    """For each approved commit that is not the ship request's head, how many commits that has more; None
    where GitHub doesn't tell."""
    head_sha: str = ""
    """The ship request's head."""
    request_number: int | None = None
    """The ship request: the open pull request on which the owner wrote `/poc ship`."""
    asked_on: date | None = None
    unsigned: tuple[Move, ...] = ()
    """Goalposts that were eased and are not signed: judged by those before."""
    holders: Mapping[Group, str | None] = field(default_factory=dict)
    """Who has not signed them."""
    bound: bool = False
    """Whether every threshold had a value that counts on some commit before."""
    protected: frozenset[str] = frozenset()
    """The environments that are held whatever `charter` names, in small letters: the one that platform signed
    for last, the one that was agreed on, the one that is named now."""
    outside: str = ""
    """Why the repository isn't a POC; empty where it is one. `charter` is then the one that was agreed on."""
    contained: bool = True
    """Whether the commit is the ship request's head, or on the default branch."""
    observe: bool = False
    observed: frozenset[str] = frozenset()
    """Kinds of gaps that are only said."""


class GapKind(StrEnum):
    """What may be missing."""

    CHARTER = "charter"
    THRESHOLD = "threshold"
    INFRA = "infra"
    ROLLBACK = "rollback"
    REQUEST = "request"
    """Nobody asked to ship."""
    SIGNATURE = "signature"
    COMMIT = "commit"
    """It is not what was asked for."""
    LEFT = "left"
    """The repository isn't a POC any more."""
    STOPPED = "stopped"
    PAUSED = "paused"


FOR_PEOPLE = frozenset({GapKind.SIGNATURE, GapKind.REQUEST, GapKind.PAUSED})
"""Gaps for which nothing has to be built or measured."""


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that is missing for shipping: what it is about, and who can fix it."""

    kind: GapKind
    about: str
    """A metric, an entry of `infra`, a group; the day of a stop or a pause; what the charter has wrong."""
    result: Result | None = None
    login: str | None = None
    """The owner, who signs for platform, or who signs for the group."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The verdict, and all that it is based on."""

    facts: GateFacts
    gaps: tuple[Gap, ...]
    conclusion: Conclusion

    @property
    def ready(self) -> bool:
        """Whether nothing is missing."""
        return not self.gaps

    @property
    def proven(self) -> bool:
        """Whether nothing but signatures and the request is missing: numbers, infra and rollback are there.

        A pause lies over the state and does not change it.
        """
        return all(gap.kind in FOR_PEOPLE for gap in self.gaps)


def gate(facts: GateFacts) -> Gate:
    """Find everything that is missing, and conclude as the occasion asks."""
    gaps = tuple(_gaps(facts))
    if facts.observe or facts.occasion is Occasion.ORDINARY:
        return Gate(facts, gaps, Conclusion.NEUTRAL)
    if not gaps:
        return Gate(facts, gaps, Conclusion.SUCCESS)
    return Gate(facts, gaps, Conclusion.NEUTRAL if only_observed(facts, gaps) else Conclusion.FAILURE)


def only_observed(facts: GateFacts, gaps: Iterable[Gap]) -> bool:
    """Whether all that is missing is only said, by the policy's word."""
    return facts.observe or all(gap.kind in facts.observed for gap in gaps)


def unsigned_only(verdict: Gate) -> tuple[Group, ...] | None:
    """The groups whose signatures alone are missing; None where something else is."""
    if any(gap.kind is not GapKind.SIGNATURE for gap in verdict.gaps):
        return None
    return tuple(Group(gap.about) for gap in verdict.gaps)


def _gaps(facts: GateFacts) -> Iterator[Gap]:
    """What is missing, in the order in which a person would fix it; of a POC that stopped, nothing else."""
    charter = facts.charter
    if facts.outside:
        yield Gap(GapKind.LEFT, facts.outside, login=named(charter, Group.PRODUCT) if charter else None)
        return
    if charter is None:
        yield Gap(GapKind.CHARTER, "none")
        return
    owner = charter.owner_login
    if charter.stopped:
        yield Gap(GapKind.STOPPED, charter.stopped.value.on.isoformat(), login=owner)
        return
    if charter.paused and charter.paused.value.until >= facts.today:
        yield Gap(GapKind.PAUSED, charter.paused.value.until.isoformat(), login=owner)
    if not facts.valid or not charter.done:
        yield Gap(GapKind.CHARTER, "done" if facts.valid else "errors", login=owner)
    yield from _unmet(facts, charter, owner)
    yield from _unprepared(charter)
    yield from _unsigned(facts, charter, owner)
    if not facts.contained:
        yield Gap(GapKind.COMMIT, "not on the default branch", login=owner)


def _unmet(facts: GateFacts, charter: Charter, owner: str | None) -> Iterator[Gap]:
    """The thresholds that are not met and not waived; one that nobody has judged was not measured."""
    judged = {result.threshold for result in facts.results}
    forgotten = (Result(line, Status.NOT_MEASURED) for line in charter.done if line not in judged)
    for result in (*facts.results, *forgotten):
        if not result.lets_ship:
            yield Gap(GapKind.THRESHOLD, result.threshold.metric, result, owner)


def _unprepared(charter: Charter) -> Iterator[Gap]:
    """The infrastructure that is missing, and a rollback that nobody has tried."""
    platform = named(charter, Group.PLATFORM)
    for name in charter.infra.missing:
        yield Gap(GapKind.INFRA, name, login=platform)
    if charter.rollback.drilled is None:
        yield Gap(GapKind.ROLLBACK, "drilled", login=platform)


def _unsigned(facts: GateFacts, charter: Charter, owner: str | None) -> Iterator[Gap]:
    """The signatures that are open; before anybody asked to ship, that alone.

    Where nobody ships by the commit they are not its: they change without it.
    """
    if facts.occasion is Occasion.ORDINARY:
        return
    if facts.request_number is None and facts.occasion is not Occasion.SHIP_REQUEST:
        yield Gap(GapKind.REQUEST, "/poc ship", login=owner)
        return
    for group in charter.signoffs.groups:
        if facts.signatures.get(group) is None:
            yield Gap(GapKind.SIGNATURE, group.value, login=named(charter, group))


@dataclass(frozen=True, slots=True)
class DeploymentAnswer:
    """The answer to GitHub's deployment protection rule."""

    approved: bool
    note: str
    """Why, where it is not by the verdict alone: another environment, observing, not yet bound; else empty.

    Markdown, and inert: what people wrote stands in it as code.
    """


def answer_deployment(verdict: Gate, environment: str, *, shipped_on: date | None = None) -> DeploymentAnswer:
    """Approve or reject a deployment to an environment.

    On `shipped_on` the commit, or one with the same files, shipped there: the way back stays open, whatever
    became of its numbers and of the bounds, until the POC is stopped.
    """
    note = elsewhere(verdict.facts, environment)
    stopped = any(gap.kind is GapKind.STOPPED for gap in verdict.gaps)
    if not note and shipped_on and not (verdict.ready or stopped):
        note = (
            f"this goes back to what shipped here on {in_words(shipped_on)}, and a rollback is always allowed"
        )
    if not note and verdict.gaps and only_observed(verdict.facts, verdict.gaps):
        note = "only observed: enforcing would have rejected it"
    if not note and verdict.facts.observe:
        would = "approved" if verdict.ready else "rejected"
        note = f"only observed: enforcing would have {would} it"
    note = note or _not_bound(verdict.facts)
    return DeploymentAnswer(bool(note) or verdict.ready, note)


def elsewhere(facts: GateFacts, environment: str) -> str:
    """Why the verdict does not speak of this environment; empty where it does.

    One that platform has signed for stays protected until platform signs for another.
    """
    charter = facts.charter
    # GitHub's names of environments do not differ by case.
    if environment.lower() in facts.protected:
        return ""
    if facts.outside:
        return f"this repository isn't a POC ({facts.outside}), so nothing is held here"
    if charter is None:
        return "there is no charter that can be read, so nothing says where this POC will run"
    target = charter.target.environment
    if target is None:
        return "the charter names no environment"
    same = target.value.lower() == environment.lower()
    return "" if same else f"not the environment that the charter names ({shown(target.value, LONGEST_NAME)})"


def _not_bound(facts: GateFacts) -> str:
    """Which numbers can only be taken after the deployment; empty where the verdict binds."""
    charter = facts.charter
    if facts.bound or facts.outside or charter is None or charter.stopped or charter.target.measured_in:
        return ""
    if any(result.status in (Status.MISSED, Status.UNDECIDED) for result in facts.results):
        return ""
    compared = {result.threshold for result in facts.results if result.status in COMPARED}
    without = tuple(dict.fromkeys(f"`{line.metric}`" for line in charter.done if line not in compared))
    if charter.done and not without:
        return ""
    have = "has" if len(without) == 1 else "have"
    what = f"{listed(without)} {have} no number that counts" if without else "`done` has no threshold"
    return f"not bound yet: the charter has no `measured_in`, and {what} on this commit"
