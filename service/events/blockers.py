"""The open issue that a charter or a command names as what a POC waits for: asked about once a day."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from service.events.context import Look
from service.ports import GitHubError
from service.rules.ball import Blocker
from service.rules.charter.model import Charter, InfraKind
from service.rules.facts import IssueState, RepositoryRef
from service.rules.lifecycle import State
from service.rules.poc import KnownRepository
from service.rules.retry import FailureKind
from service.store.waiting import KnownBlocker

FRESH = timedelta(days=1)
WAITS_FOR_INFRA = frozenset({State.EVALUATING, State.SHIPPING})
REFERENCE = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)?#(?P<number>[0-9]{1,9})")
"""`#12`, or `owner/name#12`."""


def present_blocker(
    look: Look, known: KnownRepository, charter: Charter | None, state: State
) -> Blocker | None:
    """The blocker that is open, if there is one: of several the one that was named last.

    What the charter's `infra` waits for holds nothing up before there is something to run on it.
    """
    waiting, repository_id = look.records.waiting, known.repository.id
    charters = _named(charter) if state in WAITS_FOR_INFRA else []
    if not look.dry:
        for reference in charters:
            at = known.charter_changed_at or look.looked_at
            waiting.blocked(repository_id, reference, at, commanded=False)
    found = None
    for each in waiting.blockers(repository_id):
        if not each.blocker.open or not (each.commanded or each.blocker.reference in charters):
            continue
        stale = each.read_at is None or each.read_at < look.looked_at - FRESH
        present = _read(look, known, each) if stale else each.blocker
        found = present if present.open else found
    return found


def _named(charter: Charter | None) -> list[str]:
    """The issues that entries of `infra` wait for: `missing - #12`."""
    if charter is None:
        return []
    entries = (getattr(charter.infra, name) for name in charter.infra.__slots__)
    texts = [entry.value.text for entry in entries if entry and entry.value.kind is InfraKind.MISSING]
    return [match[0] for text in texts if (match := REFERENCE.search(text))]


def _read(look: Look, known: KnownRepository, named: KnownBlocker) -> Blocker:
    """Ask GitHub; an issue that is gone, or that we may not see, blocks nothing that we could follow.

    A snooze ends with the issue that it waits for. One that was never seen open is only a word of the reason.
    """
    blocker = named.blocker
    match = REFERENCE.fullmatch(blocker.reference)
    assert match is not None
    repository = _place(look, known, match["name"])
    present = replace(blocker, open=False)
    if repository is not None:
        try:
            issue = look.github(known.installation_id).issue(repository, int(match["number"]))
        except GitHubError as error:
            if error.failure.kind not in (FailureKind.GONE, FailureKind.REFUSED):
                raise
        else:
            present = replace(blocker, open=issue.state is IssueState.OPEN, assignees=issue.assignees)
    look.records.waiting.saw_blocker(known.repository.id, present, look.looked_at)
    if not present.open and named.read_at is not None and not look.dry:
        look.records.waiting.end_snoozes(
            known.repository.id, look.policy.calendar.day(look.now), naming=blocker.reference
        )
    return present


def _place(look: Look, known: KnownRepository, name: str | None) -> RepositoryRef | None:
    """The repository that a reference names, where the same installation covers it."""
    if name is None or name.lower() == known.repository.full_name.lower():
        return known.repository.ref
    return look.records.repositories.named(known.installation_id, name)
