"""Is this repository a POC? By the policy's selectors; without one by topic, name, or a declared charter."""

from __future__ import annotations

from datetime import timedelta

from service.rules.policy.match import excludes, selects
from service.rules.policy.model import NO_POLICY, POLICY_REPOSITORY, Policy
from service.rules.values.github import Repository

OPT_OUT_TOPIC = "not-a-poc"
"""Whatever a policy selects."""
DORMANT_AFTER = timedelta(days=90)


def exclusion(repository: Repository, policy: Policy = NO_POLICY) -> str | None:
    """Why a repository is never a POC, whatever else speaks for it; None where nothing does."""
    if repository.archived:
        return "archived"
    if repository.fork:
        return "a fork"
    if repository.is_template:
        return "a template"
    if repository.name == POLICY_REPOSITORY:
        return "the organization's .github repository"
    if OPT_OUT_TOPIC in repository.topics:
        return f"topic {OPT_OUT_TOPIC}"
    return excludes(policy, repository)


def poc_reason(repository: Repository, *, declares_charter: bool, policy: Policy = NO_POLICY) -> str | None:
    """Why a repository is a POC, in words for its people; None if it is none."""
    if exclusion(repository, policy):
        return None
    return selects(policy, repository, declares_charter=declares_charter)
