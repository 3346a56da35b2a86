"""Where one commit left another, by lists of commits with their parents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

Listed = Mapping[str, tuple[str, ...]]
"""A commit and its ancestors, newest first, each with its parents; the list may end before the first."""


def merge_base(base: Listed, head: Listed) -> str | None:
    """The newest commit that both have; None if the lists end before it.

    Every way back from `head` has to meet `base`: one whose end isn't listed may meet it later than the
    others, whatever dates its commits have.
    """
    met: set[str] = set()
    for sha in _walk(head, stop=base):
        if sha in base:
            met.add(sha)
        elif sha not in head:
            return None
    older = {ancestor for sha in met for ancestor in _walk(base, sha) if ancestor != sha}
    return next((sha for sha in base if sha in met - older), None)


def _walk(listed: Listed, start: str | None = None, *, stop: Listed | None = None) -> Iterator[str]:
    """A commit, the first one by default, and its ancestors; not those of commits in `stop`."""
    ways = [start or next(iter(listed))] if listed else []
    seen: set[str] = set()
    while ways:
        sha = ways.pop()
        if sha not in seen:
            seen.add(sha)
            yield sha
            if stop is None or sha not in stop:
                ways += listed.get(sha, ())
