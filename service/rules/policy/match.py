"""Which repositories a policy selects and excludes, and why, in words."""

from __future__ import annotations

from fnmatch import fnmatchcase

from service.rules.policy.model import Policy, Selector
from service.rules.source.wording import shown
from service.rules.values.github import Repository

LONGEST_SHOWN = 100
"""Characters of a name in a reason: GitHub's longest."""


def selects(policy: Policy, repository: Repository, *, declares_charter: bool) -> str | None:
    """Why the policy takes a repository for a POC, in words for its people; None where it does not."""
    return found(policy.select, repository) or ("its `POC.md`" if declares_charter else None)


def excludes(policy: Policy, repository: Repository) -> str | None:
    """Why the policy takes it for none, whatever else speaks for it; None where it does not."""
    central = policy.central_repository
    if central and central.lower() == repository.full_name.lower():
        return "the policy's central repository"
    why = found(policy.exclude, repository)
    return f"excluded by the policy: {why}" if why else None


def found(selector: Selector, repository: Repository) -> str | None:
    """What of a selector meets a repository: a topic, its name, a property, in this order."""
    for topic in sorted(selector.topics.intersection(repository.topics)):
        return f"topic {named(topic)}"
    name = repository.name.lower()
    if any(matches(glob, name) for glob in selector.names):
        return f"its name, {named(repository.name)}"
    return found_property(selector, repository)


def found_property(selector: Selector, repository: Repository) -> str | None:
    """The property that meets a repository; none where its properties are not known."""
    wanted = {name.lower(): values for name, values in selector.properties.items()}
    for name, values in sorted((repository.properties or {}).items() if wanted else ()):
        counting = {value.lower() for value in wanted.get(name.lower(), ())}
        for value in values:
            if value.lower() in counting:
                return f"property {named(name)}, {named(value)}"
    return None


def matches(glob: str, name: str) -> bool:
    """Whether a glob fits a name in small letters; no glob goes back over what an earlier star took."""
    return fnmatchcase(name, glob.lower())


def named(text: str) -> str:
    """A name as code, whole."""
    return shown(text, LONGEST_SHOWN)


def uses_properties(policy: Policy) -> bool:
    """Whether custom properties matter to what it selects."""
    return bool(policy.select.properties or policy.exclude.properties)
