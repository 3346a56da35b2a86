"""What it runs on: a fact that can be looked up, or a gap that is admitted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import attrgetter

from service.rules.charter.keys import INFRA
from service.rules.charter.values import MISSING, NOT_APPLICABLE, parse_infra
from service.rules.checks.check import CheckContext, Example, Problem, check
from service.rules.checks.surroundings import evidence_path, infra_path
from service.rules.source.nodes import Scalar
from service.rules.source.text import shown
from service.rules.values.finding import Severity

ISSUE = re.compile(r"(?<![\w./#-])(?:[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)?#[1-9][0-9]{0,8}(?!\w)")
LONGEST = 60


@check(
    why="Each thing it needs to run exists, isn't needed for a reason, or is known to be missing.",
    examples=(
        Example("feature_store: soon", "feature_store: missing", "infra"),
        Example("deploy_process: missing - #12", 'deploy_process: "missing - #12"', "infra"),
        Example("feature_store: n/a", "feature_store: n/a - retrieval only, no features", "infra"),
    ),
)
def infra_entry(context: CheckContext) -> Iterator[Problem]:
    """Each entry of `infra` is a path, a URL, `n/a - reason` or `missing`, which may name its issue."""
    for field in INFRA:
        entry = context.text("infra", field.name)
        if entry is None or parse_infra(entry.value):
            continue
        if NOT_APPLICABLE.fullmatch(entry.value):
            yield Problem("Why isn't it needed? Write `n/a - ` and the reason", entry)
        elif entry.value.lower().startswith(MISSING):
            yield _missing(context, entry)
        else:
            message = f"{shown(entry.value)} can't be looked up"
            yield Problem(f"{message}: write a path, a URL, `n/a - reason` or `missing`", entry)


def _missing(context: CheckContext, entry: Scalar) -> Problem:
    """What is said beside `missing`; YAML takes a `#12` that is not quoted for a comment."""
    line = context.lines[entry.end_line - 1]
    behind = line[entry.end_column - 1 :]
    named = ISSUE.search(entry.value) or ISSUE.search(behind)
    if named is None:
        message = f"A missing entry takes only its issue: write `{MISSING}` or `{MISSING} - owner/name#12`"
        return Problem(message, entry, example=context.line_with(entry, MISSING))
    meant = f"{MISSING} - {named[0]}"
    written = f'"{meant}"' if named[0].startswith("#") else meant
    fix = context.line_with(entry, written)
    if named.string == behind:
        message = f"YAML takes {shown(named[0], LONGEST)} without quotes for a comment"
        fix = fix and fix.removesuffix(behind)
    else:
        message = "A missing entry takes its issue and nothing else"
    return Problem(f"{message}: write {shown(written, LONGEST)}", entry, fix)


@check(
    why="A pipeline needs more than a name. Checked with GitHub, or in the repository around `POC.md`.",
    examples=(Example("eval_pipeline: .github/workflows/evil.yml", "eval_pipeline: missing", "infra"),),
)
def path_missing(context: CheckContext) -> Iterator[Problem]:
    """Each path that a charter names is in the repository."""
    missing = context.outside.missing_paths
    if not missing:
        return
    for name, entry in context.charter.infra.entries:
        written = context.text("infra", name)
        if entry and written and infra_path(entry) in missing:
            message = f"{shown(written.value)} isn't in the repository: fix the path, or write `missing`"
            severity = context.severity(attrgetter(f"infra.{name}"))
            example = context.line_with(written, "missing")
            yield Problem(message, written, severity=severity, example=example)
    told: set[str] = set()
    for evidence in context.charter.evidence:
        path = evidence_path(evidence.source.value)
        if path is not None and path in missing and path not in told:
            told.add(path)
            # Never an error: a charter is written before there are numbers, and a workflow may bring them.
            message = f"{shown(path)} isn't in the repository: fix the path, unless a workflow writes it"
            yield Problem(message, evidence.source, severity=Severity.NOTICE)
