"""The `.env` file: a shell loads it by the words that are said for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from service.cli.env_file import loading


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(".env", id="beside"),
        pytest.param("settings/governor.env", id="below"),
        pytest.param("our settings.env", id="with a space"),
        pytest.param("{tmp}/governor.env", id="a whole path"),
    ],
)
def test_a_shell_loads_the_file_from_any_folder(tmp_path: Path, name: str) -> None:
    path = Path(name.format(tmp=tmp_path))
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text("PORT=4711\n")
    script = f'{loading(path)}; echo "$PORT"'
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("4711\n", "")
