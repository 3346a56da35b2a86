"""An organisation with a policy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from service.rules.values.actions import POLICY_CHECK
from tests.harness.deliveries import described
from tests.harness.github import CheckRun, FakeRepository, repository
from tests.harness.world import BASE, FORK_POINT, HEAD, World

HOME = repository(90, full_name="acme/.github")


class Org(World):
    """An organisation with a repository for its policy."""

    @property
    def home(self) -> FakeRepository:
        return self.github.repos[HOME.id]

    def write_policy(self, text: str | None, *refs: str) -> None:
        for ref in refs or ("main",):
            self.home.trees[ref] = {} if text is None else {"poc-policy.yml": text.encode()}

    def push_policy(self, text: str | None, *paths: str) -> None:
        after = f"policy-{self._deliveries}"
        self.write_policy(text, "main", after)
        self.deliver(
            "push",
            ref="refs/heads/main",
            after=after,
            commits=[{"modified": list(paths or ("poc-policy.yml",))}],
            repository=described(replace(HOME, pushed_at=self.now, updated_at=self.now)),
            sender={"login": "jane-doe"},
        )
        self.work()

    def propose_policy(self, text: str | None, head: str = HEAD, **more: Any) -> None:
        self.write_policy(text, head)
        self.home.merge_bases[BASE, head] = FORK_POINT
        self.pull_request(head=head, repository=HOME, **more)

    @property
    def policy_runs(self) -> list[CheckRun]:
        return [run for run in self.home.check_runs if run.name == POLICY_CHECK]
