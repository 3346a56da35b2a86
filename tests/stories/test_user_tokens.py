"""The tokens of people who are logged in: renewed once, whoever comes first, and gone when GitHub says so."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, text

from service.store.database import Database, transaction
from service.store.people import People, Person, PersonalTokens
from service.web.oauth import (
    AwayError,
    GitHubOAuth,
    LoggedOutError,
    RefusedError,
    SetUpWronglyError,
    Tokens,
    UserTokens,
)

ERIN = Person(5, "erin-x")
HOUR = timedelta(hours=1)
KEY = Fernet.generate_key()


@dataclass(frozen=True, slots=True)
class Renewing(GitHubOAuth):
    """GitHub takes each refresh token once, after a while."""

    used: list[str] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)

    def refresh(self, refresh_token: str) -> Tokens:
        time.sleep(0.05)
        if self.fails:
            raise self.fails.pop()
        if refresh_token in self.used:
            raise RefusedError("bad_refresh_token")
        self.used.append(refresh_token)
        number = len(self.used)
        return tokens(f"ghu_{number}", HOUR, f"ghr_{number}")


def tokens(access: str, lasts: timedelta, refresh: str | None = "ghr_0") -> Tokens:
    now = datetime.now(UTC)
    return Tokens(access, now + lasts, refresh, now + 100 * HOUR)


def process(engine: Engine, oauth: GitHubOAuth, key: bytes = KEY) -> UserTokens:
    """What one process of the web has."""
    return UserTokens(People(Database(engine)), oauth, Fernet(key))


def log_in(engine: Engine, given: Tokens, session: bytes = b"session") -> None:
    sealed = process(engine, github()).sealed(given)
    now = datetime.now(UTC)
    People(Database(engine)).log_in(ERIN, sealed, session, now=now, lasts=HOUR)


def github() -> Renewing:
    return Renewing("id", "secret", "https://github.com", "x")


def is_logged_in(engine: Engine, session: bytes = b"session") -> bool:
    return People(Database(engine)).logged_in(session, datetime.now(UTC)) is not None


async def told(token: str) -> str:
    return token


async def refused(token: str) -> str:
    raise RefusedError(token)


@pytest.mark.asyncio
async def test_of_several_processes_one_renews_a_token_that_ends(engine: Engine) -> None:
    log_in(engine, tokens("ghu_0", timedelta(seconds=30)))
    hub = github()
    processes = [process(engine, hub) for _ in range(4)]
    found = await asyncio.gather(*(each.acting(ERIN.id, told) for each in processes for _ in range(2)))
    assert set(found) == {"ghu_1"}
    assert hub.used == ["ghr_0"]


@pytest.mark.asyncio
async def test_a_token_that_holds_is_used_as_it_is(engine: Engine) -> None:
    log_in(engine, tokens("ghu_0", HOUR))
    hub = github()
    assert await process(engine, hub).acting(ERIN.id, told) == "ghu_0"
    assert hub.used == []


@pytest.mark.asyncio
async def test_a_token_that_github_refuses_is_renewed_once(engine: Engine) -> None:
    log_in(engine, tokens("ghu_0", HOUR))
    hub = github()

    async def only_new(token: str) -> str:
        return await (refused if token == "ghu_0" else told)(token)

    assert await process(engine, hub).acting(ERIN.id, only_new) == "ghu_1"
    with pytest.raises(LoggedOutError):
        await process(engine, hub).acting(ERIN.id, refused)
    assert len(hub.used) == 2
    assert not is_logged_in(engine)


@pytest.mark.asyncio
@pytest.mark.parametrize("refresh", ["ghr_0", None], ids=["refused", "none"])
async def test_without_a_refresh_token_that_counts_somebody_is_logged_out(
    engine: Engine, refresh: str | None
) -> None:
    log_in(engine, tokens("ghu_0", timedelta(), refresh))
    hub = github()
    hub.used.append("ghr_0")
    with pytest.raises(LoggedOutError):
        await process(engine, hub).acting(ERIN.id, told)
    assert not is_logged_in(engine)


@pytest.mark.asyncio
async def test_who_logs_in_again_meanwhile_is_not_forgotten(engine: Engine) -> None:
    log_in(engine, tokens("ghu_0", HOUR))

    async def refused_late(token: str) -> str:
        if token == "ghu_1":
            log_in(engine, tokens("ghu_9", HOUR), b"another")
            made = PersonalTokens(Database(engine)).make
            assert made(ERIN.id, "report", b"hash", datetime.now(UTC), datetime.now(UTC) + HOUR, 20)
        return await refused(token)

    with pytest.raises(LoggedOutError):
        await process(engine, github()).acting(ERIN.id, refused_late)
    assert is_logged_in(engine)
    assert PersonalTokens(Database(engine)).whose(b"hash", datetime.now(UTC)) == ERIN
    assert await process(engine, github()).acting(ERIN.id, told) == "ghu_9"


@pytest.mark.asyncio
async def test_who_logs_in_while_a_refresh_token_is_refused_is_not_forgotten(engine: Engine) -> None:
    log_in(engine, tokens("ghu_0", timedelta()))
    with ThreadPoolExecutor(1) as other_process:

        class Refusing(Renewing):
            def refresh(self, refresh_token: str) -> Tokens:
                other_process.submit(log_in, engine, tokens("ghu_9", HOUR), b"another")
                raise RefusedError(refresh_token)

        hub = Refusing("id", "secret", "https://github.com", "x")
        with pytest.raises(LoggedOutError):
            await process(engine, hub).acting(ERIN.id, told)
    assert is_logged_in(engine, b"another")
    assert await process(engine, hub).acting(ERIN.id, told) == "ghu_9"


@pytest.mark.asyncio
@pytest.mark.parametrize("error", [AwayError("502"), SetUpWronglyError("incorrect_client_credentials")])
async def test_what_is_not_their_fault_logs_nobody_out(engine: Engine, error: Exception) -> None:
    log_in(engine, tokens("ghu_0", timedelta()))
    hub = github()
    hub.fails.append(error)
    with pytest.raises(AwayError):
        await process(engine, hub).acting(ERIN.id, told)
    assert is_logged_in(engine)
    assert await process(engine, hub).acting(ERIN.id, told) == "ghu_1"


@pytest.mark.asyncio
async def test_with_another_secret_key_people_log_in_again(engine: Engine) -> None:
    log_in(engine, tokens("ghu_0", HOUR))
    with pytest.raises(LoggedOutError):
        await process(engine, github(), Fernet.generate_key()).acting(ERIN.id, told)
    assert not is_logged_in(engine)


def test_no_token_is_stored_as_it_is(engine: Engine) -> None:
    log_in(engine, tokens("ghu_0", HOUR))
    with transaction(engine) as session:
        row = session.connection().execute(text("SELECT person::text FROM person")).scalar_one()
    for token in ("ghu_0", "ghr_0"):
        assert token not in row
        assert token.encode().hex() not in row


def test_what_nobody_needs_any_more_is_forgotten_in_the_night(engine: Engine) -> None:
    log_in(engine, tokens("ghu_0", HOUR))
    people, now = People(Database(engine)), datetime.now(UTC)
    people.tidy(now)
    assert people.kept(ERIN.id) is not None
    people.tidy(now + 2 * HOUR)
    assert people.kept(ERIN.id) is None
