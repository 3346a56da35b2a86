"""`backup` while `serve` runs, all of DATA_DIR's database gone, `restore`, and `serve` again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.demo.emulator import Emulator
from tests.durability.conftest import push
from tests.harness.database import Server
from tests.harness.processes import environment, run, serving
from tests.harness.waiting import eventually
from tests.harness.webhooks import SECRET, deliver

LAST = "poc_governor_last_backup_timestamp_seconds"


@pytest.mark.slow
def test_backup_wipe_restore(emulator: Emulator, folder: Path) -> None:
    data, file = folder / "data", folder / "backup"
    env = environment(emulator, DATA_DIR=str(data))
    nothing = run("backup", env, str(file))
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert "there is no database in DATA_DIR" in nothing.stderr
    with serving(folder / "log", env) as serve:
        assert LAST not in serve.metrics()
        assert serve.deliver("push", push(1), "kept") == 202
        eventually(serve.idle, "the delivery is processed")

        made = run("backup", env, str(file))
        assert made.returncode == 0, made.stderr
        assert f"{data / 'secret-key'}, if there is one, is not in it: keep that elsewhere" in made.stdout
        assert file.stat().st_mode & 0o777 == 0o600
        assert [path.name for path in folder.iterdir() if path.name.startswith(".backup")] == []
        [line] = [line for line in serve.metrics().splitlines() if line.startswith(LAST)]
        noted = float(line.split()[1])
        assert abs(noted - file.stat().st_mtime) < 60
        assert serve.health()["last_backup_at"]

        again = run("backup", env, str(file))
        assert again.returncode == 2
        assert f"{file} exists: name another file" in again.stderr
        used = run("restore", env, str(file))
        assert used.returncode == 2
        assert f"is in use by `poc-governor serve` (pid {serve.pid})" in used.stderr
        assert serve.deliver("push", push(2), "since the backup") == 202
        serve.terminate()

    filled = run("restore", env, str(file))
    assert filled.returncode == 2
    assert "isn't empty" in filled.stderr
    shutil.rmtree(data / "postgresql-18")
    restored = run("restore", env, str(file))
    assert restored.returncode == 0, restored.stderr
    with serving(folder / "log", env) as serve:
        assert serve.deliveries() == 1
        assert float(next(x for x in serve.metrics().splitlines() if x.startswith(LAST)).split()[1]) == noted
        assert serve.deliver("push", push(1), "kept") == 202
        assert serve.deliveries() == 1
        assert serve.deliver("push", push(2), "since the backup") == 202
        eventually(serve.idle, "the delivery is processed")


@pytest.fixture
def own(server: Server) -> Iterator[str]:
    """An empty database of a PostgreSQL of one's own."""
    with server.database("template0") as url:
        yield url


@pytest.mark.slow
def test_from_the_embedded_one_into_one_of_ones_own(emulator: Emulator, own: str, folder: Path) -> None:
    embedded = environment(emulator, DATA_DIR=str(folder / "data"))
    assert run("sweep", embedded).returncode == 0
    made = run("backup", embedded, str(folder / "backup"))
    assert made.returncode == 0, made.stderr
    there = embedded | {"DATABASE_URL": own}
    restored = run("restore", there, str(folder / "backup"))
    assert restored.returncode == 0, restored.stderr
    replacing = there | {"GITHUB_WEBHOOK_SECRET": "a new secret", "GITHUB_WEBHOOK_SECRET_PREVIOUS": SECRET}
    with serving(folder / "log", replacing) as serve:
        assert serve.deliver("push", push(1)) == 202
        assert deliver(serve.url, "push", push(2), secret="a new secret").status_code == 202
        used = run("restore", there, str(folder / "backup"))
    assert used.returncode == 2
    assert "isn't empty" in used.stderr
    gone = run("backup", there, str(folder / "nowhere" / "backup"))
    assert (gone.returncode, gone.stderr.strip()) == (
        2,
        f"poc-governor: {folder / 'nowhere' / 'backup'}: No such file or directory",
    )
