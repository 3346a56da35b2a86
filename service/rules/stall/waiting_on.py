"""The one party that a POC waits for, and for what; texts say that this party has the ball."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import assert_never

from service.rules.gate.lifecycle import State
from service.rules.values.github import is_bot
from service.rules.values.groups import Group

TEAM = "/"
"""In the name of a team, `org/team`, and never in a login."""


REVIEW, ISSUE, OWNER, CHARTER = "a review", "another issue", "the owner", "a charter"


class Party(StrEnum):
    """Those who may be waited for."""

    OWNER = "owner"
    SIGNER = "signer"
    """A named person whose signature is missing."""
    REVIEWER = "reviewer"
    """Whoever was asked for a review that hasn't come."""
    PLATFORM = "platform"
    """The group behind an entry of `infra` that is `missing`."""
    BLOCKER = "blocker"
    """Whoever is assigned to the open issue that was named as what blocks this POC."""
    UNNAMED = "unnamed"
    """No charter names an owner."""
    NOBODY = "nobody"
    """Shipped, stopped, paused."""


class Wants(StrEnum):
    """What is asked of whoever is waited for."""

    CHARTER = "charter"
    """Bring one."""
    FIX_CHARTER = "mend-charter"  # as it is stored
    """It has errors."""
    START_SIGNATURE = "start-signature"
    WORK = "work"
    """Build, measure, meet the thresholds."""
    ANSWER_REVIEW = "answer-review"
    """Whoever has to sign asked for changes."""
    REVIEW = "review"
    INFRA = "infra"
    UNBLOCK = "unblock"
    ASK_TO_SHIP = "ask-to-ship"
    """All is met: write `/poc ship` on the pull request that ships."""
    SHIP_SIGNATURE = "ship-signature"
    DEPLOY = "deploy"
    """All is met and signed."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Request:
    """Something that was asked of people: a signature, a review."""

    people: tuple[str, ...]
    since: datetime
    number: int | None = None
    """The pull request, or the issue; None where it is asked for in the POC's own issue."""
    group: Group | None = None


@dataclass(frozen=True, slots=True)
class Blocker:
    """An issue that was named as what a POC waits for: `#12`, or `owner/name#12`."""

    reference: str
    since: datetime
    """When it was named."""
    open: bool
    assignees: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WaitingOnFacts:
    """What the answer depends on, as it is now."""

    state: State
    since: datetime
    """Since when nobody but the owner could have had it: registration, or the charter's last change."""
    state_since: datetime | None = None
    """Since when it is in that state, as far as we know."""
    owner: str | None = None
    valid: bool = False
    """Whether the default branch's charter has no error."""
    paused: bool = False
    """By the charter, today."""
    unsigned: tuple[Request, ...] = ()
    """The signatures that are asked for now: of the start, or of the ship request once all else is met."""
    objected: tuple[str, ...] = ()
    """Signers, in small letters, who asked for changes, and nothing new came since: they wait themselves."""
    reviews: tuple[Request, ...] = ()
    """Reviews that were asked for on open pull requests and have not come."""
    worker: str | None = None
    """Who worked on it last, in small letters: where no charter names anybody, they may know who should."""
    worked_at: datetime | None = None
    """When anybody but those who are asked last worked on it."""
    missing_infra: tuple[str, ...] = ()
    """The entries of `infra` that are `missing`, by name."""
    platform: str | None = None
    """Who signs for platform."""
    blocker: Blocker | None = None
    asked_to_ship: int | None = None
    """The ship request's pull request."""
    ready: bool = False
    """Everything is met and signed."""


@dataclass(frozen=True, slots=True)
class WaitingOn:
    """Who is waited for, since when, and what for; `people` are GitHub logins, the first is addressed."""

    party: Party
    wants: Wants
    since: datetime
    people: tuple[str, ...] = ()
    group: Group | None = None
    number: int | None = None
    """The pull request or issue where it is to be done."""
    about: str = ""
    """What a person reads: the entries of `infra`, the blocker's reference, who asked for changes; where no
    charter names anybody, who worked on it last.
    """

    @property
    def holder(self) -> tuple[Party, tuple[str, ...], Group | None]:
        """What tells two waiting periods apart: what is wanted may change within one."""
        return self.party, tuple(login.lower() for login in self.people), self.group

    @property
    def waits_for(self) -> str | None:
        """The party in words that name nobody; None where nobody is waited for."""
        match self.party:
            case Party.SIGNER | Party.PLATFORM:
                return self.group.words if self.group else None
            case Party.REVIEWER:
                return REVIEW
            case Party.BLOCKER:
                return ISSUE
            case Party.OWNER:
                return OWNER
            case Party.UNNAMED:
                return CHARTER
            case Party.NOBODY:
                return None
            case _:
                assert_never(self.party)


@dataclass(frozen=True, slots=True)
class PausePeriod:
    """Nobody is asked until a day has passed: `paused` in the charter, or `/poc snooze`."""

    first: date
    until: date
    """Its last day."""
    reason: str


def who_is_waited_for(facts: WaitingOnFacts) -> WaitingOn:
    """The one party that the POC waits for; a bot is never waited for, whoever named it."""
    blocker = facts.blocker
    return _waited_for(
        replace(
            facts,
            owner=next(iter(_people(facts.owner)), None),
            platform=next(iter(_people(facts.platform)), None),
            unsigned=tuple(each for each in facts.unsigned if _people(*each.people)),
            reviews=tuple(each for each in facts.reviews if _people(*each.people)),
            blocker=blocker and replace(blocker, assignees=_people(*blocker.assignees)),
        )
    )


def _people(*logins: str | None) -> tuple[str, ...]:
    return tuple(login for login in logins if login and not is_bot(login))


def _waited_for(facts: WaitingOnFacts) -> WaitingOn:  # noqa: PLR0911 - a rule, a return
    """Decide by the first rule that applies.

    A POC that has ended or is paused waits for nobody. A blocker comes before everything else, because
    somebody named it. Then the charter, then the signatures to start, then the work. On the way to production
    it's first the signatures of a ship request that has everything else, then the deployment, then missing
    infrastructure, then `/poc ship`; a review only if none of these applies.
    """
    blocker = facts.blocker
    match facts.state:
        case State.SHIPPED | State.STOPPED:
            return WaitingOn(Party.NOBODY, Wants.NOTHING, facts.since)
        case _ if facts.paused:
            return WaitingOn(Party.NOBODY, Wants.NOTHING, facts.since)
        case _ if blocker is not None and blocker.open:
            return WaitingOn(
                Party.BLOCKER, Wants.UNBLOCK, blocker.since, blocker.assignees, about=blocker.reference
            )
        case _ if facts.owner is None or facts.state is State.NONE:
            return WaitingOn(Party.UNNAMED, Wants.CHARTER, facts.since, about=facts.worker or "")
        case State.PROPOSED if facts.valid:
            return _signer(facts, Wants.START_SIGNATURE) or _objected_to(facts) or _owner(facts, Wants.WORK)
        case State.PROPOSED:
            return _owner(facts, Wants.FIX_CHARTER)
        case State.NONE | State.BUILDING | State.EVALUATING | State.SHIPPING:
            return _on_the_way(facts)
        case _:
            assert_never(facts.state)


def next_waiting_period(
    previous: WaitingOn | None, present: WaitingOn, moved_at: datetime | None = None
) -> WaitingOn | None:
    """The waiting period to store if the party may have changed; None if nothing changed.

    For another party it begins at `moved_at`, when anybody last did something, or later if they were asked
    later. For the same party it goes on, even if something else is wanted; only a reviewer's starts anew when
    others have worked.
    """
    if previous is None:
        return present
    if previous.holder != present.holder:
        return replace(present, since=max(present.since, previous.since, moved_at or previous.since))
    if present.party is not Party.REVIEWER:
        present = replace(present, since=previous.since)
    return None if present == previous else present


def _on_the_way(facts: WaitingOnFacts) -> WaitingOn:
    """Who is waited for once the charter is signed."""
    if signer := _signer(facts, Wants.SHIP_SIGNATURE) or _objected_to(facts):
        return signer
    if facts.ready:
        return _owner(facts, Wants.DEPLOY)
    if facts.missing_infra and facts.state is State.EVALUATING:
        people = (facts.platform,) if facts.platform else ()
        about = ", ".join(facts.missing_infra)
        since = max(facts.since, facts.state_since or facts.since)
        return WaitingOn(Party.PLATFORM, Wants.INFRA, since, people, Group.PLATFORM, about=about)
    if facts.state is State.SHIPPING and facts.asked_to_ship is None:
        return _owner(facts, Wants.ASK_TO_SHIP)
    if facts.reviews:
        asked = min(facts.reviews, key=lambda each: (each.since, each.number or 0, each.people))
        since = max(asked.since, facts.worked_at or asked.since)
        return WaitingOn(Party.REVIEWER, Wants.REVIEW, since, asked.people, number=asked.number)
    return _owner(facts, Wants.WORK)


def _owner(facts: WaitingOnFacts, wants: Wants) -> WaitingOn:
    number = facts.asked_to_ship if wants is Wants.DEPLOY else None
    return WaitingOn(Party.OWNER, wants, facts.since, (facts.owner,) if facts.owner else (), number=number)


def _objected_to(facts: WaitingOnFacts) -> WaitingOn | None:
    """The owner, if everybody who still has to sign asked for changes."""
    open_ = [each for each in facts.unsigned if each.people and each.people[0].lower() in facts.objected]
    if not open_:
        return None
    about = ", ".join(dict.fromkeys(each.people[0] for each in open_))
    owner = _owner(facts, Wants.ANSWER_REVIEW)
    return replace(owner, number=open_[0].number, about=about)


def _signer(facts: WaitingOnFacts, wants: Wants) -> WaitingOn | None:
    """The signer who was asked first and has neither signed nor asked for changes."""
    asked = [
        each
        for each in facts.unsigned
        if each.group and each.people and each.people[0].lower() not in facts.objected
    ]
    if not asked:
        return None
    first = min(asked, key=lambda each: (each.since, list(Group).index(each.group or Group.DATA_SCIENCE)))
    return WaitingOn(Party.SIGNER, wants, first.since, first.people, first.group, first.number)
