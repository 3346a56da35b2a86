"""Who is a bot: by the type and the id of an account where they are known, by its name where they are not."""

from __future__ import annotations

import pytest

from service.rules.values.github import APP_USER, BOT_IDS, PERSON, co_authors, is_bot

JANE = "jane-doe <5+jane-doe@users.noreply.github.com>"
COPILOT = "Copilot <198982749+Copilot@users.noreply.github.com>"


@pytest.mark.parametrize(
    ("login", "type_", "account", "expected"),
    [
        ("jane-doe", PERSON, 5, False),
        ("Copilot", APP_USER, 198982749, True),
        ("Copilot", PERSON, None, True),
        ("copilot-swe-agent[bot]", PERSON, None, True),
        ("copilot-swe-agent", PERSON, None, True),
        ("renamed-agent", PERSON, min(BOT_IDS), True),
        ("some-agent", APP_USER, 6, True),
        ("Dependabot[Bot]", PERSON, None, True),
        ("acme-bot", PERSON, 7, True),
        ("acme", "Organization", 8, True),
        ("copilot-fan", PERSON, 9, False),
        ("talbot", PERSON, 10, False),
    ],
)
def test_who_is_a_bot(login: str, type_: str, account: int | None, expected: bool) -> None:
    assert is_bot(login, type_, account) is expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Fix it", ()),
        (f"Fix it\n\nCo-authored-by: {JANE}", ("jane-doe",)),
        (f"Fix it\n\nCo-authored-by: {COPILOT}\nco-authored-by: {JANE}\n", ("jane-doe",)),
        ("Fix it\n\nCo-authored-by: Jane <jane-doe@users.noreply.github.com>", ("jane-doe",)),
        ("Fix it\n\nCo-authored-by: Jane <jane@example.com>", ()),
        (f"Fix it, said {JANE}", ()),
    ],
)
def test_the_people_whom_a_commit_names(message: str, expected: tuple[str, ...]) -> None:
    assert co_authors(message) == expected
