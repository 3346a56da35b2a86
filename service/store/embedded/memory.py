"""How much memory PostgreSQL's cache may take: a share of what this machine, or this container, has."""

from __future__ import annotations

import os
from pathlib import Path

MIB = 1 << 20
LEAST, MOST, PART = 64 * MIB, 256 * MIB, 8
"""The cache may have an eighth, within these bounds. It takes up memory as it fills, but for a fiftieth."""
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where Linux says what a container may take: "max", or a number beyond any machine, if nobody limits it."""


def shared_buffers() -> str:
    """The setting of that name."""
    here = min([os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), *_limits()])
    return f"{max(LEAST, min(MOST, here // PART)) // MIB}MB"


def _limits() -> list[int]:
    return [int(said) for path in LIMITS if (said := _read(path)).isdigit()]


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
