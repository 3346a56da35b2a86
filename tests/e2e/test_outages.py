"""Everything that GitHub does wrong is begun at once, because most of it is waiting."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.harness.emulator import Repo, Stage, good_charter
from tests.harness.gateway import Answer, Fault, Forward, Hang, lost, says

RATE_LIMIT = "You have exceeded a secondary rate limit. Please wait a few minutes."
NOT_THERE = 3
"""Each repository was registered before it had a charter, and the emulator knows neither environments nor the
deployments of which a history is read once.
"""
CONTENTS, CHECK_RUNS = "/contents/POC.md", "/check-runs$"


@dataclass(frozen=True, slots=True)
class Trouble:
    method: str
    place: str
    fault: Fault
    times: int = 1
    org: str = "acme"


def drop(_: Forward) -> None:
    """Hang up without an answer."""


def exhausted(_: Forward) -> Answer:
    """No call is left for the next two seconds."""
    reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 2)}
    body = b'{"message": "API rate limit exceeded for installation"}'
    return Answer(403, body, {"Content-Type": "application/json"} | reset)


HANG_BEFORE, HANG_AFTER = Hang(done=False), Hang(done=True)
TROUBLES = {
    "403 on a read": Trouble("GET", CONTENTS, says(403, RATE_LIMIT, Retry_After="1"), org="tyrell"),
    "429 on a write": Trouble("POST", CHECK_RUNS, says(429, "", Retry_After="1"), org="weyland"),
    "no call left": Trouble("GET", CONTENTS, exhausted, org="cyberdyne"),
    "502 on a read": Trouble("GET", CONTENTS, says(502), times=2),
    "502 on a write": Trouble("POST", CHECK_RUNS, says(502)),
    "502 after the write was done": Trouble("POST", CHECK_RUNS, lost),
    "401 on a read": Trouble("GET", CONTENTS, says(401, "Bad credentials")),
    "no answer to a read": Trouble("GET", CONTENTS, drop),
    "no answer to a write": Trouble("POST", CHECK_RUNS, drop),
    "read that hangs": Trouble("GET", CONTENTS, HANG_BEFORE),
    "write that is done and hangs": Trouble("POST", CHECK_RUNS, HANG_AFTER),
}


@pytest.fixture(scope="module")
def troubled(stage: Stage) -> Iterator[dict[str, tuple[Repo, str]]]:
    """A pull request for each trouble, in a repository that was registered before."""
    with ThreadPoolExecutor() as together:
        pocs = together.map(lambda t: stage.poc(org=t.org, charter=good_charter()), TROUBLES.values())
        repos = dict(zip(TROUBLES, pocs, strict=True))
    heads = {}
    for name, repo in repos.items():
        trouble = TROUBLES[name]
        path = f"^/repos/{repo.full_name}{trouble.place}"
        stage.api.fail(trouble.method, path, trouble.fault, times=trouble.times)
        heads[name] = repo, repo.pull("model", model_py="x = 1\n").head_sha
    yield heads
    HANG_BEFORE.over.set()
    HANG_AFTER.over.set()


@pytest.mark.slow
@pytest.mark.parametrize("trouble", TROUBLES)
def test_check_run_arrives_once(troubled: dict[str, tuple[Repo, str]], stage: Stage, trouble: str) -> None:
    repo, sha = troubled[trouble]
    repo.expect(sha, "success")
    stage.settle()
    repo.expect(sha, "success")
    answers = [call.status for call in repo.calls() if not 200 <= call.status < 300]
    assert "hangs" in trouble or len(answers) == TROUBLES[trouble].times + NOT_THERE, refusals(repo)


def refusals(repo: Repo) -> list[str]:
    return [f"{call}: {call.status}" for call in repo.calls() if not 200 <= call.status < 300]


def refused(stage: Stage) -> int:
    """How often the service found nobody listening, by its own count."""
    counted = r'^poc_governor_github_calls_total\{.*status="ConnectionError".*\} (\S+)$'
    return sum(int(float(count)) for count in re.findall(counted, stage.metrics(), re.MULTILINE))


def test_check_run_arrives_when_github_is_back(stage: Stage) -> None:
    repo = stage.poc(charter=good_charter())
    sha = repo.branch("model", model_py="x = 1\n")
    stage.settle()
    before = refused(stage)
    with stage.api.away():
        repo.person.open_pull(repo.name, "model", "Model")
        stage.until(lambda: refused(stage) > before, "GitHub was asked in vain")
    repo.expect(sha, "success")


@pytest.mark.slow
def test_token_that_cannot_be_minted_at_once_is_minted_later(stage: Stage) -> None:
    minting = f"^/app/installations/{stage.installations['aperture']}/access_tokens"
    stage.api.fail("POST", minting, says(502), times=2)
    repo = stage.poc(org="aperture")
    repo.expect(repo.pull("model", model_py="x = 1\n").head_sha, "action_required")


def test_refused_write_is_given_up_and_told(stage: Stage) -> None:
    repo = stage.poc(charter=good_charter())
    stage.api.fail("POST", f"^/repos/{repo.full_name}/check-runs", says(422, "Validation failed"), times=2)
    pull = repo.pull("model", model_py="x = 1\n")
    key = f"pull_request:{repo.id}:{pull.number}"
    stage.until(lambda: stage.health()["dead_count"] == 1, "it is dead")
    told, _ = stage.start("doctor").communicate(timeout=60)
    assert f"dead {key}: posting POC charter" in told
    assert "422" in told
    assert f"POC charter on {repo.full_name}#{pull.number}: not on {pull.head_sha[:7]}" in told
    repo.deliver("pull_request.opened", **repo.pull_values(pull))
    repo.expect(pull.head_sha, "success")
    stage.settle()
    assert stage.health()["dead_count"] == 0
