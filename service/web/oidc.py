"""Tokens of GitHub Actions: the signature, verified with the keys that the issuer publishes.

What a verified token says is judged in service/rules/evidence/claims.py.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import jwt
import structlog

if TYPE_CHECKING:
    import httpx

log = structlog.get_logger(__name__)

ALGORITHM = "RS256"
"""The only algorithm: a token that names another is refused before its key is looked up."""
LONGEST_TOKEN = 16 * 1024
FRESH = 3600.0
"""Seconds for which fetched keys are trusted: a key that the issuer revokes is refused after that."""
COOLDOWN, RETRY = 60.0, 5.0
"""Seconds between two requests for a key that the issuer doesn't have, and after a failed request."""
TIMEOUT = 5.0

TOKENS = jwt.PyJWS(algorithms=[ALGORITHM])


class TokenError(Exception):
    """Why a token is refused: the name of the problem, and what to change."""

    def __init__(self, problem: str, detail: str) -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail


class IssuerAwayError(Exception):
    """The issuer's keys cannot be fetched at the moment."""


class Verifier:
    """Reads the claims of tokens that one issuer signed."""

    def __init__(self, issuer: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = Keys(issuer, clock)

    async def claims(self, token: str) -> Mapping[str, object]:
        """The claims of a token; raises `TokenError`, or `IssuerAwayError` without the keys."""
        header = _header(token)
        if header.get("alg") != ALGORITHM:
            raise TokenError("token-algorithm", f"The token isn't signed with {ALGORITHM}. {AS_IT_IS}")
        kid = header.get("kid")
        key = await self._keys.find(kid) if isinstance(kid, str) else None
        if key is None:
            raise TokenError(
                "token-key", f"The issuer doesn't have the key that signed the token. {AS_IT_IS}"
            )
        try:
            payload = json.loads(TOKENS.decode(token, key, [ALGORITHM]))
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise TokenError("token-signature", f"The token's signature is wrong. {AS_IT_IS}") from error
        if not isinstance(payload, dict):
            raise TokenError("token-malformed", f"The token holds no claims. {AS_IT_IS}")
        return payload


AS_IT_IS = "Send the token that GitHub Actions mints, as is."


def _header(token: str) -> Mapping[str, object]:
    if len(token) > LONGEST_TOKEN:
        raise TokenError("token-malformed", f"The token is longer than {LONGEST_TOKEN} bytes. {AS_IT_IS}")
    try:
        return TOKENS.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise TokenError("token-malformed", f"The bearer isn't a token. {AS_IT_IS}") from error


class Keys:
    """The issuer's keys, fetched when an unknown one is needed, but not again and again."""

    def __init__(self, issuer: str, clock: Callable[[], float]) -> None:
        self._issuer, self._clock = issuer, clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched = self._tried = float("-inf")
        self._failure: str | None = None
        self._lock = asyncio.Lock()

    async def find(self, kid: str) -> jwt.PyJWK | None:
        """The key of that name; None where the issuer has none."""
        if not self._knows(kid):
            async with self._lock:
                if not self._knows(kid):
                    await self._refresh()
        return self._keys.get(kid)

    def _knows(self, kid: str) -> bool:
        return kid in self._keys and self._clock() - self._fetched < FRESH

    async def _refresh(self) -> None:
        if self._clock() - self._tried < (RETRY if self._failure else COOLDOWN):
            if self._failure:
                raise IssuerAwayError(self._failure)
            return
        self._tried, self._failure = self._clock(), "it did not answer"
        try:
            self._keys = await _fetch(self._issuer)
        except ValueError as error:
            self._failure = str(error)
            log.warning(
                "the keys of GitHub Actions can't be fetched", issuer=self._issuer, error=self._failure
            )
            raise IssuerAwayError(self._failure) from error
        self._fetched, self._failure = self._clock(), None


async def _fetch(issuer: str) -> dict[str, jwt.PyJWK]:
    """Fetch the issuer's present keys; raises `ValueError` where it doesn't answer, or not as it should."""
    import httpx  # noqa: PLC0415 (not everybody sends evidence, and it takes up memory)

    try:
        async with httpx.AsyncClient(timeout=TIMEOUT) as client:
            about = await _json(client, f"{issuer}/.well-known/openid-configuration")
            if about.get("issuer") != issuer:
                raise ValueError(f"it calls itself {about.get('issuer')!r}")
            address = str(about.get("jwks_uri"))
            if urlsplit(address).scheme != urlsplit(issuer).scheme:
                raise ValueError(f"its keys are said to be at {address!r}")
            listed = (await _json(client, address)).get("keys")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ValueError(str(error) or type(error).__name__) from error
    if not isinstance(listed, list):
        raise ValueError("it lists no keys")  # noqa: TRY004 (the issuer's answer is wrong)
    return {name: key for one in listed for name, key in _usable(one)}


async def _json(client: httpx.AsyncClient, url: str) -> Mapping[str, Any]:
    answer = await client.get(url, headers={"Accept": "application/json"})
    answer.raise_for_status()
    try:
        body = answer.json()
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{url} answers with no JSON") from error
    if not isinstance(body, dict):
        raise ValueError(f"{url} answers with no JSON object")  # noqa: TRY004 (the issuer's answer is wrong)
    return body


def _usable(described: object) -> list[tuple[str, jwt.PyJWK]]:
    """A key under its name, if it can verify our signatures; otherwise nothing."""
    if not isinstance(described, dict) or not isinstance(described.get("kid"), str):
        return []
    if described.get("kty") != "RSA" or described.get("use", "sig") != "sig":
        return []
    if described.get("alg", ALGORITHM) != ALGORITHM:
        return []
    try:
        return [(described["kid"], jwt.PyJWK(described, ALGORITHM))]
    except (jwt.PyJWTError, ValueError, TypeError):
        return []
