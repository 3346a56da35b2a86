"""What was measured on a commit: by the files that it holds, and by workflow runs on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from service.ports import GitHubError
from service.reconcile.commit_files import blob, blobs_at, commit
from service.reconcile.context import Reconciliation
from service.reconcile.poc import Poc
from service.rules.charter.metrics import canonical_name
from service.rules.charter.model import Charter, Evidence
from service.rules.charter.threshold import Threshold
from service.rules.evidence.judging import judge_all, line_for, waive
from service.rules.evidence.reading import TOO_LARGE, document_of, value_in
from service.rules.evidence.values import Demands, Measurement, Reading, Result, Unread
from service.rules.policy.model import Undecided
from service.rules.values.groups import Level


@dataclass(frozen=True, slots=True)
class Measured:
    """All that is known about a commit's numbers, for each line of the charter."""

    results: tuple[Result, ...]
    """One for each line of `done`."""
    stops: tuple[Result, ...]
    """One for each line of `stop_if`."""
    sent: bool = False
    """Whether a workflow run sent any number of that commit."""


NOTHING = Measured((), ())


def measure(
    ctx: Reconciliation, poc: Poc, charter: Charter, commit_sha: str, *, same_tree: bool = False
) -> Measured:
    """Compare what was measured on a commit with a charter's bounds.

    With `same_tree` the numbers of commits that hold the same files count as well: those of a branch's
    head for the commit that it was squashed to.
    """
    lines = (*charter.done, *charter.stop_if)
    files = _from_files(ctx, poc, charter, commit_sha)
    commits = _commits(ctx, poc, commit_sha, same_tree)
    sent = ctx.store.evidence.measured(poc.id, commits, resolved=poc.resolved)
    demands = Demands(
        now=ctx.now,
        level=ctx.evidence_level,
        max_age_days=ctx.policy.evidence_days,
        environments=_environments(charter),
        by_point=ctx.policy.undecided is Undecided.BY_POINT,
    )
    readings = [tuple(_readings(line, charter, files, sent)) for line in lines]
    results = judge_all(lines, readings, demands)
    for number in (each for several in readings for each in several if isinstance(each, Measurement)):
        if ctx.now <= (until := number.at + timedelta(days=demands.max_age_days)):
            ctx.look_again(until)  # it is too old from then on
    done = waive(results[: len(charter.done)], charter, ctx.now.date())
    return Measured(done, results[len(charter.done) :], bool(sent))


def resolve_test_merges(ctx: Reconciliation, poc: Poc, number: int) -> None:
    """Resolve numbers that were measured on a pull request's test merge to the commit that was merged."""
    for run_sha in ctx.store.evidence.unresolved(poc.id, number):
        if run_sha in poc.resolved:
            continue
        try:
            parents = commit(ctx, poc, run_sha).parents
        except GitHubError as error:
            # A workflow ran on it, so GitHub has shown it before.
            if not error.not_shown:
                raise
            parents = ()  # the test merge is gone: its parents can't be found any more
        poc.resolved[run_sha] = parents[-1] if parents else run_sha
        ctx.notes.evidence.resolve(poc.id, run_sha, poc.resolved[run_sha])
        ctx.notes.repositories.mark([poc.id])


def _environments(charter: Charter) -> tuple[str, ...]:
    named = (charter.target.measured_in, charter.target.environment)
    return tuple(environment.value for environment in named if environment)


def _readings(
    line: Threshold,
    charter: Charter,
    files: dict[str, Reading],
    sent: Sequence[Measurement],
) -> Iterator[Reading]:
    name = canonical_name(line.metric)
    yield from (value for value in sent if canonical_name(value.metric) == name)
    source = line_for(line, charter.evidence)
    if source is not None:
        yield files[source.metric.value]


def _from_files(ctx: Reconciliation, poc: Poc, charter: Charter, commit_sha: str) -> dict[str, Reading]:
    """What each line of `evidence` finds in the files of a commit, by its key."""
    if not charter.evidence:
        return {}
    paths = tuple(dict.fromkeys(line.reading.file for line in charter.evidence))
    blobs = blobs_at(ctx, poc, commit_sha, paths)
    known = ctx.store.evidence.in_blobs(poc.id, list(_places(charter, blobs)))
    readings: dict[str, Reading] = {}
    history: list[tuple[str, str, Measurement]] = []
    for line in charter.evidence:
        blob_sha = blobs[line.reading.file]
        before = known.get((blob_sha, line.source.value)) if blob_sha else None
        reading = readings[line.metric.value] = before or _read(ctx, poc, line, blob_sha)
        if isinstance(reading, Measurement) and blob_sha is not None:
            history.append((line.metric.value, blob_sha, reading))
    if history:
        ctx.notes.evidence.remember_files(poc.id, commit_sha, history)
    return readings


def _places(charter: Charter, blobs: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    """Where the lines of `evidence` look: the blob, and the line's own words."""
    for line in charter.evidence:
        if blob_sha := blobs[line.reading.file]:
            yield blob_sha, line.source.value


def _read(ctx: Reconciliation, poc: Poc, line: Evidence, blob_sha: str | None) -> Reading:
    """What a line of `evidence` finds; the same blob always gives the same result."""
    place = line.source.value
    if blob_sha is None:
        value = value_in(document_of(line.reading.file, None), line.reading)
        assert isinstance(value, Unread)
        return value
    found = blob(ctx, poc, blob_sha)
    if found.data is None:
        return TOO_LARGE
    if (blob_sha, line.reading.file) not in ctx.documents:
        ctx.documents[blob_sha, line.reading.file] = document_of(line.reading.file, found.data)
    value = value_in(ctx.documents[blob_sha, line.reading.file], line.reading)
    if isinstance(value, Unread):
        return value
    return Measurement(
        metric=line.key.metric,
        value=value,
        unit=line.reading.unit,
        level=Level.SELF_REPORTED,
        source=place,
        at=found.first_seen_at,
    )


def _commits(ctx: Reconciliation, poc: Poc, commit_sha: str, same_tree: bool) -> list[str]:
    """The commits whose numbers count for this one."""
    others = ctx.store.evidence.measured_commits(poc.id) if same_tree else []
    others = [
        sha for sha in dict.fromkeys((*poc.resolved.values(), *others)) if sha != commit_sha and same_tree
    ]
    if not others:
        return [commit_sha]
    tree_sha = commit(ctx, poc, commit_sha).tree_sha
    return [commit_sha, *(sha for sha in others if _tree_sha(ctx, poc, sha) == tree_sha)]


def _tree_sha(ctx: Reconciliation, poc: Poc, measured_sha: str) -> str | None:
    """What names the files of a commit that was measured; None where GitHub doesn't show it."""
    try:
        return commit(ctx, poc, measured_sha).tree_sha
    except GitHubError as error:
        if not error.not_shown:
            raise
        return None
