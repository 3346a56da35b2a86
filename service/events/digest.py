"""The weekly digest, to the central repository's issue and to Slack; nothing to say, nothing sent."""

from __future__ import annotations

from service.events.context import Decision, Look
from service.rules.digest import Digest, digest, is_time, week_of
from service.rules.facts import RepositoryRef
from service.rules.plan import Action, Announce, OpenNotice, PostComment
from service.rules.reception import digest_key

DIGEST_LABEL = "poc-digest"
ISSUE = "digest"
"""The key of the issue that the digests are comments on."""


def look_at_digest(look: Look, installation_id: int) -> Decision:
    """Say what there is to say of the week, where that was not said yet."""
    known = look.records.installations.find(installation_id)
    if known is None or known.deleted:
        return Decision("not installed any more")
    look.under(look.records.policies.in_force(installation_id))
    calendar = look.policy.calendar
    if look.observe:
        return Decision("only observed")
    if not is_time(look.now, calendar):
        return Decision("a digest comes in the morning of a working day")
    week, home = week_of(calendar.day(look.now)), _home(look, installation_id)
    to_home = home is not None and not look.records.messages.was_said(home.id, f"digest:{week}")
    slack = f"slack:{installation_id}:{week}"
    to_slack = look.announces and not look.records.messages.was_said(0, slack)
    if not to_home and not to_slack:
        return Decision(f"nobody to tell, or told of {week} already")
    told = digest(look.records.digests.pocs(installation_id), look.now, calendar)
    if told is None:
        return Decision(f"nothing to say of {week}")
    actions: list[Action] = []
    if home is not None and to_home:
        actions.append(_at_home(look, installation_id, home, told))
    if to_slack:
        text = look.texts.digest_for_slack(told, known.installation.account, look.web_url)
        actions.append(Announce(slack, text))
    return Decision(f"the digest of {week}", tuple(actions), installation_id)


def _home(look: Look, installation_id: int) -> RepositoryRef | None:
    """The central repository, where the installation covers it and it has issues."""
    name = look.policy.central_repository
    found = look.records.repositories.named(installation_id, name) if name else None
    described = look.records.repositories.find(found.id) if found else None
    return found if described and described.repository.has_issues else None


def _at_home(look: Look, installation_id: int, home: RepositoryRef, told: Digest) -> Action:
    """The digest as a comment; before the first one comes the issue that it is a comment on."""
    messages = look.records.messages
    number = messages.number(home.id, ISSUE)
    if number is None:
        if not look.dry and not messages.was_begun(home.id, ISSUE):
            look.records.installations.mark(digest_key(installation_id))
        title, body = look.texts.digest_issue()
        return OpenNotice(home, ISSUE, title, body, DIGEST_LABEL, None)
    described = look.records.repositories.find(home.id)
    public = described is not None and not described.repository.private
    text = look.texts.digest(told, public=public, web_url=look.web_url)
    return PostComment(home, number, f"digest:{told.week}", text)
