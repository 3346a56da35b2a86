"""The stages of the end-to-end tests: each is started for the first test that asks, and lasts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from tests.harness.emulator import Repo, Stage, open_stage
from tests.harness.issuer import issuing
from tests.harness.processes import quick_folder

ORGS = ("globex", "initech", "hooli", "umbrella", "tyrell", "weyland", "cyberdyne", "aperture")
HIDDEN = ("globex", "umbrella")
LIMITED = ("stark", "wayne", "wonka", "soylent")
"""Whose calls are rate-limited while the ship gate is at work."""
POLICED = ("oscorp", "massive", "vandelay", "dunder")
"""Each with a policy of its own."""
GRANTING = ("sirius",)
"""Which let us open pull requests."""
MEASURING = "macrodata"
"""Whose policy says that only the numbers count that workflow runs send."""
UNGOVERNED, CENTRAL, TOLD = "globex", "initech", "hooli"
"""Of the calendar's stage: an organisation without a policy, and two with a central repository."""
CALENDARS_POLICY = """\
policy: 1
groups:
  data_science:
    lead: alice-x
issues_a_day: 500
"""


@pytest.fixture(scope="session")
def stages() -> Iterator[Path]:
    """The folder of all stages."""
    with quick_folder() as made:
        yield made


@contextmanager
def lasting(stage: AbstractContextManager[Stage]) -> Iterator[Stage]:
    """A stage on which no subject is dead at the end."""
    with stage as running:
        yield running
        assert running.health()["dead_count"] == 0


@pytest.fixture(scope="session")
def stage(stages: Path) -> Iterator[Stage]:
    """The stage of every test that does not play with the calendar."""
    orgs = (*ORGS, *LIMITED, *POLICED, *GRANTING, MEASURING)
    with issuing() as issuer:
        opened = open_stage(stages / "enforce", orgs=orgs, hidden=HIDDEN, granting=GRANTING, issuer=issuer)
        with lasting(opened) as running:
            yield running


@pytest.fixture(scope="session")
def calendar(stages: Path) -> Iterator[Stage]:
    """A stage on which sweeps come from the future, most of them from the same day."""
    with lasting(open_stage(stages / "calendar", orgs=(UNGOVERNED, CENTRAL, TOLD))) as running:
        running.govern("acme", CALENDARS_POLICY)
        yield running


@pytest.fixture(scope="session")
def observed(stages: Path) -> Iterator[Stage]:
    """A stage whose service only observes."""
    with lasting(open_stage(stages / "observe", mode="observe")) as running:
        yield running


@pytest.fixture(scope="session")
def measured(stages: Path) -> Iterator[Stage]:
    """A stage on which only the numbers count that workflow runs send."""
    with issuing() as issuer:
        opened = open_stage(
            stages / "measured", orgs=("globex", "initech"), issuer=issuer, evidence_level="measured"
        )
        with lasting(opened) as running:
            yield running


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
