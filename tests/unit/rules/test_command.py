"""Commands in comments: what is one, what is quoted or code, and who may give it where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.charter.model import Charter
from service.rules.checks.judge import judge
from service.rules.commands.parsing import Command, Refusal, Verb, authorise, parse_commands
from service.rules.source.text import CharterFile, FileKind
from tests.harness.charters import GOOD as EXAMPLE
from tests.unit.rules.samples import TODAY

SHIP = Command("/poc ship", Verb.SHIP)
SIGN = Command("/poc sign", Verb.SIGN)


def charter(text: str = EXAMPLE) -> Charter:
    read = judge(CharterFile(FileKind.FILE, text.encode()), today=TODAY).charter
    assert read is not None
    return read


@pytest.mark.parametrize(
    ("comment", "commands"),
    [
        pytest.param("/poc ship", (SHIP,), id="alone"),
        pytest.param("/poc ship\n", (SHIP,), id="with its line's end"),
        pytest.param("/poc ship  \t\r\n", (SHIP,), id="blanks and a carriage return behind it"),
        pytest.param("/poc ship\r/poc sign", (SHIP, SIGN), id="carriage returns alone"),
        pytest.param("   /poc ship", (SHIP,), id="indented a little"),
        pytest.param("/poc  ship", (Command("/poc  ship", Verb.SHIP),), id="two blanks"),
        pytest.param("/poc\tship", (Command("/poc\tship", Verb.SHIP),), id="a tab"),
        pytest.param("We are ready.\n/poc ship\nThanks.", (SHIP,), id="a line of a paragraph"),
        pytest.param("We are ready.\n      /poc ship", (SHIP,), id="an indented line of a paragraph"),
        pytest.param("We are ready.\\\n/poc ship\\\nThanks.", (SHIP,), id="between hard breaks"),
        pytest.param("/poc sign\n/poc ship", (SIGN, SHIP), id="one a line"),
        pytest.param("/poc ship\n\n> why?\n\n/poc sign", (SHIP, SIGN), id="around a quotation"),
        pytest.param(
            "/poc ship now, please",
            (Command("/poc ship now, please", Verb.SHIP, "now, please"),),
            id="with more words",
        ),
        pytest.param(
            "/poc stop we have *enough*",
            (Command("/poc stop we have *enough*", Verb.STOP, "we have *enough*"),),
            id="with markup behind it",
        ),
        pytest.param(
            "/poc end we have *enough*",
            (Command("/poc end we have *enough*", None, "we have *enough*"),),
            id="a verb that does not exist",
        ),
        pytest.param("/poc", (Command("/poc", None),), id="no verb"),
        pytest.param("/poc Ship", (Command("/poc Ship", None),), id="a verb in another case"),
        pytest.param("/poc ship/now", (Command("/poc ship/now", None),), id="more than the verb"),
        pytest.param("/poc sh*i*p", (Command("/poc sh*i*p", None),), id="a verb with markup in it"),
        pytest.param(
            "/poc ship <!-- after all\n/poc sign -->",
            (Command("/poc ship <!-- after all", Verb.SHIP, "<!-- after all"),),
            id="a comment behind it that hides the next",
        ),
        pytest.param(
            "Done: #12 @bob `x`\n/poc recheck", (Command("/poc recheck", Verb.RECHECK),), id="after markup"
        ),
        pytest.param("<b>Ready</b>\n/poc ship", (SHIP,), id="after an element that is closed"),
        pytest.param("<details>\n\nlog\n\n</details>\n\n/poc ship", (SHIP,), id="after what is folded away"),
        pytest.param("<!-- <blockquote> -->\n\n/poc ship", (SHIP,), id="after an element in a comment"),
        pytest.param(
            "Title\n===\n/poc ship\n***\n/poc sign", (SHIP, SIGN), id="between a heading and a rule"
        ),
    ],
)
def test_a_line_of_a_paragraph_is_a_command(comment: str, commands: tuple[Command, ...]) -> None:
    assert parse_commands(comment) == commands


@pytest.mark.parametrize(
    "comment",
    [
        pytest.param("", id="nothing"),
        pytest.param("please /poc ship", id="not at the beginning of a line"),
        pytest.param("/pocship", id="no blank between"),
        pytest.param("/poc-ship", id="another word"),
        pytest.param("/POC ship", id="capitals"),
        pytest.param("//poc ship", id="two slashes"),
        pytest.param("\\/poc ship", id="escaped"),
        pytest.param("&#47;poc ship", id="an entity"),
        pytest.param("> /poc ship", id="quoted"),
        pytest.param("> > /poc ship", id="quoted twice"),
        pytest.param("> why would you\n/poc ship", id="a quotation that runs on"),
        pytest.param("> why\n>\n> /poc ship\n", id="a quotation of several paragraphs"),
        pytest.param("On Monday jane wrote:\n> /poc ship\n", id="an answer by mail"),
        pytest.param("    /poc ship", id="indented code"),
        pytest.param("\t/poc ship", id="code indented by a tab"),
        pytest.param("```\n/poc ship\n```", id="fenced code"),
        pytest.param("~~~ text\n/poc ship\n~~~", id="code fenced by tildes"),
        pytest.param("```\n/poc ship", id="a fence without an end"),
        pytest.param("````\n```\n/poc ship\n```\n````", id="a fence in a fence"),
        pytest.param("`/poc ship`", id="inline code"),
        pytest.param("`first\n/poc ship\nlast`", id="inline code over lines"),
        pytest.param("``a ` b\n/poc ship ``", id="inline code between two marks"),
        pytest.param("<!--\n/poc ship\n-->", id="an HTML comment"),
        pytest.param("<!--\n\n/poc ship\n\n-->", id="an HTML comment of several paragraphs"),
        pytest.param("text <!-- and\n/poc ship\n-->", id="an HTML comment in a paragraph"),
        pytest.param("<!--\n/poc ship", id="an HTML comment without an end"),
        pytest.param("<div>\n/poc ship\n</div>", id="an HTML block"),
        pytest.param("<pre>\n\n/poc ship\n\n</pre>", id="an HTML block of several paragraphs"),
        pytest.param("<blockquote>\n\n/poc ship\n\n</blockquote>", id="quoted in HTML"),
        pytest.param("<BLOCKQUOTE cite='x'>\n\n/poc ship", id="quoted in HTML without an end"),
        pytest.param("so <blockquote>\n/poc ship\n</blockquote>", id="quoted in HTML inside a paragraph"),
        pytest.param("<details><summary>Log</summary>\n\n/poc ship\n\n</details>", id="folded away"),
        pytest.param('<a title="\n/poc ship\n">x</a>', id="an attribute"),
        pytest.param("[see\n/poc ship\n](https://example.com)", id="a link's text"),
        pytest.param("[see\n/poc ship\n][1]\n\n[1]: https://example.com", id="a reference's text"),
        pytest.param("[see](\n/poc 'ship')", id="a link's address"),
        pytest.param("[1]:\n/poc 'ship'", id="a definition"),
        pytest.param("![see\n/poc ship\n](x.png)", id="an image's text"),
        pytest.param("*see\n/poc ship\nthere*", id="emphasis"),
        pytest.param("- /poc ship", id="a list"),
        pytest.param("- one\n/poc ship", id="a list that runs on"),
        pytest.param("- one\n\n  /poc ship", id="a paragraph of a list"),
        pytest.param("1. one\n   /poc ship", id="a numbered list"),
        pytest.param("# /poc ship", id="a heading"),
        pytest.param("/poc ship\n===", id="an underlined heading"),
        pytest.param("| a |\n| - |\n/poc ship", id="a table's row"),
        pytest.param("\ue0000\ue001poc ship", id="a mark of ours"),
        pytest.param("/poc ship\n" + "a" * 4_096, id="longer than is read"),
    ],
)
def test_what_is_quoted_or_code_is_no_command(comment: str) -> None:
    assert parse_commands(comment) == ()


def test_a_mark_of_ours_in_a_comment_stands_for_no_command() -> None:
    assert parse_commands("\ue0001\ue001 x\n\n/poc ship\n\n> \ue0000\ue001\n\n/poc sign") == (SHIP, SIGN)


def test_ten_commands_of_a_comment_are_read() -> None:
    assert parse_commands("/poc ship\n\n" * 5 + "/poc sign\n" * 300) == (SHIP,) * 5 + (SIGN,) * 5


def test_a_command_is_cut_to_a_readable_length() -> None:
    [command] = parse_commands("/poc ship " + "a" * 4000)
    assert (command.verb, len(command.text), len(command.argument)) == (Verb.SHIP, 300, 290)


PIECES = [
    "/poc ship",
    "/poc",
    "/poc sign a",
    "\n",
    "\n\n",
    "> ",
    "- ",
    "`",
    "```\n",
    "*",
    "[",
    "](x)",
    "<!--",
    "-->",
    "<pre>",
    "</pre>",
    "    ",
    "\\",
    "|",
    "a",
    "\r",
    "\x00",
    "\ue000",
    "\ue001",
    "0",
    "#",
    "&#47;",
]
COMMENTS = st.one_of(st.text(max_size=200), st.lists(st.sampled_from(PIECES), max_size=30).map("".join))


@given(COMMENTS)
def test_whatever_a_comment_holds_its_commands_are_lines_of_it(comment: str) -> None:
    lines = [line.strip(" \t\\") for line in comment.replace("\r", "\n").split("\n")]
    for command in parse_commands(comment):
        readable = command.text.replace("�", "\x00")
        assert any(readable == line.translate({0xE000: " ", 0xE001: " "}).strip(" \t\\") for line in lines)


@given(COMMENTS)
def test_a_command_read_again_is_the_same(comment: str) -> None:
    for command in parse_commands(comment):
        assert parse_commands(command.text)[:1] == (command,)


@given(COMMENTS)
def test_a_quoted_comment_commands_nothing(comment: str) -> None:
    quoted = "\n".join(f"> {line}" for line in comment.replace("\r", "\n").split("\n"))
    assert parse_commands(quoted) == ()


CHARTER = charter()
ASKS = "belongs on the pull request that ships: write it there."
NEEDS_WRITE = "needs write access to this repository"
ASK = "An admin of the repository can give it, or somebody with write access can write the command."
THERE_ARE = (
    "The commands are `/poc snooze`, `/poc extend`, `/poc owner`, `/poc stop`, `/poc waive`, `/poc ship`, "
    "`/poc sign`, `/poc recheck` and `/poc help`."
)
SIGNERS = "alice-k, bob-m, carol-s and dan-w"


@pytest.mark.parametrize("is_pull_request", [True, False], ids=["on a pull request", "in an issue"])
@pytest.mark.parametrize("permission", ["read", "triage", "none", "", None])
@pytest.mark.parametrize("verb", list(Verb))
def test_every_command_needs_write_access(verb: Verb, permission: str | None, is_pull_request: bool) -> None:
    refusal = authorise(
        Command(f"/poc {verb}", verb),
        permission=permission,
        login="jane-doe",
        charter=CHARTER,
        is_pull_request=is_pull_request,
    )
    assert refusal is not None
    said, _, remedy = refusal.reason.partition(". ")
    if verb is Verb.SIGN:
        assert said.startswith(
            "`/poc sign` is only for people of the organisation: jane-doe is neither a member"
        )
        return
    assert said == f"`/poc {verb}` {NEEDS_WRITE}; jane-doe has {permission or 'none'}"
    assert remedy == ASK


@pytest.mark.parametrize("permission", ["read", "none"])
def test_a_named_person_of_the_organisation_signs_without_write_access(permission: str) -> None:
    said = {
        (verb, login): authorise(
            Command(f"/poc {verb}", verb),
            charter=CHARTER,
            is_pull_request=verb is Verb.SHIP,
            permission=permission,
            login=login,
            belongs=True,
        )
        for verb, login in ((Verb.SIGN, "dan-w"), (Verb.SIGN, "mallory"), (Verb.SHIP, "jane-doe"))
    }
    assert said[Verb.SIGN, "dan-w"] is None
    stranger, owner = said[Verb.SIGN, "mallory"], said[Verb.SHIP, "jane-doe"]
    assert stranger is not None
    assert stranger.reason.startswith(SIGN_IS_THEIRS)
    assert owner is not None


SHIP_IS_THE_OWNERS = "`/poc ship` is only for the owner"
SIGN_IS_THEIRS = "`/poc sign` is only for people who sign: the charter names"
NAMES_NO_OWNER = f"{SHIP_IS_THE_OWNERS}, and no charter here names one."
NO_ONE_NAMED = "`/poc sign` is only for people whom the charter names under `signoffs`, and it names nobody."
ON_A_PULL, IN_AN_ISSUE = True, False


@pytest.mark.parametrize("permission", ["write", "maintain", "admin"])
@pytest.mark.parametrize(
    ("verb", "place", "login", "judged_by", "reason"),
    [
        pytest.param(Verb.SHIP, ON_A_PULL, "jane-doe", CHARTER, None, id="the owner ships"),
        pytest.param(Verb.SHIP, ON_A_PULL, "Jane-Doe", CHARTER, None, id="the owner in another case ships"),
        pytest.param(
            Verb.SHIP,
            ON_A_PULL,
            "alice-k",
            CHARTER,
            f"{SHIP_IS_THE_OWNERS}: the charter names jane-doe, not alice-k.",
            id="a signer ships",
        ),
        pytest.param(Verb.SHIP, ON_A_PULL, "jane-doe", None, NAMES_NO_OWNER, id="no charter ships"),
        pytest.param(Verb.SHIP, ON_A_PULL, "jane-doe", Charter(line=1), NAMES_NO_OWNER, id="no owner ships"),
        pytest.param(Verb.SHIP, IN_AN_ISSUE, "jane-doe", CHARTER, f"`/poc ship` {ASKS}", id="an issue ships"),
        pytest.param(Verb.SIGN, IN_AN_ISSUE, "alice-k", CHARTER, None, id="a named person signs"),
        pytest.param(
            Verb.SIGN, IN_AN_ISSUE, "DAN-w", CHARTER, None, id="a named person in another case signs"
        ),
        pytest.param(
            Verb.SIGN,
            IN_AN_ISSUE,
            "jane-doe",
            CHARTER,
            f"{SIGN_IS_THEIRS} {SIGNERS}, not jane-doe.",
            id="the owner signs",
        ),
        pytest.param(
            Verb.SIGN,
            IN_AN_ISSUE,
            "mallory",
            charter(EXAMPLE.replace("bob-m", "alice-k")),
            f"{SIGN_IS_THEIRS} alice-k, carol-s and dan-w, not mallory.",
            id="a stranger signs",
        ),
        pytest.param(Verb.SIGN, IN_AN_ISSUE, "alice-k", None, NO_ONE_NAMED, id="no charter is signed"),
        pytest.param(Verb.SIGN, IN_AN_ISSUE, "alice-k", Charter(line=1), NO_ONE_NAMED, id="nobody is named"),
        pytest.param(
            Verb.SIGN,
            ON_A_PULL,
            "alice-k",
            CHARTER,
            "`/poc sign` belongs in the POC's issue. On a pull request, approve it instead.",
            id="a pull request is signed",
        ),
        *(
            pytest.param(verb, place, login, judged_by, None, id=f"{verb}, {where}, {who}, {what}")
            for verb in Verb
            if verb not in (Verb.SHIP, Verb.SIGN)
            for place, where in ((ON_A_PULL, "on a pull request"), (IN_AN_ISSUE, "in an issue"))
            for login, who in (("jane-doe", "the owner"), ("mallory", "a stranger"))
            for judged_by, what in ((CHARTER, "with a charter"), (None, "without"))
        ),
    ],
)
def test_who_may_give_a_command_where(  # noqa: PLR0917 - a table's columns
    verb: Verb, place: bool, login: str, judged_by: Charter | None, reason: str | None, permission: str
) -> None:
    refusal = authorise(
        Command(f"/poc {verb}", verb),
        permission=permission,
        login=login,
        charter=judged_by,
        is_pull_request=place,
    )
    assert refusal == (Refusal(reason) if reason else None)


@pytest.mark.parametrize(
    ("text", "permission", "reason"),
    [
        ("/poc shipp", "write", f"`/poc shipp` isn't a command. {THERE_ARE}"),
        ("/poc", "admin", f"`/poc` isn't a command. {THERE_ARE}"),
        ("/poc shipp", "read", f"`/poc shipp` {NEEDS_WRITE}; mallory has read. {ASK}"),
        ("/poc `@o/t` closes #1", "none", f"`/poc '@o/t' closes #1` {NEEDS_WRITE}; mallory has none. {ASK}"),
    ],
)
def test_a_command_that_does_not_exist_is_refused(text: str, permission: str | None, reason: str) -> None:
    [command] = parse_commands(text)
    refusal = authorise(
        command, permission=permission, login="mallory", charter=CHARTER, is_pull_request=True
    )
    assert refusal == Refusal(reason)
