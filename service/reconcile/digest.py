"""The weekly digest, to the central repository's issue and to Slack; nothing to say, nothing sent.

Each of the two is a subject of its own: where one refuses it or is away, the other hears it all the same.
"""

from __future__ import annotations

from dataclasses import replace

from service.ports import GitHubError
from service.reconcile.context import Decision, Look
from service.rules.digest.edition import Edition, Place
from service.rules.digest.week import Channel, Digest, digest, is_time, week_of
from service.rules.values.actions import Action, Announce, OpenNotice, PostComment
from service.rules.values.github import IssueState, Repository, RepositoryRef
from service.rules.values.subjects import digest_key

DIGEST_LABEL = "poc-digest"
ISSUE = "digest"
"""The key of the issue that the digests are comments on."""


def look_at_digest(look: Look, installation_id: int, channel: str = Channel.CENTRAL) -> Decision:
    """Tell one place what there is to say of the week, where that was not said yet."""
    known = look.records.installations.find(installation_id)
    if known is None or known.deleted:
        return Decision("not installed any more")
    if known.installation.suspended_at is not None:
        return Decision("the installation is suspended")
    look.under(look.records.policies.in_force(installation_id))
    if look.observe:
        return Decision("only observed")
    if not is_time(look.now, look.policy.calendar):
        return Decision("a digest comes in the morning of a working day")
    account = known.installation.account
    if Channel(channel) is Channel.SLACK:
        return _to_slack(look, installation_id, account)
    return _to_home(look, installation_id, account)


def _to_slack(look: Look, installation_id: int, account: str) -> Decision:
    if not look.announces:
        return Decision("nobody to tell")
    week = _week(look)
    place = Place(Channel.SLACK, 0, f"slack:{installation_id}:{week}", public=False)
    if look.records.messages.was_begun(*place.message):  # it may have arrived
        return Decision(f"told of {week} already")
    edition = _edition(look, installation_id, place, account)
    if edition.text is None:
        return Decision(f"nothing to say of {week}")
    actions = (Announce(place.key, edition.text),)
    return Decision(f"the digest of {week}", actions, installation_id)


def _to_home(look: Look, installation_id: int, account: str) -> Decision:
    home, week = _home(look, installation_id), _week(look)
    if home is None:
        return Decision("no central repository that an issue can be written in")
    place = Place(Channel.CENTRAL, home.id, f"digest:{week}", public=not home.private)
    if _was_told(look, installation_id, place, week):
        return Decision(f"told of {week} already")
    edition = _edition(look, installation_id, place, account)
    if edition.text is not None:
        # It may have become public since: that is asked before private repositories are named there.
        place = replace(place, public=not look.github(installation_id).repository(home.id).private)
        edition = _edition(look, installation_id, place, account)
    if edition.text is None:
        return Decision(f"nothing to say of {week}")
    action = _writing(look, installation_id, home.ref, edition.text, place.key)
    return Decision(f"the digest of {week}", (action,), installation_id)


def _week(look: Look) -> str:
    return week_of(look.policy.calendar.day(look.now))


def _home(look: Look, installation_id: int) -> Repository | None:
    """The central repository, where the installation covers it and an issue can be written there."""
    name = look.policy.central_repository
    found = look.records.repositories.named(installation_id, name) if name else None
    known = look.records.repositories.find(found.id) if found else None
    if known is None or known.repository.archived or not known.repository.has_issues:
        return None
    return known.repository


def _was_told(look: Look, installation_id: int, place: Place, week: str) -> bool:
    """Whether the week was told there, or in what was the central repository then."""
    messages = look.records.messages
    if messages.was_said(*place.message):
        return True
    edition = look.records.digests.find(installation_id, place.channel, week)
    if edition is None or edition.place.message == place.message:
        return False
    return messages.was_begun(*edition.place.message)


def _edition(look: Look, installation_id: int, place: Place, account: str) -> Edition:
    """The week's digest, composed at the first look: however often it is tried, it says the same."""
    digests, calendar, week = look.records.digests, look.policy.calendar, _week(look)
    known = digests.find(installation_id, place.channel, week)
    if known is not None and (known.text is None or known.place == place):
        return known
    last = digests.last_told(installation_id, place.channel)
    found = digest(digests.pocs(installation_id, calendar.day(look.now)), look.now, calendar, last)
    text = _text(look, found, place, account) if found else None
    edition = Edition(week, place, look.now, text, found.told if found else frozenset())
    if not look.dry:
        digests.keep(installation_id, edition)
    return edition


def _text(look: Look, found: Digest, place: Place, account: str) -> str:
    if place.channel is Channel.SLACK:
        return look.texts.digest_for_slack(found, account, look.web_url)
    return look.texts.digest(found, public=place.public, web_url=look.web_url)


def _writing(look: Look, installation_id: int, home: RepositoryRef, text: str, key: str) -> Action:
    """The digest as a comment; before the first one comes the issue that it is a comment on."""
    number = _number(look, installation_id, home)
    if number is not None:
        return PostComment(home, number, key, text)
    title, body = look.texts.digest_issue()
    return OpenNotice(home, ISSUE, title, body, DIGEST_LABEL, None, then=digest_key(installation_id))


def _number(look: Look, installation_id: int, home: RepositoryRef) -> int | None:
    """The issue of the digests, open or closed; None where there is none, or it stands there no more."""
    messages = look.records.messages
    number = messages.number(home.id, ISSUE)
    if number is None or _stands(look, installation_id, home, number):
        return number
    if not look.dry:
        messages.forget(home.id, ISSUE)
    return None


def _stands(look: Look, installation_id: int, home: RepositoryRef, number: int) -> bool:
    github = look.github(installation_id)
    try:
        issue = github.issue(home, number)
    except GitHubError as error:
        if not error.gone:
            raise
        # Where issues are switched off, it may come back with them.
        return not github.repository(home.id).has_issues
    moved = issue.full_name.lower() not in ("", home.full_name.lower())
    return issue.state is not IssueState.GONE and not moved
