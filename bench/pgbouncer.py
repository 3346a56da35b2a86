"""Two `serve` and a worker of their own over one PostgreSQL, through PgBouncer in session mode.

    python -m bench.pgbouncer [--count 1000] [--connections 32]

Each `serve` has a worker too. Needs PgBouncer (Debian: `apt-get install pgbouncer`). Exits 1 if a delivery
that was answered 202 isn't stored; and fails if a subject is left that needs a look.
"""

from __future__ import annotations

import argparse
import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from bench.acknowledge import sent
from bench.bare_github import bare_github
from bench.servers import Database, free_port, running, scratch, settings, stopped
from service.store.database import connect
from service.store.embedded import EmbeddedPostgres
from service.store.schema import migrate

PORT = 6432
CONNECTIONS = 10
"""Of each of the three workers. With eight for each `serve` they are fewer than the pool's: in session mode
each takes one of PostgreSQL's for as long as it lasts."""
CONFIG = """
[databases]
poc_governor = host={socket} port=5432 dbname=poc_governor user=poc_governor
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
listen_port = {port}
auth_type = any
pool_mode = session
default_pool_size = 50
ignore_startup_parameters = options
logfile = {folder}/pgbouncer.log
pidfile = {folder}/pgbouncer.pid
"""
WHERE = ("/usr/sbin", "/usr/local/sbin")


def main() -> int:
    """Measure, print, and say whether everything was stored and looked at."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=1000, help="deliveries to each `serve`")
    parser.add_argument("--connections", type=int, default=32)
    given = parser.parse_args()
    program = shutil.which("pgbouncer", path=os.pathsep.join((os.environ["PATH"], *WHERE)))
    if program is None:
        print("PgBouncer isn't installed: nothing was measured")
        return 1
    with ExitStack() as stack:
        folder, github = stack.enter_context(scratch()), stack.enter_context(bare_github())
        folder.chmod(0o711)
        postgres = EmbeddedPostgres(folder / "postgres", "bench")
        direct = postgres.start()
        stack.callback(postgres.stop)
        engine = connect(direct)
        migrate(engine)
        engine.dispose()
        database = Database(direct)
        database.take_sweeps()
        database.register()
        through = stack.enter_context(_pgbouncer(program, folder / "pgbouncer", direct))
        servers = []
        for number in (1, 2):
            port = free_port()
            env = settings(folder, port) | {"DATABASE_URL": through, "GITHUB_API_URL": github.url}
            env["DATABASE_CONNECTIONS"] = str(CONNECTIONS)
            log = folder / f"serve-{number}.log"
            servers.append(stack.enter_context(running(env, log)))
        stack.enter_context(_worker(env, folder / "work.log"))
        stored = 0
        for number, server in enumerate(servers):
            result = sent(server, given.connections, number, given.count)
            stored += result.statuses["202"]
            print(f"serve {number + 1}: {result.rate:.0f}/s, p99 {result.p99:.0f} ms, {result.statuses}")
        print(f"{database.deliveries()} rows; every subject clean after {database.drained():.1f} s")
        print(f"{database.looks()} subjects looked at, none failed")
        return 0 if database.deliveries() == stored else 1


@contextmanager
def _pgbouncer(program: str, folder: Path, direct: str) -> Iterator[str]:
    """PgBouncer in front of a server; as root it has to run as the server's user."""
    [socket] = parse_qs(urlsplit(direct).query)["host"]
    owner = Path(socket).stat()
    folder.mkdir()
    config = folder / "pgbouncer.ini"
    config.write_text(CONFIG.format(socket=socket, folder=folder, port=PORT))
    for each in (folder, config):
        os.chown(each, owner.st_uid, owner.st_gid)
    command = [
        program,
        *(["-u", pwd.getpwuid(owner.st_uid).pw_name] if os.getuid() == 0 else []),
        str(config),
    ]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        while not (folder / f".s.PGSQL.{PORT}").exists():
            if process.poll() is not None:
                raise RuntimeError("pgbouncer ended: run it by hand to see why")
            time.sleep(0.05)
        yield f"postgresql://poc_governor@/poc_governor?host={folder}&port={PORT}"
    finally:
        stopped(process)


@contextmanager
def _worker(env: Mapping[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        command = [sys.executable, "-m", "service.cli.app", "work"]
        process = subprocess.Popen(command, env=env, stdout=output, stderr=output)
    try:
        yield
    finally:
        stopped(process)


if __name__ == "__main__":
    sys.exit(main())
