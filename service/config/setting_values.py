"""Values of settings: which ones are wrong, in which way, and what is left from an example."""

from __future__ import annotations

import os
import re
from enum import StrEnum
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

EXAMPLE = "https://governor.example.com"
"""Who copies it is told so."""
LONGEST_SHOWN = 60

SHAPES = (
    (re.compile(r"-----BEGIN "), "a key or certificate", "GITHUB_APP_PRIVATE_KEY"),
    (re.compile(r"Iv\d+[.A-Za-z]"), "the app's client id", "GITHUB_CLIENT_ID"),
    (re.compile(r"https://hooks\.slack\.com/"), "an incoming webhook of Slack", "SLACK_WEBHOOK_URL"),
    (re.compile(r"postgres(ql)?://"), "the address of a PostgreSQL", "DATABASE_URL"),
    (re.compile(r"https?://"), "an address", "PUBLIC_URL"),
    (re.compile(r"gh[a-z]_|github_pat_"), "a token of GitHub's, which no setting takes", ""),
)
"""What a value is by its beginning, and the setting that it belongs to."""

YOURS = "org|organi[sz]ation|company|domain|host|server|app|name|account|webhook|client|secret|token|key|id"
BLANK = rf"…|\.{{3,}}|<[^<>]*>|(?:replace|change)[-_ ]?(?:me|this)|replace[-_ ]with|your[-_ ](?:{YOURS})"
LEFT = re.compile(
    rf"(?<![a-z])(?:{BLANK})(?![a-z])|(?<=//)(?-i:HOST|SUB|ORG)\b|//(?:[^/?#]*[.@])?(example\.(?:com|org|net))\b",
    re.IGNORECASE,
)
"""What examples write where a value belongs; ours and those of others."""
ALL_LEFT = re.compile(rf"(?:{BLANK})(?:[-_ ][a-z]+)*|your(?:[-_ ][a-z]+)+|x{{3,}}", re.IGNORECASE)
"""A secret is one of these only as a whole: it may hold any characters."""

QUOTES = "\"'"


def shown(value: str) -> str:
    """A value in a message: on one line, and not a long one."""
    line = "".join(char if char.isprintable() else " " for char in value)
    return f"`{line if len(line) <= LONGEST_SHOWN else f'{line[:LONGEST_SHOWN]}…'}`"


def unquoted(value: str) -> str:
    """The value without the quotes around it."""
    quoted = len(value) > 1 and value[0] in QUOTES and value[0] == value[-1]
    return value[1:-1].strip() if quoted else value


def left_from_an_example(value: str, *, secret: bool) -> str | None:
    """The part of a value that nobody has filled in, in words."""
    if secret and "://" not in value:
        return "it" if ALL_LEFT.fullmatch(value) else None
    found = LEFT.search(value)
    return found and ("its address" if secret else f"`{found[1] or found[0]}`")


def belonging_elsewhere(value: str, name: str) -> str | None:
    """Why a value is one for another setting."""
    for pattern, what, setting in SHAPES:
        if pattern.match(value):
            belongs = f", which belongs to {setting}" if setting else ""
            return None if setting == name else f"holds {what}{belongs}"
    return None


def url(value: str) -> str:
    """An address, without the slash at its end."""
    parts = _split(value)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{shown(value)} isn't an address: write one such as {EXAMPLE}")
    if parts.username is not None:
        raise ValueError("holds a user name or password: write the address without it")
    if parts.query or parts.fragment:
        raise ValueError(f"{shown(value)} goes on after `?` or `#`: write the address without that")
    return value.rstrip("/")


def public_url(value: str) -> str:
    """The address of the service itself, to which it adds its paths."""
    address = url(value)
    for path in ("/webhooks/github", "/login/callback", "/setup"):
        if address.endswith(path):
            raise ValueError(f"the service adds `{path}` itself: write {address.removesuffix(path)}")
    return address


def secret_url(value: str) -> str:
    """An address that is a secret: messages don't show it."""
    parts = _split(value)
    local = parts and parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1")
    if parts is None or not (local or (parts.scheme == "https" and parts.hostname)):
        raise ValueError("isn't an address that begins with https://")
    return value


def postgres(value: str) -> str:
    """The address of a PostgreSQL; it may hold a password."""
    scheme, is_address, rest = value.partition("://")
    if not is_address or scheme not in ("postgresql", "postgres"):
        found = f" (it begins with `{scheme}://`)" if re.fullmatch(r"[a-z0-9+]{1,20}", scheme) else ""
        raise ValueError(f"must start with postgresql://{found if is_address else ''}")
    hosts = re.split(r"[/?#]", rest)[0].rpartition("@")[2]
    if not all(re.fullmatch(r"(\[[^]]*\]|[^:]*)(:\d*)?", host) for host in hosts.split(",")):
        raise ValueError(
            "has a port that isn't a number. In a password, write `#` as %23, `/` as %2F, and `?` as %3F"
        )
    return value


def app_id(value: object) -> object:
    """The id of an app, which is a number."""
    if not isinstance(value, str):
        return value
    if elsewhere := belonging_elsewhere(value, "GITHUB_APP_ID"):
        raise ValueError(f'{elsewhere}: write the number beside "App ID"')
    if not (value.isascii() and value.isdecimal() and 0 < int(value) < 1 << 63):
        raise ValueError(f"{shown(value)} isn't an app's id: write the number beside \"App ID\"")
    return value


def client_id(value: str) -> str:
    """The id that people log in by; empty for none."""
    if not value:
        return value
    if value.isdecimal():
        raise ValueError(f'{shown(value)} looks like the app\'s id: write what is next to "Client ID"')
    if value.startswith("Ov"):
        raise ValueError(f"{shown(value)} is that of an OAuth app: write the one of the GitHub App")
    if elsewhere := belonging_elsewhere(value, "GITHUB_CLIENT_ID"):
        raise ValueError(elsewhere)
    if not re.fullmatch(r"[\w.-]+", value):
        raise ValueError(f"{shown(value)} isn't a client id: write one such as Iv23liAbCdEfGhIjKlMn")
    return value


def secret(value: str, name: str, *, shortest: int = 1, in_a_header: bool = False) -> str:
    """A secret: messages don't show it; empty for none."""
    if not value:
        return value
    if unquoted(value) != value:
        raise ValueError("is in quotes, which would be part of it: write it without them")
    if elsewhere := belonging_elsewhere(value, name):
        raise ValueError(elsewhere)
    if in_a_header and not re.fullmatch(rf"[!-~]{{{shortest},}}", value):
        raise ValueError(f"needs at least {shortest} letters, digits or signs, without a space")
    if len(value) < shortest:
        raise ValueError(f"needs at least {shortest} random characters")
    return value


def host(value: str) -> str:
    """An address to listen on, without a port."""
    try:
        return str(ip_address(value))
    except ValueError:
        if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", value) and not _is_number(value):
            return value
    raise ValueError(
        f"{shown(value)} isn't an address to listen on: write one such as 127.0.0.1, and the port as PORT"
    )


def networks(value: str) -> str:
    """Addresses and networks, with commas between them."""
    for part in value.split(","):
        try:
            ip_network(part.strip())
        except ValueError as error:
            example = "10.0.0.0/8, 192.168.1.7"
            raise ValueError(
                f"{shown(part.strip())} isn't an address or a network: write some such as {example}"
            ) from error
    return value


def accounts(value: str) -> str:
    """Logins, with commas between them."""
    for part in filter(None, (part.strip() for part in value.split(","))):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", part):
            raise ValueError(f"{shown(part)} isn't an account: write logins with commas between them")
    return value


def folder(value: object) -> object:
    """A folder, which need not be there yet."""
    if not isinstance(value, str):
        return value
    path = home(value)
    if path.exists() and not path.is_dir():
        raise ValueError(f"{shown(value)} is a file: name a folder")
    return path


def home(value: str) -> Path:
    """The path, as a shell would open a `~`."""
    return Path(os.path.expanduser(value))  # noqa: PTH111 - where there is no home, it leaves the `~`


def whole_number(value: object, low: int, high: int) -> object:
    """A whole number within its bounds."""
    if not (_is_number(str(value)) and low <= int(str(value)) <= high):
        raise ValueError(f"{shown(str(value))} isn't a whole number from {low} to {high}")
    return value


def one_of(value: object, words: type[StrEnum]) -> object:
    """One of a few words."""
    if isinstance(value, str) and value not in list(words):
        raise ValueError(f"{shown(value)} isn't known: write {' or '.join(f'`{word}`' for word in words)}")
    return value


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdecimal() and len(value) < LONGEST_SHOWN


def _split(value: str) -> SplitResult | None:
    """The parts of an address; None where it can't be one."""
    if re.search(r"\s", value):
        return None
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return None
    return None if port == 0 else parts
