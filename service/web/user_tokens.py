"""The GitHub token of somebody who is logged in: encrypted where it is stored, renewed where it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from starlette.concurrency import run_in_threadpool

from service.store.people import People, SealedTokens
from service.web.oauth import AwayError, GitHubOAuth, RefusedError, SetUpWronglyError, Tokens

log = structlog.get_logger(__name__)

T = TypeVar("T")

SPARE = timedelta(minutes=2)
"""A token that ends sooner than this is renewed first."""
REFUSED = "GitHub doesn't accept the tokens any more"


class LoggedOutError(Exception):
    """GitHub takes the tokens of somebody no longer: they have to log in again."""


class UserTokens:
    """Acts with people's tokens."""

    def __init__(self, people: People, oauth: GitHubOAuth, cipher: Fernet | MultiFernet) -> None:
        self._people, self._oauth, self._cipher = people, oauth, cipher
        self._renewing = asyncio.Semaphore(1)
        """A renewal waits for GitHub and holds a connection to the database: one at a time."""

    def sealed(self, tokens: Tokens) -> SealedTokens:
        """As they are stored."""
        return SealedTokens(
            access=self._cipher.encrypt(tokens.access.encode()),
            access_ends=tokens.access_ends,
            refresh=self._cipher.encrypt(tokens.refresh.encode()) if tokens.refresh else None,
            refresh_ends=tokens.refresh_ends,
        )

    async def acting(self, person_id: int, ask: Callable[[str], Awaitable[T]]) -> T:
        """Ask with somebody's token; one that GitHub refuses is renewed once.

        Raises `LoggedOutError` where GitHub takes neither; everything of theirs is forgotten then, but where
        they have logged in again meanwhile.
        """
        sealed = await self._token(person_id, None)
        try:
            return await ask(self._opened(sealed))
        except RefusedError:
            sealed = await self._token(person_id, sealed)
        try:
            return await ask(self._opened(sealed))
        except RefusedError as error:
            await run_in_threadpool(self._people.forget, person_id, sealed)
            raise LoggedOutError(REFUSED) from error

    async def _token(self, person_id: int, refused: bytes | None) -> bytes:
        people, until = self._people, datetime.now(UTC) + SPARE
        if found := await run_in_threadpool(people.held_token, person_id, refused, until):
            return found
        try:
            async with self._renewing:
                found = await run_in_threadpool(people.renewed_token, person_id, refused, until, self._renew)
        except SetUpWronglyError as error:
            log.error("GitHub refuses the client secret", error=str(error))  # noqa: TRY400 (it is its own explanation)
            raise AwayError("GitHub doesn't accept this service's client secret") from error
        if found is None:
            raise LoggedOutError(REFUSED)
        return found

    def _renew(self, refresh: bytes) -> SealedTokens | None:
        try:
            return self.sealed(self._oauth.refresh(self._opened(refresh)))
        except RefusedError:
            return None

    def _opened(self, sealed: bytes) -> str:
        try:
            return self._cipher.decrypt(sealed).decode()
        except InvalidToken as error:
            # SECRET_KEY is another one by now.
            raise RefusedError("it can't be decrypted") from error
