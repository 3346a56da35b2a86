"""The stages of the end-to-end tests: started together, because starting takes the most time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from tests.e2e.stage import Repo, Stage, open_stage
from tests.evidence_api.issuer import issuing

ORGS = ("globex", "initech", "hooli", "umbrella", "tyrell", "weyland", "cyberdyne", "aperture")
HIDDEN = ("globex", "umbrella")
LIMITED = ("stark", "wayne", "wonka", "soylent")
"""Whose calls are rate-limited while the ship gate is at work."""
POLICED = ("oscorp", "massive", "vandelay")
"""Each with a policy of its own."""
GRANTING = ("sirius",)
"""Which let us open pull requests."""
UNGOVERNED, CENTRAL, TOLD = "globex", "initech", "hooli"
"""Of the calendar's stage: an organisation without a policy, and two with a central repository."""
CALENDARS_POLICY = """\
policy: 1
groups:
  data_science:
    lead: alice-x
issues_a_day: 500
"""


def _plans(folder: Path) -> dict[str, AbstractContextManager[Stage]]:
    return {
        "stage": open_stage(
            folder / "enforce",
            orgs=(*ORGS, *LIMITED, *POLICED, *GRANTING),
            hidden=HIDDEN,
            granting=GRANTING,
        ),
        "calendar": open_stage(folder / "calendar", orgs=(UNGOVERNED, CENTRAL, TOLD)),
        "observed": open_stage(folder / "observe", mode="observe"),
        "measured": _open_measured(folder / "measured"),
    }


@contextmanager
def _open_measured(folder: Path) -> Iterator[Stage]:
    with issuing() as issuer, open_stage(folder, orgs=("globex", "initech"), issuer=issuer) as stage:
        yield stage


@pytest.fixture(scope="session")
def stages(open_folder: Path, request: pytest.FixtureRequest) -> Iterator[dict[str, Stage]]:
    """Every stage that some test of this run asks for."""
    asked = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    plans = {name: plan for name, plan in _plans(open_folder).items() if name in asked}
    with ExitStack() as stack, ThreadPoolExecutor() as together:
        started = {name: together.submit(plan.__enter__) for name, plan in plans.items()}
        for name, plan in plans.items():
            if started[name].exception() is None:
                stack.push(plan)
        running = {name: future.result() for name, future in started.items()}
        yield running
        dead = sum(stage.health()["dead_count"] for stage in running.values())
        # In parallel as well: each takes a second or two to end its PostgreSQL.
        ended = [together.submit(plan.__exit__, None, None, None) for plan in plans.values()]
        stack.pop_all()
        for future in ended:
            future.result()
    assert dead == 0


@pytest.fixture(scope="session")
def stage(stages: dict[str, Stage]) -> Stage:
    """The stage of every test that does not play with the calendar."""
    return stages["stage"]


@pytest.fixture(scope="session")
def calendar(stages: dict[str, Stage]) -> Stage:
    """A stage on which sweeps come from the future, most of them from the same day."""
    stages["calendar"].govern("acme", CALENDARS_POLICY)
    return stages["calendar"]


class MakePoc(Protocol):
    """Makes a POC for one test."""

    def __call__(
        self, charter: str | None = None, *, signers: Sequence[str] = (), org: str = "acme"
    ) -> Repo: ...


@pytest.fixture
def poc(calendar: Stage) -> Iterator[MakePoc]:
    """Make POCs that no later test's sweep meets."""
    made: list[Repo] = []

    def make(charter: str | None = None, *, signers: Sequence[str] = (), org: str = "acme") -> Repo:
        made.append(calendar.poc(charter=charter, signers=signers, org=org))
        return made[-1]

    yield make
    for repo in made:
        repo.retire()


@pytest.fixture(scope="session")
def observed(stages: dict[str, Stage]) -> Stage:
    """A stage whose service only observes."""
    return stages["observed"]


@pytest.fixture(scope="session")
def measured(stages: dict[str, Stage]) -> Stage:
    """A stage on which only the numbers count that workflow runs send."""
    return stages["measured"]
