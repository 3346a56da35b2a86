"""What somebody sees: what GitHub says they see, asked with their own token, and kept for a while.

Only POCs are asked about. An answer is used for at most a quarter of an hour, and renewed behind the page
before that; a refusal takes effect at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from starlette.concurrency import run_in_threadpool

from service.graphql import AT_ONCE
from service.store.people import Kept, People
from service.web.oauth import AwayError, LoggedOutError, NoGraphQLError, PersonApi, UserTokens

log = structlog.get_logger(__name__)

LONGEST = timedelta(minutes=15)
RENEWED = timedelta(minutes=5)
"""Older answers are still shown while they are asked for again."""
GIVEN_UP = timedelta(minutes=2)
"""Who asks for longer has been killed."""
PATIENCE = 3.0
"""Seconds that a page waits for an answer; then it shows what is known by then."""
SIDE_BY_SIDE = 8
"""Questions at a time."""
GLANCE = 0.1


@dataclass(frozen=True, slots=True)
class Seen:
    """The repositories that somebody sees, and those of which they see rows; `whole` once all were asked."""

    visible: Collection[int]
    rows_only: Collection[int]
    whole: bool


class Readers(Protocol):
    """Whom organisations let see the rows of all their POCs."""

    async def installations_of(self, login: str) -> set[int]:
        """The installations whose rows somebody sees."""
        ...


class Visibility:
    """Asks, keeps and forgets what people see."""

    def __init__(
        self,
        people: People,
        tokens: UserTokens,
        api: PersonApi,
        readers: Readers,
        *,
        clock: Callable[[], datetime],
        patience: float = PATIENCE,
    ) -> None:
        self._people, self._tokens, self._api, self._readers = people, tokens, api, readers
        self._clock, self._patience = clock, patience
        self._asking: dict[int, asyncio.Task[None]] = {}

    async def close(self) -> None:
        """Stop asking."""
        for task in self._asking.values():
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
        await self._api.close()

    def under_way(self) -> Collection[asyncio.Task[None]]:
        """The questions that are being asked."""
        return tuple(self._asking.values())

    async def of(self, person_id: int) -> Seen:
        """What somebody sees; `AwayError` where GitHub can't tell, and nothing that it said is new enough."""
        kept = await self._kept(person_id)
        if not self._is_good(kept):
            await self._begin(person_id, anew=True)
            kept = await self._waited(person_id)
        elif not self._is_good(kept, RENEWED):
            await self._begin(person_id, anew=False)
        rows = await run_in_threadpool(self._people.pocs_of, kept.rows_of)
        return Seen(kept.visible, set(rows) - set(kept.visible), kept.seen_at is not None)

    def _is_good(self, kept: Kept, lasts: timedelta = LONGEST) -> bool:
        return kept.seen_at is not None and kept.seen_at > self._clock() - lasts

    async def login_of(self, person_id: int) -> str:
        """The login that somebody has now: they may have another than when they logged in."""
        person, login = await self._tokens.acting(person_id, self._api.who)
        if person != person_id:
            raise LoggedOutError("the token is somebody else's")
        return login

    async def may_read(self, person_id: int, repository_id: int) -> bool:
        """Whether they see one repository, asked now; where GitHub can't tell, what it said before."""
        try:
            sees = await self._tokens.acting(
                person_id, lambda token: self._api.may_read(token, repository_id)
            )
        except AwayError:
            kept = await self._kept(person_id)
            if not self._is_good(kept):
                raise
            return repository_id in kept.visible
        if not sees:
            await run_in_threadpool(self._people.refuse, person_id, repository_id)
        return sees

    async def _kept(self, person_id: int) -> Kept:
        kept = await run_in_threadpool(self._people.kept, person_id)
        if kept is None:
            raise LoggedOutError("they are logged in no longer")
        return kept

    async def _begin(self, person_id: int, *, anew: bool) -> None:
        """Ask, unless this process or another one asks already; `anew` forgets what was known."""
        now = self._clock()
        if person_id in self._asking or not await run_in_threadpool(
            self._people.begin_asking, person_id, now, now - GIVEN_UP, anew=anew
        ):
            return
        task = asyncio.create_task(self._ask(person_id, now, anew=anew))
        self._asking[person_id] = task
        task.add_done_callback(lambda _: self._asking.pop(person_id, None))

    async def _waited(self, person_id: int) -> Kept:
        """What is known once all was asked, or when the patience is over."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        while True:
            if task := self._asking.get(person_id):
                await asyncio.wait({task}, timeout=max(0.0, deadline - loop.time()))
            kept = await self._kept(person_id)
            if self._is_good(kept):
                return kept
            if kept.asking_since is None:
                raise AwayError("GitHub does not say what somebody sees")
            if loop.time() >= deadline:
                # What was known before, where it is renewed by somebody else just now, is too old.
                return kept if kept.seen_at is None else replace(kept, visible=(), rows_of=(), seen_at=None)
            await asyncio.sleep(GLANCE)

    async def _ask(self, person_id: int, now: datetime, *, anew: bool) -> None:
        people, found = self._people, set[int]()
        try:
            rows_of = await self._readers.installations_of(await self.login_of(person_id))
            async for more in self._answers(person_id):
                found |= more
                if anew:
                    await run_in_threadpool(
                        people.keep, person_id, found, rows_of, asking_since=now, whole=False
                    )
            await run_in_threadpool(people.keep, person_id, found, rows_of, asking_since=now, whole=True)
        except (AwayError, LoggedOutError) as error:
            log.warning("what somebody sees is not known", error=str(error))
            await run_in_threadpool(people.stop_asking, person_id, now)

    async def _answers(self, person_id: int) -> AsyncIterator[set[int]]:
        """The repositories of POCs that somebody sees, some hundreds at a time."""
        pocs = await run_in_threadpool(self._people.pocs)
        hundreds = [pocs[at : at + AT_ONCE] for at in range(0, len(pocs), AT_ONCE)]
        try:
            for at in range(0, len(hundreds), SIDE_BY_SIDE):
                asked = (self._hundred(person_id, each) for each in hundreds[at : at + SIDE_BY_SIDE])
                yield set().union(*await asyncio.gather(*asked))
        except NoGraphQLError:
            listed = await self._tokens.acting(person_id, self._api.listed)
            yield listed & {repository for repository, _ in pocs}

    async def _hundred(self, person_id: int, asked: Sequence[tuple[int, str]]) -> set[int]:
        return await self._tokens.acting(person_id, lambda token: self._api.visible(token, asked))
