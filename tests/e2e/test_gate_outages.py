"""While the ship gate is at work GitHub fails, tells things late, twice or in another order, and workers die.

Whatever happens, everything is there in the end, and once. What takes long is begun at once.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from service.demo.person import CheckRun, Pull
from service.rules.values.actions import GATE_CHECK
from tests.e2e.conftest import LIMITED
from tests.harness.emulator import SIGNERS, Repo, Stage, stamp
from tests.harness.gateway import Answer, Call, Fault, Forward, Hang, Rule, lost, says, swallow
from tests.harness.shipping import LOAD, RUN_ID, Story, charter, metrics
from tests.harness.waiting import eventually
from tests.harness.webhooks import delivery_id

pytestmark = pytest.mark.slow

SLOW_DOWN = "You have exceeded a secondary rate limit. Please wait a few minutes."
GATE = json.dumps(GATE_CHECK).encode()
REJECTED = says(422, "There are no pending deployment requests to approve or reject")
"""What GitHub says where a deployment was answered before."""


def drop(_: Forward) -> None:
    """Hang up without an answer."""


@dataclass(frozen=True, slots=True)
class Place:
    """A call that the gate needs; `body` tells it from others of its path."""

    method: str
    path: str
    body: bytes = b""


TREE = Place("GET", "/git/trees/")
BLOB = Place("GET", "/git/blobs/")
PERMISSION = Place("GET", "/collaborators/bob-m/permission$")
EVENTS = Place("GET", "/issues/[0-9]+/events")
GATE_RUN = Place("POST", "/check-runs$", GATE)
REFUSAL = Place("POST", "/issues/[0-9]+/comments$", b"answer")
SHIPPED = Place("POST", "/issues/[0-9]+/comments$", b"hipped")
REACTION = Place("POST", "/comments/[0-9]+/reactions$")
ANSWER = Place("POST", "/deployment_protection_rule$")


Steps = Generator[Place | None, None, Pull]


def obstruct(repo: Repo, place: Place, fault: Fault, times: int = 1) -> Rule:
    """Let the next calls of that kind about a repository fail."""
    path = f"^/repos/{repo.full_name}/.*{place.path.removeprefix('/')}"
    return repo.stage.api.fail(place.method, path, fault, times=times, body=place.body)


class Patient(Story):
    """Waits for its own repository only, and asks the emulator seldom: many of these go on at once."""

    def gates(self, sha: str) -> list[CheckRun]:
        watcher = self.stage.person("alice-x", self.repo.org)
        return watcher.check_runs(self.repo.name, sha, name=GATE_CHECK)

    def gate(self, sha: str, conclusion: str, title: str = "") -> CheckRun:
        def found() -> CheckRun | None:
            newest = next(iter(self.gates(sha)), None)
            return newest if newest and newest.conclusion == conclusion and title in newest.title else None

        return eventually(
            found,
            f"{GATE_CHECK} is {conclusion}: {title}",
            news=self.stage.news_about(self.repo),
            at_least_every=2,
        )

    def approve(self, pull: Pull, *people: str) -> None:
        for login in people:
            self.stage.person(login, self.repo.org).review(self.repo.name, pull.number)

    def say(self, number: int, text: str, login: str = "jane-doe") -> None:
        self.tell_said(number, self.comment(number, text, login))

    def comment(self, number: int, text: str, login: str = "jane-doe") -> dict[str, Any]:
        """Comment, of which nobody is told; returns what is to be told."""
        comment = self.stage.person(login, self.repo.org).comment(self.repo.name, number, text)
        return {"comment_id": comment["id"], "body": text, "sender": login, "updated_at": stamp()}

    def tell_said(self, number: int, comment: dict[str, Any], delivery: str | None = None) -> None:
        self.repo.deliver("issue_comment.created", number=number, delivery=delivery, **comment)

    def settle(self) -> None:
        self.stage.settle(self.repo)

    def merge(self, pull: Pull) -> str:
        before = self.repo.person.head(self.repo.name)
        sha = self.repo.person.merge_pull(self.repo.name, pull.number)
        self.repo.deliver(
            "push",
            branch="main",
            before=before,
            after=sha,
            commits=[{"id": sha, "added": ["eval/metrics.json"], "removed": [], "modified": []}],
            repository=self.repo.described(pushed_at=int(datetime.now(UTC).timestamp())),
        )
        return sha

    def ask(self, sha: str, deployment: int = 9_001, delivery: str | None = None) -> None:
        """GitHub asks whether a deployment may proceed, and goes on."""
        self.repo.deliver(
            "deployment_protection_rule.requested",
            **of_deployment(sha, deployment),
            delivery=delivery,
        )

    def tell_deployed(self, sha: str, deployment: int = 9_001) -> None:
        """A deployment succeeded."""
        self.repo.deliver(
            "deployment_status.created", **of_deployment(sha, deployment), state="success", updated_at=stamp()
        )


def of_deployment(sha: str, deployment: int) -> dict[str, Any]:
    return {"deployment_id": deployment, "run_id": RUN_ID, "environment": "support-prod", "sha": sha}


def open_ship_request(story: Story, accuracy: float = 0.931) -> Pull:
    repo = story.repo
    repo.branch("ship", load_json="{}")
    repo.commit("load/k6.json", json.dumps(LOAD), "ship")
    repo.commit("eval/metrics.json", metrics(accuracy), "ship")
    return repo.person.open_pull(repo.name, "ship", "Ship it")


def dismiss(story: Story, pull: Pull, login: str) -> None:
    """A person takes somebody's approval back."""
    place = f"/repos/{story.repo.full_name}/pulls/{pull.number}/reviews"
    given = [one for one in story.repo.person.call("GET", place) if one["user"]["login"] == login]
    story.repo.person.call("PUT", f"{place}/{given[-1]['id']}/dismissals", {"message": "Look again"})


def play(story: Patient) -> Steps:
    """From the ship request to production; yields each call to come, and None when it was led to."""
    repo = story.repo
    yield GATE_RUN
    pull = open_ship_request(story)
    yield None
    story.gate(pull.head_sha, "neutral", "Numbers met")
    yield REFUSAL
    story.say(pull.number, "/poc ship", "bob-m")
    yield None
    yield REACTION
    story.say(pull.number, "/poc ship")
    yield None
    story.gate(pull.head_sha, "failure", "ship: 4 signatures open")
    story.approve(pull, *SIGNERS)
    story.gate(pull.head_sha, "success", "Ready to ship")
    yield EVENTS
    dismiss(story, pull, "dan-w")
    yield None
    story.gate(pull.head_sha, "failure", "ship: 1 signature open")
    story.approve(pull, "dan-w")
    story.gate(pull.head_sha, "success", "Ready to ship")
    shipped = story.merge(pull)
    repo.stage.until(lambda: repo.stage.told("pull_request", repo, "closed"), "the merge is told of")
    story.settle()
    yield ANSWER
    story.ask(shipped)
    yield None
    story.settle()
    yield SHIPPED
    story.tell_deployed(shipped)
    yield None
    story.settle()
    return pull


def finish(steps: Steps) -> Pull:
    """Play on to the end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            pull: Pull = end.value
            return pull


def told_once(story: Story, pull: Pull) -> None:
    """Everything that a story leads to stands there, and once."""
    ours = [text.partition("\n") for text in story.said(pull.number) if text.startswith("<!-- poc-governor")]
    assert [mark.split(":")[1] for mark, *_ in ours] == ["answer", "shipped -->"]
    runs = [(run.conclusion, run.title) for run in reversed(story.gates(pull.head_sha))]
    assert runs[0] == ("neutral", "Numbers met")
    assert runs[-1] == ("success", "Ready to ship")
    assert all(newer != older for newer, older in pairwise(runs))
    answers = {json.dumps(call.json, sort_keys=True) for call in story.answers()}
    assert [json.loads(answer)["state"] for answer in answers] == ["approved"]


def dead(stage: Stage) -> list[tuple[Any, ...]]:
    return stage.rows("SELECT key, last_error FROM subject WHERE dead_since IS NOT NULL")


@pytest.fixture(scope="module", autouse=True)
def _what_the_emulator_lacks(stage: Stage) -> Iterator[None]:
    stage.api.fail("POST", "/deployment_protection_rule$", says(204), times=1000)
    stage.api.fail("POST", "/comments/[0-9]+/reactions$", says(201), times=1000)
    yield
    assert dead(stage) == []


@pytest.fixture
def story(stage: Stage) -> Patient:
    return begin(stage)


def begin(stage: Stage, org: str = "acme") -> Patient:
    return Patient(stage.poc(org=org, charter=charter()), stage)


# A story in which everything fails at each place

PLACES = {
    "asking": (TREE, PERMISSION, REACTION, ANSWER),
    "telling": (BLOB, GATE_RUN, REFUSAL, EVENTS, SHIPPED),
}
FAST: dict[str, Fault] = {"502": says(502), "no answer": drop, "the answer is lost": lost}


def answered_before() -> Fault:
    """GitHub takes the answer to a deployment, which gets lost; a second one is not waited for."""
    answers = iter((Answer(502), Answer(422, b'{"message": "no pending deployment"}')))
    return lambda _: next(answers)


SLOW: dict[str, tuple[Place, Fault]] = {
    "403 on the tree": (TREE, says(403, SLOW_DOWN, Retry_After="1")),
    "429 on the permission": (PERMISSION, says(429, "", Retry_After="1")),
    "403 on the gate": (GATE_RUN, says(403, SLOW_DOWN, Retry_After="1")),
    "429 on the answer": (ANSWER, says(429, "", Retry_After="1")),
    "blob that hangs": (BLOB, Hang(done=False)),
    "gate that is written and hangs": (GATE_RUN, Hang(done=True)),
    "comment that is written and hangs": (REFUSAL, Hang(done=True)),
}
OUTAGES = (*(f"{name}, {half}" for name in FAST for half in PLACES), *SLOW)
Played = tuple[Patient, Pull, list[Rule]]


def play_obstructed(story: Patient, faults: list[tuple[Place, Fault, int]]) -> Played:
    rules = [obstruct(story.repo, place, fault, times) for place, fault, times in faults]
    return story, finish(play(story)), rules


def faulty(place: Place, fault: Fault) -> tuple[Place, Fault, int]:
    """A fault at a place; of the writes that the emulator does not know only the answer can be lost."""
    if fault is lost and place is ANSWER:
        return place, answered_before(), 2
    return place, (says(502) if fault is lost and place is REACTION else fault), 1


@pytest.fixture(scope="module")
def played(stage: Stage) -> Iterator[dict[str, Future[Played]]]:
    """All the stories with their outages, on their way."""
    limited = iter(LIMITED)
    faults = {name: [(place, fault, 1)] for name, (place, fault) in SLOW.items()}
    for name, fault in FAST.items():
        for half, places in PLACES.items():
            faults[f"{name}, {half}"] = [faulty(place, fault) for place in places]
    orgs = [next(limited) if name[:3] in ("403", "429") else "acme" for name in faults]
    with ThreadPoolExecutor(len(faults)) as together:
        # All are registered first: that waits for whatever is under way.
        stories = list(together.map(lambda org: begin(stage, org), orgs))
        begun = {
            name: together.submit(play_obstructed, story, faults[name])
            for name, story in zip(faults, stories, strict=True)
        }
        yield begun
        for _, fault in SLOW.values():
            if isinstance(fault, Hang):
                fault.over.set()


@pytest.mark.parametrize("outage", OUTAGES)
def test_outage_delays_and_everything_is_there_once(played: dict[str, Future[Played]], outage: str) -> None:
    story, pull, rules = played[outage].result()
    assert [rule for rule in rules if rule.left] == []
    told_once(story, pull)


# What is told late, twice, or in another order


@contextmanager
def untold(repo: Repo) -> Iterator[list[Call]]:
    """Keep what GitHub tells of a repository back; it stands in the list afterwards."""
    hooks, kept = repo.stage.hooks, list[Call]()
    rule = hooks.fail("POST", "", swallow, times=1000, body=f'/{repo.name}"'.encode())
    seen = len(hooks.calls())
    yield kept
    rule.left = 0
    kept += [call for call in hooks.calls()[seen:] if call.json.get("repository", {}).get("id") == repo.id]


def tell(stage: Stage, call: Call) -> None:
    """Deliver what was kept back, or what was delivered before, as a new delivery."""
    assert stage.post(call.headers["x-github-event"], call.body).status_code == 202


def reviewed(repo: Repo, count: int, action: str = "submitted") -> None:
    """Wait until GitHub has told, or has tried to tell, of that many reviews."""
    told = repo.stage.told
    repo.stage.until(lambda: len(told("pull_request_review", repo, action)) == count, f"{count} {action}")


def ship_request(story: Patient) -> Pull:
    """A pull request whose numbers are met, on which the owner has asked to ship."""
    pull = open_ship_request(story)
    story.gate(pull.head_sha, "neutral", "Numbers met")
    story.say(pull.number, "/poc ship")
    story.gate(pull.head_sha, "failure", "ship: 4 signatures open")
    return pull


def test_what_is_told_twice_is_done_once(story: Patient) -> None:
    repo, stage = story.repo, story.stage
    pull = open_ship_request(story)
    story.gate(pull.head_sha, "neutral", "Numbers met")
    for login in ("bob-m", "jane-doe"):
        comment, delivery = story.comment(pull.number, "/poc ship", login), delivery_id()
        for id_ in (delivery, delivery, delivery_id()):
            story.tell_said(pull.number, comment, id_)
        story.settle()
        story.tell_said(pull.number, comment)
    story.approve(pull, *SIGNERS)
    story.gate(pull.head_sha, "success", "Ready to ship")
    for call in stage.told("pull_request_review", repo):
        tell(stage, call)
    story.settle()
    shipped = story.merge(pull)
    story.settle()
    for step in (story.ask, story.ask, story.tell_deployed, story.tell_deployed):
        step(shipped)
        story.settle()
    told_once(story, pull)
    writes = [call.path for call in repo.writes()]
    assert len([path for path in writes if path.endswith("/reactions")]) == 1
    assert len(story.answers()) == 1
    assert len(story.gates(pull.head_sha)) == len({run.title for run in story.gates(pull.head_sha)})


def test_approval_that_is_told_before_the_command_it_followed_counts(story: Patient) -> None:
    pull = open_ship_request(story)
    story.gate(pull.head_sha, "neutral", "Numbers met")
    comment = story.comment(pull.number, "/poc ship")
    story.approve(pull, *SIGNERS)
    reviewed(story.repo, 4)
    story.settle()
    story.gate(pull.head_sha, "neutral", "Numbers met")
    story.tell_said(pull.number, comment)
    story.gate(pull.head_sha, "success", "Ready to ship")


def test_approval_from_before_the_command_does_not_count_though_it_is_told_later(story: Patient) -> None:
    pull = open_ship_request(story)
    story.gate(pull.head_sha, "neutral", "Numbers met")
    with untold(story.repo) as kept:
        story.approve(pull, *SIGNERS)
        reviewed(story.repo, 4)
    story.stage.next_second()
    story.say(pull.number, "/poc ship")
    story.gate(pull.head_sha, "failure", "ship: 4 signatures open")
    for call in kept:
        tell(story.stage, call)
    story.settle()
    story.gate(pull.head_sha, "failure", "ship: 4 signatures open")
    story.approve(pull, *SIGNERS)
    story.gate(pull.head_sha, "success", "Ready to ship")


def test_dismissal_that_is_told_before_its_approval_takes_it_back(story: Patient) -> None:
    pull = ship_request(story)
    story.approve(pull, *SIGNERS[:3])
    story.gate(pull.head_sha, "failure", "ship: 1 signature open")
    with untold(story.repo) as kept:
        story.approve(pull, "dan-w")
        dismiss(story, pull, "dan-w")
        reviewed(story.repo, 1, "dismissed")
    told = {call.json["action"]: call for call in kept}  # sent at the same time, in either order
    for action in ("dismissed", "submitted"):
        tell(story.stage, told[action])
        story.settle()
    story.gate(pull.head_sha, "failure", "ship: 1 signature open")
    assert [run for run in story.gates(pull.head_sha) if run.conclusion == "success"] == []


def test_deployment_that_succeeds_before_its_answer_arrives_ships_once(story: Patient) -> None:
    pull = ship_request(story)
    story.approve(pull, *SIGNERS)
    story.gate(pull.head_sha, "success", "Ready to ship")
    shipped = story.merge(pull)
    story.settle()
    obstruct(story.repo, ANSWER, says(502))
    story.ask(shipped)
    story.tell_deployed(shipped)
    story.settle()
    assert [(call.json["state"], call.status) for call in story.answers()] == [
        ("approved", 502),
        ("approved", 204),
    ]
    assert sum("hipped" in text for text in story.said(pull.number)) == 1


def test_deployment_that_is_told_before_the_approvals_ships_when_they_are_told(story: Patient) -> None:
    pull = ship_request(story)
    with untold(story.repo) as kept:
        story.approve(pull, *SIGNERS)
        reviewed(story.repo, 4)
    shipped = story.merge(pull)
    story.settle()
    story.tell_deployed(shipped)
    story.settle()
    assert sum("hipped" in text for text in story.said(pull.number)) == 0
    for call in kept:
        tell(story.stage, call)
    story.settle()
    assert sum("hipped" in text for text in story.said(pull.number)) == 1


def test_approvals_count_though_the_merge_follows_at_once(stage: Stage) -> None:
    """As when GitHub merges by itself: before anybody has looked, the pull request is closed."""
    story = Patient(stage.poc(), stage)
    started = story.repo.pull("charter", POC_md=charter())
    story.repo.expect(started.head_sha, "success")
    story.settle()
    with untold(story.repo) as kept:
        story.approve(started, *SIGNERS)
        reviewed(story.repo, 4)
        story.merge(started)
        stage.until(lambda: stage.told("pull_request", story.repo, "closed"), "the merge is told of")
    for call in reversed(kept):
        tell(stage, call)
    story.settle()
    assert stage.rows("SELECT state FROM poc WHERE repository_id = %s", story.repo.id) == [("building",)]

    pull = ship_request(story)
    with untold(story.repo) as kept:
        story.approve(pull, *SIGNERS)
        reviewed(story.repo, 8)
        shipped = story.merge(pull)
        stage.until(lambda: len(stage.told("pull_request", story.repo, "closed")) == 2, "the merge is told")
    for call in reversed(kept):
        tell(stage, call)
    story.settle()
    story.ask(shipped)
    story.settle()
    assert [call.json["state"] for call in story.answers()] == ["approved"], story.answers()[-1].json


# Workers that die


KILLED_AT = {GATE_RUN: True, REFUSAL: True, REACTION: False, EVENTS: False, ANSWER: True, SHIPPED: True}
"""The calls that a worker waits for when it dies, and whether GitHub had carried them out by then."""


def approach(story: Patient, place: Place) -> Steps:
    """Play up to where a call comes next."""
    steps = play(story)
    while next(steps) is not place:
        """Not yet."""
    return steps


def hang_at(story: Patient, steps: Steps, place: Place, hang: Hang) -> None:
    """Play on until the worker waits for the answer to that call."""
    if place is ANSWER:
        obstruct(story.repo, ANSWER, REJECTED)
    obstruct(story.repo, place, hang)
    assert next(steps) is None
    assert hang.reached.wait(60)


def test_worker_that_is_killed_in_the_middle_of_it_leaves_everything_done_once(stage: Stage) -> None:
    """The service waits longer for each worker that dies, so one dies in the middle of all of it."""
    hangs = [Hang(done=done) for done in KILLED_AT.values()]
    # One installation's comments are written one by one: one that hangs would keep the other waiting.
    orgs = [LIMITED[0] if place is REFUSAL else "acme" for place in KILLED_AT]
    with ThreadPoolExecutor(len(hangs)) as together:
        stories = list(together.map(lambda org: begin(stage, org), orgs))
        plays = list(together.map(approach, stories, KILLED_AT))
        for _ in together.map(hang_at, stories, plays, KILLED_AT, hangs):
            """It waits."""
        stage.kill_worker()
        for hang in hangs:
            hang.over.set()
        stage.wake()
        for story in stories:
            story.settle()
        pulls = list(together.map(finish, plays))
    for story, pull, place in zip(stories, pulls, KILLED_AT, strict=True):
        told_once(story, pull)
        assert [call.status for call in story.answers()] == ([0, 422, 204] if place is ANSWER else [204])
