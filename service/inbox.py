"""Deliveries and evidence recorded once: committed, and answered after the commit.

Deliveries that arrive together are committed together.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import psycopg
import structlog
from psycopg_pool import PoolClosed, PoolTimeout

from service.rules.evidence.claims import Refused, WorkflowRun, read_run
from service.rules.evidence.upload import Sent, read_upload
from service.rules.values.groups import Level
from service.rules.values.subjects import DeliveryEffects
from service.store import recording
from service.store.recording import Envelope
from service.store.schema import NewerSchemaError, is_pending
from service.store.uploads import record_upload

log = structlog.get_logger(__name__)

GROUP = 256
"""The most deliveries of one transaction; more wait for the next."""
GATHERING = 0.001
"""Seconds that a group waits for more: a transaction costs as much as twenty deliveries in it."""
WRITERS = 1
"""While one group is being committed, the next one forms; a second writer would only make them smaller."""

PATIENCE = 8.0
"""Seconds that the database has to answer: GitHub waits for ten."""
TRIAL_PATIENCE, TRIAL_LASTS = 5.0, 1.0
"""Seconds that a trial has, and for which its result is told again: anybody may ask."""
TELLING = 60.0
"""Seconds between two rows, and two lines of the log, about deliveries that were refused."""
UPLOADS = 2
"""Uploads that are committed at a time: deliveries must not wait for a connection behind them."""
UNMIGRATED = "the database's migrations have not run yet"
SILENT = "the database does not answer"
UNREACHABLE = (psycopg.OperationalError, PoolTimeout, PoolClosed, OSError)
"""What happens while the database is away."""

Route = Callable[[str, bytes], DeliveryEffects]
T = TypeVar("T")


class NotStoredError(Exception):
    """It is not in the database: nobody must be told that it is."""


class NotTakenError(Exception):
    """Evidence that is refused: the name of the problem, what to change, and the places in the body."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.detail)
        self.reason = str(refused.reason)
        self.faults = tuple((fault.pointer, fault.detail) for fault in refused.faults)


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose tokens count, for whom they must have been made, and where GitHub shows its runs."""

    issuer: str
    audience: str
    web_url: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was recorded; `commit` is unknown while the head of a pull request's test merge is to be found.

    `level` is the lowest of any of the numbers.
    """

    recorded: int
    commit: str | None
    level: Level

    def as_json(self) -> dict[str, object]:
        """The receipt as the sender gets it."""
        return {"recorded": self.recorded, "commit": self.commit, "level": str(self.level)}


class Inbox:
    """The receiver's side of the database."""

    def __init__(self, database_url: str, route: Route, *, telling: float = TELLING) -> None:
        self._pool = recording.open_pool(database_url)
        self._route = route
        self._waiting: deque[tuple[Envelope, asyncio.Future[None]]] = deque()
        self._arrived = asyncio.Event()
        self._writers: list[asyncio.Task[None]] = []
        self._uploading = asyncio.Semaphore(UPLOADS)
        self._trial: asyncio.Task[str | None] | None = None
        self._tried_at = 0.0
        self._refused = 0
        self._telling = telling
        self._teller: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def open(self) -> None:
        """Begin to write; a database that is away now is found when it is back."""
        await self._pool.open()
        self._writers = [asyncio.create_task(self._write()) for _ in range(WRITERS)]

    async def close(self) -> None:
        """Stop writing; who still waits is told that nothing was stored."""
        if self._trial:
            self._trial.cancel()
        self._closing.set()
        if self._teller:
            await asyncio.wait({self._teller}, timeout=PATIENCE)
        for writer in self._writers:
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer
        while self._waiting:
            _settle(self._waiting.popleft()[1], NotStoredError("the service is shutting down"))
        await self._pool.close()

    async def record(self, delivery_id: str, event: str, body: bytes) -> None:
        """Return when the delivery is committed, or was before.

        Raises `ValueError` for a body that is not the JSON of that event, `NotStoredError` when it could not
        be stored.
        """
        reception = self._route(event, body)
        envelope = Envelope(delivery_id, event, hashlib.sha256(body).digest(), reception)
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((envelope, stored))
        self._arrived.set()
        try:
            async with asyncio.timeout(PATIENCE):
                await stored
        except TimeoutError:
            # One that is under way may be stored yet, and is then known when it is sent again.
            with suppress(ValueError):
                self._waiting.remove((envelope, stored))
            raise NotStoredError(SILENT) from None

    async def unready(self) -> str | None:
        """Why no delivery can be stored now, tried on a connection for deliveries; None where one can."""
        loop = asyncio.get_running_loop()
        if self._trial is None or (self._trial.done() and loop.time() - self._tried_at > TRIAL_LASTS):
            self._trial, self._tried_at = asyncio.create_task(self._try()), loop.time()
        done, _ = await asyncio.wait({self._trial}, timeout=TRIAL_PATIENCE)
        return self._trial.result() if done else SILENT

    async def _try(self) -> str | None:
        try:
            found = await recording.try_out(self._pool)
            if found.read_only:
                return "the database is read-only"
            return UNMIGRATED if is_pending(found.revision) else None
        except NewerSchemaError as error:
            return str(error)
        except psycopg.errors.UndefinedTable:
            return UNMIGRATED
        except (*UNREACHABLE, psycopg.Error) as error:
            log.warning("not ready", error=str(error))
            is_full = isinstance(error, psycopg.errors.DiskFull | psycopg.errors.ConfigurationLimitExceeded)
            return "the database's disk is full" if is_full else "the database is not reachable"

    def refuse(self) -> None:
        """Count a delivery with a wrong signature, which costs nothing else: the sender may be anybody."""
        self._refused += 1
        if self._teller is None or self._teller.done():
            self._teller = asyncio.create_task(self._tell_refused())

    async def _tell_refused(self) -> None:
        """Say how many were refused, at once and then once a minute for as long as there are more."""
        while self._refused and not self._closing.is_set():
            count, self._refused = self._refused, 0
            log.warning(
                "deliveries refused",
                deliveries=count,
                reason="their X-Hub-Signature-256 is missing or not made with GITHUB_WEBHOOK_SECRET",
            )
            try:
                await recording.record_refused(self._pool, count)
            except (*UNREACHABLE, psycopg.Error) as error:
                self._refused += count
                log.warning("refused deliveries not counted", error=str(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), self._telling)

    async def record_evidence(self, claims: Mapping[str, object], body: bytes, trust: Trust) -> Receipt:
        """Return when the numbers of a run are committed; `claims` are those of its verified token.

        Raises `NotTakenError` for what is refused, `NotStoredError` when it could not be stored.
        """
        now = datetime.now(UTC)
        run = _taken(read_run(claims, issuer=trust.issuer, audience=trust.audience, now=now))
        numbers = _taken(read_upload(body, run.environment))
        try:
            # Not cancelled when it takes too long: psycopg would wait for the database once more.
            upload = asyncio.ensure_future(self._upload(run, numbers, f"{trust.web_url}/{run.path}"))
            if not (await asyncio.wait({upload}, timeout=PATIENCE))[0]:
                upload.add_done_callback(lambda late: late.cancelled() or late.exception())
                raise NotStoredError(SILENT)
            refused = upload.result()
        except UNREACHABLE as error:
            log.warning("evidence not stored", error=str(error))
            raise NotStoredError("the database is not reachable") from error
        except psycopg.Error as error:
            log.error("evidence refused by the database", run=run.source_id, error=str(error))  # noqa: TRY400 (it is its own explanation)
            raise NotStoredError("the database refused it") from error
        _taken(refused)
        vouched = all(number.level(run.environment) is Level.MEASURED for number in numbers)
        return Receipt(len(numbers), run.speaks_for, Level.MEASURED if vouched else Level.SELF_REPORTED)

    async def _upload(self, run: WorkflowRun, numbers: Sequence[Sent], url: str) -> Refused | None:
        async with self._uploading:
            return await record_upload(self._pool, run, numbers, url)

    async def _write(self) -> None:
        while True:
            await self._arrived.wait()
            await asyncio.sleep(GATHERING)
            group = [self._waiting.popleft() for _ in range(min(GROUP, len(self._waiting)))]
            if not self._waiting:
                self._arrived.clear()
            if group:
                await self._commit(group)

    async def _commit(self, group: Sequence[tuple[Envelope, asyncio.Future[None]]]) -> None:
        try:
            await recording.record(self._pool, [envelope for envelope, _ in group])
        except asyncio.CancelledError:
            for _, stored in group:
                _settle(stored, NotStoredError("the service is shutting down"))
            raise
        except UNREACHABLE as error:
            log.warning("deliveries not stored", deliveries=len(group), error=str(error))
            for _, stored in group:
                _settle(stored, NotStoredError("the database is not reachable"))
        except (psycopg.DataError, UnicodeEncodeError) as error:
            # The database would refuse it each time: GitHub must not deliver it for three days.
            said = str(error).splitlines()[0]
            await self._commit_apart(group, ValueError(f"a value in it can't be stored: {said}"))
        except Exception as error:  # noqa: BLE001 (a writer that ends would leave every sender waiting)
            await self._commit_apart(group, error)
        else:
            for _, stored in group:
                _settle(stored, None)

    async def _commit_apart(
        self, group: Sequence[tuple[Envelope, asyncio.Future[None]]], error: Exception
    ) -> None:
        """One delivery that the database refuses must not take the others of its group with it."""
        if len(group) > 1:
            for member in group:
                await self._commit([member])
            return
        envelope, stored = group[0]
        log.error("delivery refused by the database", delivery=envelope.delivery_id, error=str(error))
        is_nonsense = isinstance(error, ValueError)
        _settle(stored, error if is_nonsense else NotStoredError("the database refused this delivery"))


def _taken(read: T | Refused) -> T:
    if isinstance(read, Refused):
        raise NotTakenError(read)
    return read


def _settle(stored: asyncio.Future[None], error: Exception | None) -> None:
    if stored.done():
        return
    if error is None:
        stored.set_result(None)
    else:
        stored.set_exception(error)
