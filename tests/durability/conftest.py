"""A GitHub on this machine for the processes of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.demo.emulator import Emulator, SeedRepo
from service.demo.person import Person
from tests.harness.processes import quick_folder

REPOSITORY, QUIET = "poc-triage", "poc-quiet"
NOT_COVERED = {
    "ref": "refs/heads/other",
    "installation": {"id": 1},
    "repository": {"id": 7, "full_name": "acme/poc-elsewhere"},
}


def push(n: int) -> dict[str, Any]:
    """A push to a repository that the emulator does not have: its look ends without a write."""
    return NOT_COVERED | {"after": f"{n:040x}"}


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """Without webhooks: what arrives is what the tests send."""
    with Emulator(repos=[SeedRepo(REPOSITORY), SeedRepo(QUIET)]) as running:
        yield running


@pytest.fixture(scope="session")
def jane(emulator: Emulator) -> Iterator[Person]:
    with emulator.person("jane-doe") as person:
        yield person


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of the test's own."""
    with quick_folder() as made:
        yield made
