"""Which behaviour looks at which kind of subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from service.reconcile.context import Decision, Look
from service.reconcile.deployment import look_at_deployment
from service.reconcile.digest import look_at_digest
from service.reconcile.installation import look_at_installation
from service.reconcile.policy import look_at_policy
from service.reconcile.policy_check import look_at_policy_change
from service.reconcile.pull_request import look_at_merge_group, look_at_pull_request
from service.reconcile.repository import look_at_repository
from service.rules.values.subjects import SubjectKind

_LOOKS: Mapping[SubjectKind, Callable[[Look, list[str]], Decision]] = {
    SubjectKind.INSTALLATION: lambda look, parts: look_at_installation(look, int(parts[0])),
    SubjectKind.REPOSITORY: lambda look, parts: look_at_repository(look, int(parts[0])),
    SubjectKind.PULL_REQUEST: lambda look, parts: look_at_pull_request(look, int(parts[0]), int(parts[1])),
    SubjectKind.DEPLOYMENT: lambda look, parts: look_at_deployment(look, int(parts[0])),
    SubjectKind.DIGEST: lambda look, parts: look_at_digest(look, int(parts[0]), *parts[1:]),
    SubjectKind.POLICY: lambda look, parts: look_at_policy(look, int(parts[0])),
    SubjectKind.POLICY_CHANGE: lambda look, parts: look_at_policy_change(look, int(parts[0]), int(parts[1])),
    SubjectKind.MERGE_GROUP: lambda look, parts: look_at_merge_group(look, int(parts[0]), *parts[1:]),
}


def look_at(look: Look) -> Decision:
    """Gather and decide for the look's subject."""
    kind, *parts = look.key.split(":")
    return _LOOKS[SubjectKind(kind)](look, parts)
