"""The weekly digest, to the central repository's issue and to Slack; an empty one isn't sent.

The two channels are separate subjects: if one refuses the digest or is down, the other still gets it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from service.ports import GitHubError
from service.reconcile.context import Decision, Reconciliation
from service.reconcile.registration import read_pull_request
from service.rules.digest.edition import Channel, ComposedDigest, DigestPlace
from service.rules.digest.week import (
    REACHES_BACK,
    Digest,
    Observed,
    PocLine,
    digest,
    is_time,
    observed,
    week_of,
)
from service.rules.values.actions import Action, Announce, OpenNotice, PostComment
from service.rules.values.github import IssueState, Repository, RepositoryRef
from service.rules.values.subjects import digest_key, pull_request_key
from service.texts.render import texts

DIGEST_LABEL = "poc-digest"
ISSUE = "digest"
"""The key of the issue that the digests are comments on."""


def reconcile_digest(ctx: Reconciliation, installation_id: int, channel: str = Channel.CENTRAL) -> Decision:
    """Send the week's digest to one channel, if it wasn't sent there yet."""
    known = ctx.store.installations.find(installation_id)
    if known is None or known.deleted:
        return Decision("not installed any more")
    if known.installation.suspended_at is not None:
        return Decision("the installation is suspended")
    ctx.under(ctx.store.policies.in_force(installation_id), known)
    if not is_time(ctx.now, ctx.policy.calendar):
        return Decision("digests are sent on working-day mornings")
    account = known.installation.account
    if Channel(channel) is Channel.SLACK:
        return _to_slack(ctx, installation_id, account)
    return _to_home(ctx, installation_id, account)


def _to_slack(ctx: Reconciliation, installation_id: int, account: str) -> Decision:
    if not ctx.announces:
        return Decision("no Slack webhook configured")
    week = _week(ctx)
    place = DigestPlace(Channel.SLACK, 0, f"slack:{installation_id}:{week}", public=False)
    if ctx.store.messages.was_begun(*place.message):  # it may have arrived
        return Decision(f"the digest of {week} was sent already")
    edition = _edition(ctx, installation_id, place, account)
    if edition.text is None:
        return Decision(f"nothing to report for {week}")
    actions = (Announce(place.key, edition.text),)
    return Decision(f"the digest of {week}", actions, installation_id)


def _to_home(ctx: Reconciliation, installation_id: int, account: str) -> Decision:
    home, week = _home(ctx, installation_id), _week(ctx)
    if home is None:
        return Decision("no central repository that an issue can be written in")
    place = DigestPlace(Channel.CENTRAL, home.id, f"digest:{week}", public=not home.private)
    if _was_told(ctx, installation_id, place, week):
        return Decision(f"the digest of {week} was sent already")
    edition = _edition(ctx, installation_id, place, account)
    if edition.text is not None:
        # It may have become public since: ask GitHub before naming private repositories there.
        public = not ctx.github(installation_id).repository(home.id).private
        if public is not place.public:
            place = replace(place, public=public)
            edition = _edition(ctx, installation_id, place, account)
    if edition.text is None:
        return Decision(f"nothing to report for {week}")
    action = _writing(ctx, installation_id, home.ref, edition.text, place.key)
    return Decision(f"the digest of {week}", (action,), installation_id)


def _week(ctx: Reconciliation) -> str:
    return week_of(ctx.policy.calendar.day(ctx.now))


def _home(ctx: Reconciliation, installation_id: int) -> Repository | None:
    """The central repository, if the installation covers it and it takes issues."""
    name = ctx.policy.central_repository
    found = ctx.store.repositories.named(installation_id, name) if name else None
    known = ctx.store.repositories.find(found.id) if found else None
    if known is None or known.repository.archived or not known.repository.has_issues:
        return None
    return known.repository


def _was_told(ctx: Reconciliation, installation_id: int, place: DigestPlace, week: str) -> bool:
    """Whether the week's digest was sent there, or to an earlier central repository."""
    messages = ctx.store.messages
    if messages.was_said(*place.message):
        return True
    edition = ctx.store.digests.find(installation_id, place.channel, week)
    if edition is None or edition.place.message == place.message:
        return False
    return messages.was_begun(*edition.place.message)


def _edition(ctx: Reconciliation, installation_id: int, place: DigestPlace, account: str) -> ComposedDigest:
    """The week's digest, composed once: each retry sends the same text."""
    digests, calendar, week = ctx.store.digests, ctx.policy.calendar, _week(ctx)
    known = digests.find(installation_id, place.channel, week)
    if known is not None and (known.text is None or known.place == place):
        return known
    last = digests.last_told(installation_id, place.channel)
    lines = digests.pocs(installation_id, calendar.day(ctx.now))
    seen = _observed(ctx, installation_id, lines)
    found = digest(lines, ctx.now, calendar, last, seen=seen)
    if found and (missed := _closed_untold(ctx, installation_id, found)):
        unnamed = (replace(each, waiting_on=None, stalled_since=None) for each in lines if each.id in missed)
        lines = (*(each for each in lines if each.id not in missed), *unnamed)
        found = digest(lines, ctx.now, calendar, last, seen=seen)
    text = _text(ctx, found, place, account) if found else None
    edition = ComposedDigest(week, place, ctx.now, text, found.told if found else frozenset())
    ctx.notes.digests.keep(installation_id, edition)
    return edition


def _observed(ctx: Reconciliation, installation_id: int, lines: Sequence[PocLine]) -> Observed | None:
    """What enforcing would have done this week; None where the organisation enforces everything."""
    today, policy = ctx.policy.calendar.day(ctx.now), ctx.policy
    until = min((each.until for each in (policy.observed, policy.enforced) if each.until), default=None)
    due = until if until is not None and until < today else None
    if not ctx.observe and due is None:
        return None
    checks, held = ctx.store.digests.judged(installation_id, ctx.now - REACHES_BACK)
    issues = sum(each.stalled_since is not None and not each.rung for each in lines)
    return observed(held, checks, since=ctx.observing_day, issues=issues if ctx.observe else 0, due=due)


def _closed_untold(ctx: Reconciliation, installation_id: int, found: Digest) -> frozenset[int]:
    """The POCs that wait on a pull request of whose end no event told: nobody is named for it."""
    asked = {
        pull_request_key(poc.id, poc.waiting_on.number): (poc, poc.waiting_on.number)
        for poc in (each.poc for each in (*found.decisions, *found.stalled, *found.overdue))
        if poc.waiting_on and poc.waiting_on.number
    }
    believed = ctx.store.pull_requests.open_keys({poc.id for poc, _ in asked.values()})
    missed = set()
    for poc, number in (asked[key] for key in believed if key in asked):
        repository = RepositoryRef(poc.id, poc.full_name)
        pull = read_pull_request(ctx.github(installation_id), repository, number)
        if pull is not None and pull.state != "open":
            ctx.notes.pocs.list_again(poc.id)
            missed.add(poc.id)
    return frozenset(missed)


def _text(ctx: Reconciliation, found: Digest, place: DigestPlace, account: str) -> str:
    if place.channel is Channel.SLACK:
        return texts().digest_for_slack(found, account, ctx.web_url)
    return texts().digest(found, public=place.public, web_url=ctx.web_url)


def _writing(ctx: Reconciliation, installation_id: int, home: RepositoryRef, text: str, key: str) -> Action:
    """The digest as a comment; the issue that it belongs to is opened first."""
    number = _number(ctx, installation_id, home)
    if number is not None:
        return PostComment(home, number, key, text)
    title, body = texts().digest_issue()
    return OpenNotice(home, ISSUE, title, body, DIGEST_LABEL, None, then=digest_key(installation_id))


def _number(ctx: Reconciliation, installation_id: int, home: RepositoryRef) -> int | None:
    """The issue of the digests, open or closed; None if there is none, or it was deleted."""
    messages = ctx.store.messages
    number = messages.number(home.id, ISSUE)
    if number is None or _stands(ctx, installation_id, home, number):
        return number
    ctx.notes.messages.forget(home.id, ISSUE)
    return None


def _stands(ctx: Reconciliation, installation_id: int, home: RepositoryRef, number: int) -> bool:
    github = ctx.github(installation_id)
    try:
        issue = github.issue(home, number)
    except GitHubError as error:
        if not error.gone:
            raise
        # If issues are disabled, it reappears when they are enabled again.
        return not github.repository(home.id).has_issues
    moved = issue.full_name.lower() not in ("", home.full_name.lower())
    return issue.state is not IssueState.GONE and not moved
