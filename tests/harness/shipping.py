"""A POC's story on the emulated GitHub, from its charter to production."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from service.demo.person import CheckRun, Pull
from service.rules.values.actions import GATE_CHECK
from tests.harness.charters import CHARTER
from tests.harness.emulator import SIGNERS, Repo, Stage, stamp
from tests.harness.gateway import Call

RUN_ID = 18_500_042
LOAD = {"metrics": {"http_req_duration": {"avg": 101.2, "p(95)": 212.0, "p(99)": 260.4}}}


def charter(*, measured_in: bool = True, replace: tuple[str, str] = ("", "")) -> str:
    today = datetime.now(UTC).date()
    text = CHARTER.replace("2027-02-26", str(today + timedelta(days=95)))
    text = text.replace("2026-11-12", str(today - timedelta(days=3)))
    if not measured_in:
        text = text.replace("  measured_in: support-staging\n", "")
    assert replace[0] in text
    return text.replace(*replace, 1)


@dataclass(slots=True)
class Story:
    """A POC on its way, and the ways to move it on."""

    repo: Repo
    stage: Stage
    _deployments: Iterator[int] = field(default_factory=lambda: iter(range(9_100, 9_200)))

    def gates(self, sha: str) -> list[CheckRun]:
        return self.repo.person.check_runs(self.repo.name, sha, name=GATE_CHECK)

    def gate(self, sha: str, conclusion: str, title: str = "") -> CheckRun:
        """The newest gate on a commit, once it says so."""

        def found() -> CheckRun | None:
            newest = next(iter(self.gates(sha)), None)
            return newest if newest and newest.conclusion == conclusion and title in newest.title else None

        try:
            return self.stage.until(found, f"{GATE_CHECK} on {sha[:7]} is {conclusion}: {title}")
        except AssertionError as error:
            shown = "\n".join(f"{run.conclusion}: {run.title}\n{run.summary}" for run in self.gates(sha))
            raise AssertionError(f"{error}\n{shown}") from error

    def start(self) -> str:
        """A charter on main, signed by its four."""
        pull = self.repo.pull("charter", POC_md=charter())
        self.repo.expect(pull.head_sha, "success")
        self.approve(pull, *SIGNERS)
        return self.merge(pull)

    def approve(self, pull: Pull, *people: str) -> None:
        self.repo.approve(pull, *people)

    def say(self, number: int, text: str, login: str = "jane-doe") -> None:
        """Comment on a pull request, and send what GitHub would: the emulator's payload does not say so."""
        comment = self.stage.person(login, self.repo.org).comment(self.repo.name, number, text)
        self.repo.deliver(
            "issue_comment.created",
            number=number,
            comment_id=comment["id"],
            body=text,
            sender=login,
            updated_at=stamp(),
        )

    def merge(self, pull: Pull) -> str:
        return self.repo.merge(pull)

    def move(self, pull: Pull, path: str, content: str, *, before: str) -> str:
        """Push to a pull request's branch, and tell of it, which the emulator does not."""
        sha = self.repo.commit(path, content, pull.head_ref)
        self.repo.synchronize(pull, sha, before=before)
        return sha

    def ask_to_deploy(self, sha: str, environment: str = "support-prod") -> dict[str, object]:
        """GitHub asks whether a deployment may proceed; returns our answer."""
        deployment = next(self._deployments)
        before = len(self.answers())
        self.repo.deliver(
            "deployment_protection_rule.requested",
            deployment_id=deployment,
            run_id=RUN_ID,
            environment=environment,
            sha=sha,
        )
        self.stage.until(lambda: len(self.answers()) > before, "the deployment is answered")
        answer: dict[str, object] = self.answers()[-1].json
        return answer

    def deployed(self, sha: str, environment: str = "support-prod") -> None:
        self.repo.deliver(
            "deployment_status.created",
            deployment_id=next(self._deployments),
            run_id=RUN_ID,
            environment=environment,
            sha=sha,
            state="success",
            updated_at=stamp(),
        )
        self.stage.settle()

    def answers(self) -> list[Call]:
        return [call for call in self.repo.writes() if call.path.endswith("/deployment_protection_rule")]

    def said(self, number: int) -> list[str]:
        return self.repo.person.comments(self.repo.name, number)


def metrics(accuracy: float) -> str:
    return json.dumps({"accuracy": accuracy, "n": 2140})
