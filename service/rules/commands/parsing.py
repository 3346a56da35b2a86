"""Commands in comments: `/poc ship`, `/poc snooze 14d reason`, one a line; who may give them.

A change of the charter becomes a pull request of ours, where an organisation has granted what it takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from markdown_it import MarkdownIt
from markdown_it.token import Token

from service.rules.charter.amend import Amendment, applied
from service.rules.charter.model import Charter
from service.rules.gate.signoffs import groups_of
from service.rules.source.text import CharterFile, listed, read_text, shown
from service.rules.values.github import CommandLine

MOST_COMMANDS = 10
LONGEST_COMMENT = 4_096
"""Characters of a comment in which commands are looked for: the receiver reads it before it answers."""
LONGEST_COMMAND = 300
PREFIX = "/poc"
BLANK = " \t\\"
"""What may stand behind a line and says nothing; Markdown breaks a line by a backslash."""
LINE = re.compile(r"^(?P<indent>[ \t]*)/poc(?P<rest>(?:[ \t][^\n]*)?)$", re.MULTILINE)
# A line that may be a command begins, while the comment is parsed, with its number between these two.
OPENING, CLOSING = "\ue000", "\ue001"
MARK = re.compile(rf"{OPENING}([0-9]+){CLOSING}")
ENCLOSING = re.compile(r"<(/?)(?:blockquote|code|details|dl|ol|pre|table|ul)(?=[\s/>])", re.IGNORECASE)
HTML_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
# Tables are GitHub's addition to CommonMark: a line right below one is a row of it.
MARKDOWN = MarkdownIt("commonmark").enable("table")
WRITERS = frozenset({"admin", "maintain", "write"})


class Verb(StrEnum):
    """What may be asked."""

    SNOOZE = "snooze"
    EXTEND = "extend"
    OWNER = "owner"
    STOP = "stop"
    WAIVE = "waive"
    SHIP = "ship"
    SIGN = "sign"
    RECHECK = "recheck"
    HELP = "help"


VERBS = listed(tuple(f"`{PREFIX} {verb}`" for verb in Verb))
SAYS_NOTHING = frozenset({Verb.RECHECK, Verb.HELP})
"""Commands that aren't activity: they say nothing about the POC."""


@dataclass(frozen=True, slots=True)
class Command:
    """One line of a comment that begins with `/poc`; `verb` is None where there is no such command."""

    text: str
    verb: Verb | None
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a command is not carried out: a whole sentence in Markdown, inert."""

    reason: str


def parse_commands(comment: str) -> tuple[Command, ...]:
    """The commands of a comment; what is quoted, listed, or stands in code, is none."""
    text = re.sub(rf"[{OPENING}{CLOSING}]", " ", re.sub(r"\r\n?", "\n", comment))
    lines = [PREFIX + match["rest"].rstrip(BLANK) for match in LINE.finditer(text)]
    if not lines or len(text) > LONGEST_COMMENT:
        return ()
    numbers = iter(range(len(lines)))
    marked = LINE.sub(
        lambda match: f"{match['indent']}{OPENING}{next(numbers)}{CLOSING}{match['rest']}", text
    )
    found = (lines[number] for number in _spoken(MARKDOWN.parse(marked)))
    return tuple(read_command(line) for line, _ in zip(found, range(MOST_COMMANDS), strict=False))


def read_command(line: str) -> Command:
    """Read one line that begins with `/poc`."""
    line = line[:LONGEST_COMMAND].rstrip()
    word, argument = [*line.removeprefix(PREFIX).split(maxsplit=1), "", ""][:2]
    return Command(line, Verb(word) if word in list(Verb) else None, argument)


def _spoken(tokens: Sequence[Token]) -> Iterator[int]:
    """The numbers of the marked lines at which somebody speaks, and quotes nobody."""
    enclosed = 0
    for piece, begins in _pieces(tokens):
        if piece.type in ("html_block", "html_inline"):
            for closing in ENCLOSING.findall(HTML_COMMENT.sub("", piece.content)):
                enclosed = max(enclosed - 1, 0) if closing else enclosed + 1
        elif begins and not enclosed and piece.type == "text" and (mark := MARK.match(piece.content)):
            yield int(mark[1])


def _pieces(tokens: Sequence[Token]) -> Iterator[tuple[Token, bool]]:
    """Each block, or piece of one, and whether it begins a line of a paragraph at the top.

    What begins inside a link or emphasis is part of that; code and images aren't text.
    """
    at_top = False
    for token in tokens:
        fresh = at_top
        for piece in token.children or ():
            yield piece, fresh and piece.level == 0
            fresh = at_top and piece.type in ("softbreak", "hardbreak")
        yield token, False
        at_top = token.type == "paragraph_open" and token.level == 0


def misplaced(
    command: Command, *, number: int, state: str, base_ref: str, default_branch: str
) -> Refusal | None:
    """Why a command cannot be followed on this pull request."""
    if command.verb is not Verb.SHIP:
        return None
    if state != "open":
        return Refusal(f"`{PREFIX} {command.verb}` takes an open pull request, and #{number} is closed.")
    if base_ref != default_branch:
        into, wanted = shown(base_ref), shown(default_branch)
        return Refusal(
            f"`{PREFIX} {command.verb}` takes a pull request into {wanted}, and this one goes into {into}."
        )
    return None


def authorise(
    command: Command,
    *,
    permission: str | None,
    login: str,
    charter: Charter | None,
    is_pull_request: bool,
    elsewhere: str = "",
    allows: bool = False,
    belongs: bool = False,
) -> Refusal | None:
    """Whether a person may give a command here: None, or why not.

    `permission` is GitHub's word for what the person may do in the POC's repository, None for nothing;
    `elsewhere` names that repository where the comment stands in another; `allows` is whether the person
    signs for the charter that was agreed on before, or is a member or a deputy by the policy. To sign it is
    enough to be named and to belong to the organisation or the repository: `belongs` says whether they do.
    """
    if not (permission in WRITERS or (command.verb is Verb.SIGN and belongs)):
        return _no_access(command, permission, login, elsewhere)
    match command.verb:
        case None:
            return Refusal(f"{shown(command.text)} isn't a command. The commands are {VERBS}.")
        case Verb.SHIP:
            return _may_ship(login, charter, is_pull_request=is_pull_request)
        case Verb.SIGN:
            return _may_sign(login, charter, is_pull_request=is_pull_request, allows=allows)
        case _:
            return None


def _no_access(command: Command, permission: str | None, login: str, elsewhere: str) -> Refusal:
    name = f"{PREFIX} {command.verb}" if command.verb else command.text
    where = shown(elsewhere, LONGEST_COMMAND) if elsewhere else "this repository"
    if command.verb is Verb.SIGN:
        return Refusal(
            f"{shown(name)} is only for people of the organisation: {login} is neither a member of it nor a "
            f"collaborator of {where}. An admin of the repository can change that, or the charter can name "
            "another signer."
        )
    return Refusal(
        f"{shown(name)} needs write access to {where}; {login} has {permission or 'none'}. "
        "An admin of the repository can give it, or somebody with write access can write the command."
    )


def another_account(login: str) -> Refusal:
    """Why somebody who has a signer's login cannot sign."""
    return Refusal(
        f"`/poc sign` is for the account that the charter named: {login} was another account then. Write the "
        "signer's current login into the charter."
    )


def _may_ship(login: str, charter: Charter | None, *, is_pull_request: bool) -> Refusal | None:
    """The owner asks to ship, on the pull request that ships."""
    if not is_pull_request:
        return Refusal("`/poc ship` belongs on the pull request that ships: write it there.")
    if charter is None or charter.owner is None:
        return Refusal("`/poc ship` is only for the owner, and no charter here names one.")
    owner = charter.owner.value
    if owner.lower() != login.lower():
        return Refusal(f"`/poc ship` is only for the owner: the charter names {owner}, not {login}.")
    return None


def _may_sign(login: str, charter: Charter | None, *, is_pull_request: bool, allows: bool) -> Refusal | None:
    """A named person signs, where there is no pull request to approve."""
    if is_pull_request:
        return Refusal("`/poc sign` belongs in the POC's issue. On a pull request, approve it instead.")
    if charter is None or not charter.signoffs.all:
        return Refusal(
            "`/poc sign` is only for people whom the charter names under `signoffs`, and it names nobody."
        )
    if not (allows or groups_of(charter, login)):
        people = tuple(dict.fromkeys(signer.value for signer in charter.signoffs.all))
        return Refusal(
            f"`/poc sign` is only for people who sign: the charter names {listed(people)}, not {login}."
        )
    return None


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
