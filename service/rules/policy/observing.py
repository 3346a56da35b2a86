"""Whether things are held up or only said: for an organisation, a repository, and a single rule."""

from __future__ import annotations

from service.rules.policy.model import Mode, Policy
from service.rules.policy.recognition import found
from service.rules.values.github import Repository


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
