"""Worlds with which many stories begin: each is made once in a process, then copied with its database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from tests.harness.database import Server
from tests.harness.world import World

W = TypeVar("W", bound=World)


class Snapshots:
    """The worlds kept so far, by their class and by what had happened in them."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._kept: dict[tuple[object, ...], tuple[Any, str]] = {}

    @contextmanager
    def of(self, kind: Callable[[str], W], *happened: Callable[[W], object]) -> Iterator[W]:
        """A world of this class in which these things have happened; the steps must be named functions."""
        key = (kind, *happened)
        if key not in self._kept:
            self._kept[key] = self._make(kind, happened)
        world, template = self._kept[key]
        with self._server.database(template) as url:
            copy: W = world.copied(url)
            try:
                yield copy
            finally:
                copy.shut_down()

    def _make(self, kind: Callable[[str], W], happened: tuple[Callable[[W], object], ...]) -> tuple[W, str]:
        name = self._server.copy()
        world = kind(self._server.url_of(name))
        try:
            for step in happened:
                step(world)
        finally:
            world.shut_down()
        return world, name
