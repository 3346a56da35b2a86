"""A policy file and what it would change, as the values that a template shows."""

from __future__ import annotations

from dataclasses import dataclass

from service.rules.policy.model import POLICY_PATH, Mode
from service.rules.policy.reading import PolicyReading
from service.rules.source.block import lines_of
from service.rules.source.text import decoded
from service.rules.values.actions import Annotation
from service.rules.what_if import Changed, WhatIf
from service.texts.charter import FindingView, annotation, finding_views

NAMED = (50, 20, 5)
"""Repositories that a list names, the fewer the longer the text gets; the rest is counted."""
MOST_LISTED = 50
"""Findings in a table."""


@dataclass(frozen=True, slots=True)
class ChangedList:
    """One list of the what-if: those who may be named, and how many may not."""

    what: str
    """What would happen to each, after a number."""
    count: int
    named: tuple[Changed, ...]
    unnamed: int
    """Private repositories, where everybody may read what we write."""


@dataclass(frozen=True, slots=True)
class PolicyView:
    """What the summary of the check run `POC policy` is made of."""

    broken: bool
    removed: bool
    errors: tuple[FindingView, ...]
    remarks: tuple[FindingView, ...]
    lists: tuple[ChangedList, ...]
    repositories: int
    """Repositories that the two policies were tried on."""
    observe: bool
    """Whether the policy would only observe."""
    app_observes: bool
    """Whether the app does, whatever the policy says."""
    annotations: tuple[Annotation, ...]
    docs_url: str = ""


def policy_view(
    data: bytes | str | None,
    reading: PolicyReading,
    change: WhatIf | None = None,
    *,
    public: bool,
    app_observes: bool = False,
    docs_url: str = "",
) -> PolicyView:
    """Lay out what was read (`data` is None where the file is removed) and what it would change.

    Where the policy's repository is `public`, private repositories are counted and not named.
    """
    text = decoded(data) if isinstance(data, bytes) else data or ""
    lines = lines_of(text) if isinstance(text, str) else ()
    errors, remarks = finding_views(reading.findings, lines)
    policy = reading.policy
    return PolicyView(
        broken=policy is None,
        removed=data is None,
        errors=errors,
        remarks=remarks,
        lists=_lists(change, public=public) if change and policy else (),
        repositories=change.repositories if change else 0,
        observe=policy is not None and policy.mode is Mode.OBSERVE,
        app_observes=app_observes,
        annotations=tuple(annotation(finding, POLICY_PATH) for finding in reading.findings),
        docs_url=docs_url,
    )


def policy_title(view: PolicyView) -> str:
    """The verdict in a few words: `12 POCs would newly fail, 3 would pass, 2 stall issues would open`."""
    if view.broken:
        lines = len({finding.line for finding in view.errors[:MOST_LISTED]})
        return (
            f"{lines} lines of the policy need a change"
            if lines > 1
            else "1 line of the policy needs a change"
        )
    title = ", ".join(f"{each.count} {each.what}" for each in view.lists)
    return title or "Nothing would change"


def _lists(change: WhatIf, *, public: bool) -> tuple[ChangedList, ...]:
    """Those of the lists that hold anything."""
    named = (
        ("POC would newly fail", "POCs would newly fail", change.failing),
        ("POC would pass", "POCs would pass", change.passing),
        ("repository would become a POC", "repositories would become POCs", change.pocs),
        ("POC would stop being one", "POCs would stop being ones", change.no_pocs),
        ("stall issue would open", "stall issues would open", change.opening),
        ("stall issue would close", "stall issues would close", change.closing),
    )
    return tuple(
        _list(one if len(changed) == 1 else many, changed, public=public)
        for one, many, changed in named
        if changed
    )


def _list(what: str, changed: tuple[Changed, ...], *, public: bool) -> ChangedList:
    open_to_name = tuple(each for each in changed if not (public and each.private))
    return ChangedList(what, len(changed), open_to_name, len(changed) - len(open_to_name))
