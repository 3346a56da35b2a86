"""The check run `POC charter` on one commit: gathered, judged, and planned against what is posted."""

from __future__ import annotations

from urllib.parse import quote

from service.events.context import Decision, Look
from service.events.outside import outside_of
from service.rules.charter.file import CHARTER_PATH, CharterFile, FileKind
from service.rules.draft import draft
from service.rules.facts import FactKind
from service.rules.plan import CHARTER_CHECK, plan_check_run
from service.rules.poc import KnownRepository
from service.rules.report import check_view
from service.rules.verdict import conclude, needs_merge_base, situate


def check_commit(
    look: Look,
    known: KnownRepository,
    *,
    head_sha: str,
    base: CharterFile,
    base_ref: str,
    base_sha: str,
    author: str | None,
) -> Decision:
    """Bring the check run on `head_sha` to what it should say; a merge queue's head has no author."""
    repository = known.repository.ref
    rerun = any(fact.kind is FactKind.RERUN_REQUESTED and fact.detail == head_sha for fact in look.facts)
    head = charter_at(look, known, head_sha, again=rerun)
    merge_base = None
    if needs_merge_base(head, base):
        merge_base = charter_at(look, known, _merge_base(look, known, base_sha, head_sha))
    case = situate(head, base, merge_base)
    outside, unanswered = outside_of(look, known, case, head_sha=head_sha, base_ref=base_ref)
    verdict = conclude(case, author=author, observe=look.observe, today=look.now.date(), outside=outside)
    view = check_view(
        verdict,
        poc_reason=known.poc_reason or "",
        base_ref=base_ref,
        draft_url=draft_url(look, known, base_ref),
        observe=look.observe,
    )
    wanted = look.texts.check_run(verdict, view)
    posted = look.records.check_runs.newest(repository.id, head_sha, CHARTER_CHECK)
    actions = plan_check_run(repository, head_sha, CHARTER_CHECK, wanted, posted, rerun_requested=rerun)
    outcome = f"{CHARTER_CHECK}: {wanted.conclusion}, {wanted.title}"
    outcome += "".join(f"; not known for now: {reason}" for reason in unanswered)
    return Decision(outcome, actions, known.installation_id)


def charter_at(look: Look, known: KnownRepository, commit_sha: str, *, again: bool = False) -> CharterFile:
    """What stands at the charter's path at a commit; read once, since a commit does not change.

    Somebody who asks `again` may doubt an answer that it was not there.
    """
    remembered = look.records.pull_requests.charter_at(known.repository.id, commit_sha)
    if remembered is not None and not (again and remembered.kind is FileKind.ABSENT):
        return remembered
    read = look.github(known.installation_id).charter_file(known.repository.ref, commit_sha)
    look.records.pull_requests.remember_charter_at(known.repository.id, commit_sha, read)
    return read


def base_charter(look: Look, known: KnownRepository, base_ref: str, base_sha: str) -> CharterFile:
    """The charter that a pull request goes to; the default branch's is known without a call."""
    if base_ref == known.repository.default_branch and known.charter is not None:
        return known.charter
    return charter_at(look, known, base_sha)


def draft_url(look: Look, known: KnownRepository, branch: str | None = None) -> str:
    """GitHub's editor with a charter filled in, which needs no right to write of ours."""
    repository = known.repository
    if known.charter is not None and known.charter.kind is FileKind.FILE:
        return charter_url(look, known)  # the new-file page refuses a name that is taken
    text = draft(repository=repository.name, owner=None, today=None)
    place = f"{look.web_url}/{repository.full_name}/new/{quote(branch or repository.default_branch)}"
    return f"{place}?filename={CHARTER_PATH}&value={quote(text)}"


def _merge_base(look: Look, known: KnownRepository, base_sha: str, head_sha: str) -> str:
    """The commit at which a branch began; of two commits it does not change either."""
    pulls, repository = look.records.pull_requests, known.repository.ref
    remembered = pulls.merge_base(repository.id, base_sha, head_sha)
    if remembered is not None:
        return remembered
    found = look.github(known.installation_id).merge_base(repository, base_sha, head_sha)
    pulls.remember_merge_base(repository.id, base_sha, head_sha, found)
    return found


def charter_url(look: Look, known: KnownRepository) -> str:
    """Where people edit the charter."""
    repository = known.repository
    return f"{look.web_url}/{repository.full_name}/edit/{quote(repository.default_branch)}/{CHARTER_PATH}"
