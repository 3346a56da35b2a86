"""GitHub as people log in with it, a code or a refresh token against tokens, and asked with those.

They are encrypted where they are stored, and renewed where they end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx2
import structlog
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from starlette.concurrency import run_in_threadpool

from service.graphql import AT_ONCE, about, endpoint, is_unseen
from service.store.people import People, SealedTokens

log = structlog.get_logger(__name__)

T = TypeVar("T")

TIMEOUT = 10.0
"""Seconds that GitHub has for an answer."""
OURS = ("incorrect_client_credentials", "redirect_uri_mismatch", "unauthorized_client", "Not Found")
"""What GitHub refuses because the service is set up wrongly; it finds no app by an unknown client id."""


class AwayError(Exception):
    """GitHub does not answer, or wants to be asked later."""


class RefusedError(Exception):
    """GitHub does not take it, and would not if it were asked again."""


class SetUpWronglyError(Exception):
    """GitHub does not take this service's own credentials or address."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a person; without an end they hold until they are taken back."""

    access: str = field(repr=False)
    access_ends: datetime | None = None
    refresh: str | None = field(default=None, repr=False)
    refresh_ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class GitHubOAuth:
    """Logging in with GitHub; `exchange` and `refresh` block."""

    client_id: str
    client_secret: str = field(repr=False)
    web_url: str
    callback: str
    """Where GitHub leads people back to."""

    def address(self, state: str, verifier: str) -> str:
        """GitHub's page on which somebody says who they are."""
        address: str = prepare_grant_uri(
            f"{self.web_url}/login/oauth/authorize",
            self.client_id,
            "code",
            redirect_uri=self.callback,
            state=state,
            code_challenge=create_s256_code_challenge(verifier),  # type: ignore[no-untyped-call] # of authlib
            code_challenge_method="S256",
        )
        return address

    def exchange(self, code: str, verifier: str) -> Tokens:
        """What GitHub gives for the code that somebody came back with."""
        return self._tokens(
            lambda client, url: client.fetch_token(
                url, grant_type="authorization_code", code=code, code_verifier=verifier
            )
        )

    def refresh(self, refresh_token: str) -> Tokens:
        """New tokens; the old ones hold no longer."""
        return self._tokens(lambda client, url: client.refresh_token(url, refresh_token=refresh_token))

    def _tokens(self, ask: Callable[[OAuth2Client, str], Mapping[str, Any]]) -> Tokens:
        try:
            with self._client() as client:
                said = ask(client, f"{self.web_url}/login/oauth/access_token")
        except OAuthError as error:
            wrong = SetUpWronglyError if error.error in OURS else RefusedError
            raise wrong(f"{error.error}: {error.description}") from error
        except (httpx2.HTTPError, ValueError) as error:
            raise AwayError(f"GitHub gives no tokens: {error}") from error
        if not isinstance(said.get("access_token"), str):
            raise AwayError("GitHub's answer holds no token")
        return Tokens(
            access=said["access_token"],
            access_ends=_end(said.get("expires_in")),
            refresh=said.get("refresh_token"),
            refresh_ends=_end(said.get("refresh_token_expires_in")),
        )

    def _client(self) -> OAuth2Client:
        return OAuth2Client(
            self.client_id,
            self.client_secret,
            token_endpoint_auth_method="client_secret_post",  # noqa: S106 (a method's name)
            redirect_uri=self.callback,
            timeout=TIMEOUT,
        )


def _end(seconds: object) -> datetime | None:
    return (
        datetime.fromtimestamp(datetime.now(UTC).timestamp() + float(str(seconds)), UTC) if seconds else None
    )


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


UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY, SERVER_ERROR = 401, 403, 404, 429, 500
HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


class NoGraphQLError(Exception):
    """GitHub answers no GraphQL here."""


class PersonApi:
    """Raises `RefusedError` where the token is refused, `AwayError` where GitHub can't tell for now."""

    def __init__(self, api_url: str, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._url, self._transport = api_url, transport
        self._client: httpx2.AsyncClient | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._client:
            await self._client.aclose()

    async def who(self, token: str) -> tuple[int, str]:
        """The account's id and its present login."""
        said = _found(await self._ask("GET", "/user", token))
        return int(said["id"]), str(said["login"])

    async def may_read(self, token: str, repository_id: int) -> bool:
        """Whether they see one repository, whatever it is called."""
        answer = await self._ask("GET", f"/repositories/{repository_id}", token)
        return answer.is_success

    async def visible(self, token: str, repositories: Sequence[tuple[int, str]]) -> set[int]:
        """Those of at most a hundred repositories that they see, in one call.

        They are asked for by name, and count where the name is that of the repository that we know.
        """
        query = about([(name, "databaseId") for _, name in repositories])
        answer = await self._ask("POST", endpoint(self._url), token, {"query": query})
        if answer.status_code == NOT_FOUND:
            raise NoGraphQLError
        said = _found(answer)
        if not isinstance(said.get("data"), dict) or not all(map(is_unseen, said.get("errors") or ())):
            raise AwayError(f"GraphQL: {str(said.get('errors'))[:200]}")
        ids = {name: found["databaseId"] for name, found in said["data"].items() if found}
        return {each[0] for at, each in enumerate(repositories) if ids.get(f"r{at}") == each[0]}

    async def listed(self, token: str) -> set[int]:
        """All repositories that they see through an installation, a hundred a call."""
        found: set[int] = set()
        for installation in await self._pages("/user/installations", "installations", token):
            path = f"/user/installations/{installation['id']}/repositories"
            found |= {int(each["id"]) for each in await self._pages(path, "repositories", token)}
        return found

    async def _pages(self, path: str, name: str, token: str) -> list[Any]:
        found: list[Any] = []
        number = 0
        while True:
            number += 1
            page = _found(await self._ask("GET", f"{path}?per_page={AT_ONCE}&page={number}", token))[name]
            found += page
            if len(page) < AT_ONCE:
                return found

    async def _ask(
        self, method: str, path: str, token: str, body: Mapping[str, object] | None = None
    ) -> httpx2.Response:
        if self._client is None:
            self._client = httpx2.AsyncClient(timeout=TIMEOUT, headers=HEADERS, transport=self._transport)
        url = path if path.startswith("http") else f"{self._url}{path}"
        bearer = {"Authorization": f"Bearer {token}"}
        try:
            answer = await self._client.request(method, url, headers=bearer, json=body)
        except httpx2.HTTPError as error:
            raise AwayError(f"GitHub doesn't answer: {str(error) or type(error).__name__}") from error
        if answer.status_code == UNAUTHORIZED:
            raise RefusedError("GitHub refuses the token")
        if _is_later(answer):
            raise AwayError(f"GitHub answers {answer.status_code}")
        return answer


def _is_later(answer: httpx2.Response) -> bool:
    """Whether GitHub wants to be asked later: a limit of calls, or trouble of its own."""
    if answer.status_code == FORBIDDEN:
        return answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers
    return answer.status_code == TOO_MANY or answer.status_code >= SERVER_ERROR


def _found(answer: httpx2.Response) -> Any:  # noqa: ANN401 (JSON)
    try:
        return answer.raise_for_status().json()
    except (httpx2.HTTPError, ValueError) as error:
        raise AwayError(f"GitHub answers {answer.status_code}") from error
