"""What several stories begin with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from service.services import Services
from tests.harness.controlled import Make, Script, controlled


@pytest.fixture
def make(database_url: str) -> Iterator[Make]:
    """Services whose looks run a script."""
    with ExitStack() as stack:

        def made(script: Script) -> Services:
            services = controlled(database_url, script)
            stack.callback(services.engine.dispose)
            return services

        yield made
