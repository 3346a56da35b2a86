"""SECRET_KEY, which encrypts what is stored of the app: given, or made once into a file beside the data."""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FILE, PREVIOUS_FILE = "secret-key", "secret-key-previous"
"""In DATA_DIR."""
SETTINGS = {FILE: "SECRET_KEY", PREVIOUS_FILE: "SECRET_KEY_PREVIOUS"}
SHORTEST = 32


class SecretKeyError(Exception):
    """There is no key, or it can't be read or kept; the message names the remedy."""


@dataclass(frozen=True, slots=True)
class SecretKeys:
    """The key, and the one before it for as long as that is to be read."""

    current: str = field(repr=False)
    previous: str | None = field(default=None, repr=False)

    def cipher(self, purpose: str) -> MultiFernet:
        """Encrypts for one purpose: what is made for one can't be read as another."""
        return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in self._derived(purpose)])

    def sealed(self, purpose: str, text: str) -> str:
        """What only who has the key can make of a text, in 32 hexadecimal digits; for one purpose too."""
        return _seal(next(self._derived(purpose)), text)

    def is_sealed(self, purpose: str, text: str, seal: str) -> bool:
        """Whether one of the keys made it; how long that takes doesn't say which."""
        seals = [_seal(key, text).encode() for key in self._derived(purpose)]
        return sum(hmac.compare_digest(each, seal.encode()) for each in seals) > 0

    def _derived(self, purpose: str) -> Iterator[bytes]:
        for key in filter(None, (self.current, self.previous)):
            yield HKDF(SHA256(), length=32, salt=None, info=purpose.encode()).derive(key.encode())


def _seal(derived: bytes, text: str) -> str:
    return hmac.new(derived, text.encode(), "sha256").hexdigest()[:32]


def find_previous(given: str, data_dir: Path) -> str | None:
    """The key before the present one, of the environment or of its file; None where there is neither."""
    return find(given, data_dir, PREVIOUS_FILE)


def find(given: str, data_dir: Path, name: str = FILE) -> str | None:
    """The key of the environment, or of the file; None where there is neither."""
    if given:
        return given
    file = data_dir / name
    try:
        return file.read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise SecretKeyError(
            f"{SETTINGS[name]} is not set, and {file} can't be read: {error}. Set it, or let us read it"
        ) from error


def find_or_make(given: str, data_dir: Path) -> str:
    """The same; where there is neither, the file is made, readable to its owner only."""
    if known := find(given, data_dir):
        return known
    file = data_dir / FILE
    try:
        data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        _make(file)
    except OSError as error:
        raise SecretKeyError(
            f"SECRET_KEY is not set, and {file} can't be made: {error.strerror}. Set SECRET_KEY to "
            f"{SHORTEST} random characters or more, or DATA_DIR to a folder that can be written to"
        ) from error
    return find("", data_dir) or _make(file)


def _make(file: Path) -> str:
    """Write it whole or not at all; of several processes the first one's counts."""
    made = secrets.token_urlsafe(SHORTEST)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{FILE}-")  # readable to its owner only
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(f"{made}\n")
            out.flush()
            os.fsync(out.fileno())
        with suppress(FileExistsError):
            os.link(name, file)
    finally:
        Path(name).unlink()
    return file.read_text(encoding="ascii").strip()
