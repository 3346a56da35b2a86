"""The timeline of a POC: what people did, by GitHub's own clock."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.rules.values.github import CommandLine, EventKind, EventRecord, is_bot
from service.rules.values.subjects import pull_request_key, repository_key


class ActivityKind(StrEnum):
    """What a person did; nothing else is activity: no bot, no write of ours, no label, no `updated_at`."""

    COMMIT = "commit"
    """A push with commits of its own: not a branch that took in another."""
    PULL_REQUEST = "pull-request"
    """Opened, reopened, or marked ready."""
    MERGE = "merge"
    REVIEW = "review"
    REVIEW_REQUESTED = "review-requested"
    EVIDENCE = "evidence"
    """Numbers of a commit that had none."""
    DEPLOYMENT = "deployment"
    CHARTER = "charter"
    """The charter on the default branch changed."""
    SIGNATURE = "signature"
    COMMAND = "command"
    """One that was followed, and says something: not `recheck`, not `help`."""


ENGINEERING = frozenset(
    {
        ActivityKind.COMMIT,
        ActivityKind.PULL_REQUEST,
        ActivityKind.MERGE,
        ActivityKind.EVIDENCE,
        ActivityKind.DEPLOYMENT,
    }
)
"""What makes a day one of engineering."""


@dataclass(frozen=True, slots=True)
class Activity:
    """Something that a person did, once; `id` is its own, so that recording it twice is recording it once."""

    id: str
    at: datetime
    actor: str
    """A GitHub login; empty where a bot asked for a review: no activity, but somebody is waited for."""
    deed: ActivityKind
    number: int | None = None
    """The pull request or issue that it was done on."""
    asked: str = ""
    """Of a review request: whom; a login, or a team as `org/team`."""
    taken_back: bool = False
    """That it ended: a request was removed, or a pull request became a draft. No activity."""


def last_activity(
    acted: Mapping[tuple[str, ActivityKind], datetime],
    *,
    kinds: Collection[ActivityKind] | None = None,
    but: Collection[str] = (),
) -> datetime | None:
    """When anybody last did anything, out of who did what when: of some kinds, by anybody `but` some."""
    moments = (
        at for (login, kind), at in acted.items() if login not in but and (kinds is None or kind in kinds)
    )
    return max(moments, default=None)


def last_worker(acted: Mapping[tuple[str, ActivityKind], datetime]) -> str | None:
    """Who did engineering last."""
    moments = [(at, login) for (login, kind), at in acted.items() if login and kind in ENGINEERING]
    return max(moments)[1] if moments else None


def last_by_person(acted: Mapping[tuple[str, ActivityKind], datetime]) -> Mapping[str, datetime]:
    """When each person last did anything."""
    last: dict[str, datetime] = {}
    for (login, _), at in acted.items():
        last[login] = max(at, last.get(login, at))
    return last


def merged_timeline(stored: Iterable[Activity], learned: Iterable[Activity]) -> tuple[Activity, ...]:
    """What people did, oldest first, out of what is stored and what is about to be."""
    by_id = {each.id: each for each in learned if each.actor and not each.taken_back}
    by_id |= {each.id: each for each in stored}
    return tuple(sorted(by_id.values(), key=lambda each: (each.at, each.id)))


MERGE = re.compile(r"Merge (?:pull request #|(?:remote-tracking )?branch(?:es)? |tag |commit )")
"""How the message of a commit begins that only takes in another branch: git's words and GitHub's."""


def is_merge(message: str) -> bool:
    """Whether a commit says that it only takes in another branch."""
    return MERGE.match(message) is not None


def commit(repository_id: int, sha: str, actor: str, at: datetime) -> Activity:
    """Commits of somebody's own came, the newest of which is named."""
    return Activity(f"{repository_key(repository_id)}:commit:{sha}", at, actor, ActivityKind.COMMIT)


def seen_commit(repository_id: int, login: str, at: datetime) -> Activity:
    """A commit that no event reported, found by its author and time."""
    name = f"{repository_key(repository_id)}:commit:{login}:{at.isoformat()}"
    return Activity(name, at, login, ActivityKind.COMMIT)


def charter(repository_id: int, sha: str, actor: str, at: datetime) -> Activity:
    """The default branch's charter changed with a commit."""
    return Activity(f"{repository_key(repository_id)}:charter-changed:{sha}", at, actor, ActivityKind.CHARTER)


def opened(repository_id: int, number: int, actor: str, at: datetime) -> Activity:
    """A pull request was opened."""
    key = pull_request_key(repository_id, number)
    return Activity(f"{key}:opened", at, actor, ActivityKind.PULL_REQUEST, number)


def offered_again(repository_id: int, number: int, actor: str, at: datetime) -> Activity:
    """A pull request was reopened, or marked as ready."""
    key = pull_request_key(repository_id, number)
    return Activity(f"{key}:offered:{_second(at)}", at, actor, ActivityKind.PULL_REQUEST, number)


def drafted(repository_id: int, number: int, actor: str, at: datetime) -> Activity:
    """A pull request is a draft from now on: nobody need review it."""
    key = pull_request_key(repository_id, number)
    return Activity(
        f"{key}:drafted:{_second(at)}", at, actor, ActivityKind.PULL_REQUEST, number, taken_back=True
    )


def merged(repository_id: int, number: int, actor: str, at: datetime) -> Activity:
    """A pull request was merged."""
    return Activity(f"{pull_request_key(repository_id, number)}:merge", at, actor, ActivityKind.MERGE, number)


def reviewed(repository_id: int, number: int, review_id: int, actor: str, at: datetime) -> Activity:
    """A pull request was reviewed, in whatever sense."""
    return Activity(
        f"{repository_key(repository_id)}:review:{review_id}", at, actor, ActivityKind.REVIEW, number
    )


def requested(
    repository_id: int, number: int, asked: str, actor: str, at: datetime, *, taken_back: bool = False
) -> Activity:
    """Somebody was asked for a review, or is not asked any more."""
    what = "unasked" if taken_back else "asked"
    name = f"{pull_request_key(repository_id, number)}:{what}:{asked.lower()}:{_second(at)}"
    return Activity(name, at, actor, ActivityKind.REVIEW_REQUESTED, number, asked, taken_back)


def deployed(repository_id: int, environment: str, sha: str, actor: str, at: datetime) -> Activity:
    """A commit was deployed to an environment; deployed there again, it isn't news."""
    name = f"{repository_key(repository_id)}:deployment:{sha}:{environment.lower()}"
    return Activity(name, at, actor, ActivityKind.DEPLOYMENT)


def measured(repository_id: int, sha: str, number: int | None, actor: str, at: datetime) -> Activity:
    """Numbers came of a commit; more of the same commit aren't news."""
    return Activity(
        f"{repository_key(repository_id)}:evidence:{sha}", at, actor, ActivityKind.EVIDENCE, number
    )


def signed(repository_id: int, source: str, number: int | None, actor: str, at: datetime) -> Activity:
    """A review or a comment signed for some groups."""
    return Activity(
        f"{repository_key(repository_id)}:signed:{source}", at, actor, ActivityKind.SIGNATURE, number
    )


def commanded(repository_id: int, line: CommandLine, actor: str, at: datetime) -> Activity:
    """A command was followed."""
    name = f"{repository_key(repository_id)}:command:{line.source}:{line.index}"
    return Activity(name, at, actor, ActivityKind.COMMAND, line.number)


def team(full_name: str, slug: str) -> str:
    """A team of the organisation that a repository belongs to, as it is addressed."""
    return f"{full_name.partition('/')[0]}/{slug}"


def facts_of(repository_id: int, *activities: Activity) -> tuple[EventRecord, ...]:
    """Activities as they are recorded: nothing that a bot did, but that it asked for a review."""
    return tuple(
        EventRecord(
            id=each.id,
            subject=repository_key(repository_id),
            kind=EventKind.REVIEW_REQUEST_REMOVED if each.taken_back else EventKind.ACTIVITY,
            at=each.at,
            actor="" if is_bot(each.actor) else each.actor,
            detail=json.dumps({"deed": each.deed, "number": each.number, "asked": each.asked}),
        )
        for each in activities
        if is_told(each)
    )


def is_told(each: Activity) -> bool:
    """Whether it is recorded."""
    if each.taken_back or each.deed is ActivityKind.REVIEW_REQUESTED:
        return True
    return bool(each.actor) and not is_bot(each.actor)


def happening_of(record: EventRecord) -> Activity:
    """An activity as it was recorded; where no kind was, it was a commit."""
    detail = json.loads(record.detail) if record.detail.startswith("{") else {}
    return Activity(
        record.id,
        record.at,
        record.actor,
        ActivityKind(detail.get("deed", ActivityKind.COMMIT)),
        detail.get("number"),
        detail.get("asked", ""),
        taken_back=record.kind is EventKind.REVIEW_REQUEST_REMOVED,
    )


def _second(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
