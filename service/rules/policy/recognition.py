"""A repository as we know it: whether it is a POC, why, since when, and whether things are held up there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from service.rules.policy.model import NO_POLICY, POLICY_REPOSITORY, Mode, Policy, Selector
from service.rules.source.text import CharterFile, shown
from service.rules.values.github import Repository

LONGEST_SHOWN = 100
"""Characters of a name in a reason: GitHub's longest."""
OPT_OUT_TOPIC = "not-a-poc"
"""Whatever a policy selects."""
DORMANT_AFTER = timedelta(days=90)


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
    selectors = (policy.select, policy.exclude, policy.observed.select, policy.enforced.select)
    return any(each.properties for each in selectors)


def exclusion(repository: Repository, policy: Policy = NO_POLICY) -> str | None:
    """Why a repository is never a POC, whatever else speaks for it; None where nothing does."""
    central = (policy.central_repository or "").lower()
    reasons = (
        (repository.archived, "archived"),
        (repository.fork, "a fork"),
        (repository.is_template, "a template"),
        (repository.name == POLICY_REPOSITORY, "the organization's .github repository"),
        (OPT_OUT_TOPIC in repository.topics, f"topic {OPT_OUT_TOPIC}"),
        (repository.full_name.lower() == central, "the policy's central repository"),
    )
    for holds, reason in reasons:
        if holds:
            return reason
    why = found(policy.exclude, repository)
    return f"excluded by the policy: {why}" if why else None


def poc_reason(repository: Repository, *, declares_charter: bool, policy: Policy = NO_POLICY) -> str | None:
    """Why a repository is a POC, in words for its people; None if it is none."""
    if exclusion(repository, policy):
        return None
    return found(policy.select, repository) or ("its `POC.md`" if declares_charter else None)


def no_poc_reason(repository: Repository, policy: Policy = NO_POLICY) -> str:
    """Why a repository isn't a POC, in words for its people."""
    return exclusion(repository, policy) or "no rule selects it, and no `POC.md` declares it"


@dataclass(frozen=True, slots=True)
class KnownRepository:
    """What is stored of a repository; it is a POC where `poc_reason` says why."""

    installation_id: int
    repository: Repository
    described: bool
    """False for one of which only id and name were told."""
    removed: bool
    reread: bool
    """Whether its branches may have moved without our being told."""
    first_seen_at: datetime
    first_pushed_at: datetime | None
    poc_reason: str | None
    registered_at: datetime | None
    charter: CharterFile | None
    chartered_at: datetime | None
    """When a charter was first seen on the default branch."""
    charter_changed_at: datetime | None

    @property
    def began_at(self) -> datetime:
        """When its calendar begins: with its charter, else when it was first known as a POC, or at all."""
        return self.chartered_at or self.registered_at or self.first_seen_at

    @property
    def dormant(self) -> bool:
        """Nobody had pushed in the 90 days before we first saw it, nor since: listed, and left alone."""
        pushed_at = self.repository.pushed_at
        if pushed_at is None:
            return True
        return pushed_at == self.first_pushed_at and pushed_at < self.first_seen_at - DORMANT_AFTER


def mode_of(
    policy: Policy,
    repository: Repository | None,
    *,
    switched: Mode | None = None,
    default: Mode | None = None,
    begins: bool = True,
) -> Mode:
    """The mode that holds: what an operator switched, else the policy's word, else the service's setting.

    Within a policy what it says of some repositories goes before `mode`, and observing before enforcing.
    Where nobody has said anything an installation that `begins` observes.
    """
    if switched is not None:
        return switched
    if repository is not None and found(policy.observed.select, repository):
        return Mode.OBSERVE
    if repository is not None and found(policy.enforced.select, repository):
        return Mode.ENFORCE
    return policy.mode or default or (Mode.OBSERVE if begins else Mode.ENFORCE)
