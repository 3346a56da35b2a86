"""A GitHub on this machine for the processes of this folder."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.demo.emulator import Emulator, SeedRepo
from service.demo.person import Person

REPOSITORY, QUIET = "poc-triage", "poc-quiet"


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
def folder(open_folder: Path) -> Path:
    """A folder of the test's own that PostgreSQL's account can enter; it ends with the session."""
    made = Path(tempfile.mkdtemp(dir=open_folder))
    made.chmod(0o711)
    return made
