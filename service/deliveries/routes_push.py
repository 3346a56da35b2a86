"""A push: what it may have changed on a branch, and what somebody did by it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from service.deliveries.delivery import Delivery, event, person
from service.rules.policy.model import POLICY_PATH
from service.rules.source.text import CHARTER_PATH
from service.rules.values import activity
from service.rules.values.activity import Activity, is_merge
from service.rules.values.github import EventKind, EventRecord, PushedFiles
from service.rules.values.recorded import detail
from service.rules.values.subjects import DeliveryEffects, policy_key, repository_key

LARGEST_PUSH = 2048
"""GitHub lists at most this many commits of a push, so a larger one may touch the charter unseen."""
LARGEST_COMMIT = 3000
"""GitHub lists at most this many files of a commit, so a larger one may touch the charter unseen."""
LONGEST_LIST = 16 * 1024
"""Characters of a push's list of files that are kept; of a longer one nothing is."""
BRANCHES = "refs/heads/"
NO_COMMIT = "0" * 40
"""What a deleted branch points at."""


def pushed(delivery: Delivery) -> DeliveryEffects:
    """A branch moved; on the default branch the charter may have changed."""
    assert delivery.installation is not None
    repository, subject = delivery.here, repository_key(delivery.here.id)
    at, after = delivery.pushed_at, delivery.after or ""
    events = delivery.activities(*_done(delivery, at))
    subjects: tuple[str, ...] = (subject,)
    on_default = delivery.ref == f"{BRANCHES}{repository.default_branch}"
    touches_charter = on_default and _may_touch(delivery, CHARTER_PATH)
    if touches_charter:
        events += (event(subject, f"charter:{after}", EventKind.CHARTER_PUSHED, at, detail=after),)
    if on_default and after not in ("", NO_COMMIT):
        # A branch may be forced back to where it was, so the commit alone does not tell two moves apart.
        name = f"default:{after}:{at.isoformat()}"
        events += (event(subject, name, EventKind.DEFAULT_PUSHED, at, detail=after),)
    if not on_default:
        events += tuple(_files_pushed(delivery, at))
    touches_policy = on_default and delivery.is_about_policy_repository and _may_touch(delivery, POLICY_PATH)
    if touches_policy:
        key = policy_key(delivery.installation.id)
        events += (event(key, f"pushed:{after}", EventKind.POLICY_PUSHED, at, detail=after),)
        subjects += (key,)
    for_pocs_only = not (touches_charter or touches_policy)
    return delivery.effects(events=events, subjects=subjects, for_pocs_only=for_pocs_only, tells_of_push=True)


def _done(delivery: Delivery, at: datetime) -> Iterator[Activity]:
    """What somebody did by a push: commits of people's own, and the default branch's charter."""
    repository, after, actor = delivery.here, delivery.after or "", person(delivery.sender)
    if not (delivery.ref or "").startswith(BRANCHES) or after in ("", NO_COMMIT):
        return
    commits = delivery.commits or ()
    own = [commit for commit in commits if commit.distinct and commit.is_a_persons_own]
    if own:
        yield activity.commit(repository.id, own[-1].id or after, actor, at)
    chartering = [commit for commit in commits if CHARTER_PATH in commit.paths]
    if chartering and delivery.ref == f"{BRANCHES}{repository.default_branch}":
        yield activity.charter(repository.id, chartering[-1].id or after, actor, at)


def _files_pushed(delivery: Delivery, at: datetime) -> Iterator[EventRecord]:
    """Which files a push to a branch changed, by commits that are new with it.

    A list that GitHub cut short names fewer than changed: what it does not name is merely not known.
    """
    after, subject = delivery.after or "", repository_key(delivery.here.id)
    own = [commit for commit in delivery.commits or () if commit.distinct and not is_merge(commit.message)]
    paths = sorted({path for commit in own for path in commit.paths})
    if not (delivery.ref or "").startswith(BRANCHES) or after in ("", NO_COMMIT) or not paths:
        return
    said = detail(PushedFiles(after, tuple(paths)))
    if len(said) <= LONGEST_LIST:
        yield event(subject, f"files:{after}", EventKind.FILES_PUSHED, at, delivery.sent_by, said)


def _may_touch(delivery: Delivery, path: str) -> bool:
    """Whether a push names a path, or does not say what it names."""
    # A branch that begins anew at commits which GitHub knows lists none of them.
    anew = delivery.forced or delivery.before == NO_COMMIT
    if anew or delivery.commits is None or len(delivery.commits) >= LARGEST_PUSH:
        return True
    return any(path in commit.paths or len(commit.paths) >= LARGEST_COMMIT for commit in delivery.commits)
