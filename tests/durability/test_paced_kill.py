"""kill -9 of the worker while content is written one by one: all of it arrives, once, and no faster."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from service.demo.emulator import Emulator
from service.demo.person import Person
from tests.durability.conftest import REPOSITORY
from tests.harness.gateway import Answer, Forward, Gateway
from tests.harness.processes import Serve, environment, kill, serving
from tests.harness.program import PACE, PROGRAM, UNTOUCHED
from tests.harness.waiting import eventually

pytestmark = pytest.mark.slow

log = logging.getLogger(__name__)

PULLS, KILL_AT = 12, 5
"""How many are asked for at once, and at which of them the worker is killed."""
TWO_MINUTES = 120.0
APART = 0.3
"""Seconds between two comments; in the product it is one."""
WOKEN_AFTER = "5"
ASKED = "/poc help"


@pytest.fixture(scope="module")
def pulls(jane: Person) -> list[dict[str, Any]]:
    """Pull requests as the emulator describes them."""
    place, main = f"/repos/acme/{REPOSITORY}", jane.head(REPOSITORY)
    opened = []
    for n in range(PULLS):
        jane.call("POST", f"{place}/git/refs", {"ref": f"refs/heads/paced-{n}", "sha": main})
        change = {"message": f"paced {n}", "content": "eA==", "branch": f"paced-{n}"}
        jane.call("PUT", f"{place}/contents/paced-{n}.txt", change)
        what = {"title": f"paced {n}", "head": f"paced-{n}", "base": "main"}
        opened.append(jane.call("POST", f"{place}/pulls", what))
    return opened


class Content:
    """Sees the comments come in on GitHub's side; the worker dies of one that was written."""

    def __init__(self, emulator: Emulator) -> None:
        self.came: list[float] = []
        self.serve: Serve | None = None
        self.killed = 0
        self.gateway = Gateway(emulator.api_url, rename=True)
        self.gateway.fail("POST", "/issues/[0-9]+/comments$", self._comment, times=10 * PULLS)

    def _comment(self, forward: Forward) -> Answer | None:
        self.came.append(time.monotonic())
        answer = forward()
        if len(self.came) != KILL_AT or self.serve is None:
            return answer
        self.killed = self.serve.worker()
        kill(self.killed)
        return None


@pytest.fixture
def content(emulator: Emulator) -> Iterator[Content]:
    content = Content(emulator)
    with content.gateway:
        yield content


def test_a_worker_killed_among_a_dozen_comments_leaves_none_unsaid_and_says_none_twice(
    emulator: Emulator, jane: Person, content: Content, pulls: list[dict[str, Any]], folder: Path
) -> None:
    numbers = [pull["number"] for pull in pulls]
    env = environment(emulator, DATA_DIR=str(folder / "data"), GITHUB_API_URL=content.gateway.url)
    env |= {PACE: str(APART), UNTOUCHED: WOKEN_AFTER}
    with serving(folder / "serve.log", env, program=PROGRAM) as serve:
        content.serve = serve
        for pull in pulls:
            assert (
                serve.deliver("pull_request", _payload(emulator, jane, action="opened", pull_request=pull))
                == 202
            )
        eventually(serve.idle, "every pull request is known", within=TWO_MINUTES)
        for number in numbers:
            comment = jane.comment(REPOSITORY, number, ASKED)
            issue = {"id": number, "number": number, "pull_request": {}, "updated_at": comment["updated_at"]}
            asked = _payload(emulator, jane, action="created", comment=comment, issue=issue)
            assert serve.deliver("issue_comment", asked) == 202
        eventually(lambda: content.killed, "the worker was killed", within=TWO_MINUTES)
        assert serve.health()["dirty"] > 0
        eventually(serve.idle, "every subject is clean", within=TWO_MINUTES)
        assert serve.health()["dead_count"] == 0
        assert serve.worker() != content.killed
    answers = {number: jane.comments(REPOSITORY, number)[1:] for number in numbers}
    assert {number: len(said) for number, said in answers.items()} == dict.fromkeys(numbers, 1)
    waits = [later - earlier for earlier, later in pairwise(content.came)]
    log.info("%d comments, %.2f to %.2f s apart", len(content.came), min(waits), max(waits))
    assert len(content.came) == PULLS
    assert min(waits) >= APART


def _payload(emulator: Emulator, jane: Person, **what: Any) -> dict[str, Any]:
    return {
        "installation": {"id": emulator.installation_id},
        "repository": jane.repo(REPOSITORY),
        "sender": {"login": "jane-doe", "type": "User"},
        **what,
    }
