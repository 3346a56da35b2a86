"""The size of the embedded PostgreSQL's cache, by what a machine or a container has."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.store.embedded import memory

GIB = 1 << 30


@pytest.mark.parametrize(
    ("machine", "limit", "shown"),
    [
        pytest.param(GIB, None, "128MB", id="an eighth of the machine"),
        pytest.param(64 * GIB, None, "256MB", id="a large machine"),
        pytest.param(GIB // 4, None, "64MB", id="a small machine"),
        pytest.param(64 * GIB, str(GIB), "128MB", id="a container"),
        pytest.param(GIB, "max", "128MB", id="a container without a limit"),
        pytest.param(GIB, "9223372036854771712", "128MB", id="a limit beyond the machine"),
    ],
)
def test_the_cache_is_an_eighth_within_bounds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, machine: int, limit: str | None, shown: str
) -> None:
    sizes = {"SC_PHYS_PAGES": machine // 4096, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr("os.sysconf", sizes.__getitem__)
    monkeypatch.setattr(memory, "LIMITS", (tmp_path / "missing", tmp_path / "limit"))
    if limit is not None:
        (tmp_path / "limit").write_text(f"{limit}\n")
    assert memory.shared_buffers() == shown
