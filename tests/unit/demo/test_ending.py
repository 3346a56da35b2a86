"""What the demo says to try next can be pasted as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.demo.story import called


@pytest.mark.parametrize(
    ("begun_as", "says"),
    [
        pytest.param(".venv/bin/poc-governor", ".venv/bin/poc-governor", id="in a clone"),
        pytest.param("{path}/poc-governor", "poc-governor", id="from PATH"),
        pytest.param("service/__main__.py", "poc-governor", id="as a module"),
    ],
)
def test_the_command_is_named_as_it_was_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun_as: str, says: str
) -> None:
    program = tmp_path / "poc-governor"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", [begun_as.format(path=tmp_path), "demo"])
    assert called() == says
