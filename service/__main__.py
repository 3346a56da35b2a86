"""The program's entry: a plain `check` or `schema` runs without Typer, whose start takes longer than they do.

Only Typer speaks: what is not plain here, and every help and refusal, is left to `service.cli.app`.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

CHECK, SCHEMA = "check", "schema"
FORMAT, AS_OF, BASE, STRICT = "--format", "--as-of", "--base", "--strict"
FORMATS = ("text", "json", "github")
NOBODY_READS, INTERRUPTED = 1, 130
"""What Typer exits with then."""

Command = Callable[[], int]


def main() -> None:
    """Run a command."""
    command = plain(sys.argv[1:])
    if command:
        gc.disable()  # what is imported stays, and what is judged is little
        sys.exit(finished(command))
    from service.cli.app import main as run_by_typer

    run_by_typer()


def plain(words: Sequence[str]) -> Command | None:
    """The command that these words ask for, where nothing is to be said about them."""
    if os.name == "nt":  # where Typer opens the wildcards
        return None
    if [*words] == [SCHEMA]:
        return schema
    return plain_check(words[1:]) if words and words[0] == CHECK else None


def plain_check(words: Sequence[str]) -> Command | None:
    """`check` with the words behind it."""
    paths: list[str] = []
    options: dict[str, str] = {}
    strict = STRICT in words
    rest = iter(words)
    for word in rest:
        name, is_whole, value = word.partition("=")
        if name in (FORMAT, AS_OF, BASE):
            options[name] = value if is_whole else next(rest, "--")
        elif word != STRICT:
            paths.append(word)
    if any(word.startswith("-") and word != "-" for word in (*paths, *options.values())):
        return None
    format_, as_of = options.get(FORMAT, FORMATS[0]), options.get(AS_OF)
    today = datetime.now(UTC).date() if as_of is None else day(as_of)
    if today is None or format_ not in FORMATS or (strict and BASE not in options):
        return None
    return lambda: check(paths, format_, today, options.get(BASE), strict=strict)


def check(paths: Sequence[str], format_: str, today: date, base: str | None, *, strict: bool) -> int:
    """`check`."""
    from service.cli.check import check as run

    return run(paths, format=format_, today=today, out=sys.stdout, base=base, strict=strict)


def schema() -> int:
    """`schema`."""
    from service.rules.checks.schema import printed

    sys.stdout.write(printed())
    return 0


def day(text: str) -> date | None:
    """The day, where it is written in full."""
    try:
        read = date.fromisoformat(text)
    except ValueError:
        return None
    return read if read.isoformat() == text else None


def finished(command: Command) -> int:
    """The exit code of a command whose output has been written."""
    try:
        code = command()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes once more at its end, and would complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOBODY_READS
    return code


if __name__ == "__main__":
    main()
