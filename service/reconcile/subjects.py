"""Which function reconciles which kind of subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from service.reconcile.context import Decision, Reconciliation
from service.reconcile.deployment import reconcile_deployment
from service.reconcile.digest import reconcile_digest
from service.reconcile.installation import reconcile_installation
from service.reconcile.policy import reconcile_policy, reconcile_policy_change
from service.reconcile.pull_request import reconcile_merge_group, reconcile_pull_request
from service.reconcile.repository import reconcile_repository
from service.rules.values.subjects import SubjectKind

_RECONCILERS: Mapping[SubjectKind, Callable[[Reconciliation, list[str]], Decision]] = {
    SubjectKind.INSTALLATION: lambda ctx, parts: reconcile_installation(ctx, int(parts[0])),
    SubjectKind.REPOSITORY: lambda ctx, parts: reconcile_repository(ctx, int(parts[0])),
    SubjectKind.PULL_REQUEST: lambda ctx, parts: reconcile_pull_request(ctx, int(parts[0]), int(parts[1])),
    SubjectKind.DEPLOYMENT: lambda ctx, parts: reconcile_deployment(ctx, int(parts[0])),
    SubjectKind.DIGEST: lambda ctx, parts: reconcile_digest(ctx, int(parts[0]), *parts[1:]),
    SubjectKind.POLICY: lambda ctx, parts: reconcile_policy(ctx, int(parts[0])),
    SubjectKind.POLICY_CHANGE: lambda ctx, parts: reconcile_policy_change(ctx, int(parts[0]), int(parts[1])),
    SubjectKind.MERGE_GROUP: lambda ctx, parts: reconcile_merge_group(ctx, int(parts[0]), *parts[1:]),
}


def reconcile(ctx: Reconciliation) -> Decision:
    """Gather and decide for the subject of a reconciliation."""
    kind, *parts = ctx.key.split(":")
    return _RECONCILERS[SubjectKind(kind)](ctx, parts)
