"""A change of the charter as a pull request of ours, where an organisation has granted what it takes."""

from __future__ import annotations

from collections.abc import Mapping

from service.rules.charter.amend import Amendment, applied
from service.rules.commands.parsing import Verb
from service.rules.source.text import CharterFile, read_text
from service.rules.values.github import CommandLine

PROPOSING = {"metadata": "read", "contents": "write", "pull_requests": "write"}
"""What it takes to open a pull request. The app asks for reading alone: an operator may ask for more."""
ASKING = {"metadata": "read", "pull_requests": "write"}
"""What it takes to ask for a review."""
BRANCHES = "poc-governor/"
"""How the names of our branches begin."""
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


def may_propose(permissions: Mapping[str, str]) -> bool:
    """Whether an installation was granted what it takes to open a pull request."""
    return _granted(PROPOSING, permissions)


def may_ask_reviewers(permissions: Mapping[str, str]) -> bool:
    """Whether an installation was granted what it takes to ask for a review."""
    return _granted(ASKING, permissions)


def _granted(needed: Mapping[str, str], permissions: Mapping[str, str]) -> bool:
    written = (name for name, level in needed.items() if level == "write")
    return all(permissions.get(name) == "write" for name in written)


def branch_for(verb: Verb, line: CommandLine) -> str:
    """The branch for a command: each has one of its own, by which its pull request is found again."""
    return f"{BRANCHES}{verb}-{line.source}" + (f"-{line.index + 1}" if line.index else "")


def amended_data(file: CharterFile, amendment: Amendment) -> bytes | None:
    """A charter's file with an amendment made, and nothing else changed; None where it holds no text."""
    text = read_text(file)
    if not isinstance(text, str) or file.data is None:
        return None
    mark = BYTE_ORDER_MARK if file.data.decode().startswith(BYTE_ORDER_MARK) else ""
    return f"{mark}{applied(text, amendment)}".encode()
