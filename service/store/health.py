"""How the queue and its workers do, and when the last backup was: asked by /readyz, /metrics and doctor."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.dialects.postgresql import insert

from service.store.tables_people import LastBackupRow


@dataclass(frozen=True, slots=True)
class Health:
    """Ages are in seconds; None where there is nothing to have an age."""

    last_delivery_at: datetime | None
    workers: int
    heartbeat_age: float | None
    dirty: int
    queue_age: float | None
    dead: tuple[tuple[str, str], ...]
    dead_count: int
    last_backup_at: datetime | None

    def as_json(self) -> dict[str, Any]:
        """For /readyz."""
        values = asdict(self)
        for name in ("last_delivery_at", "last_backup_at"):
            values[name] = values[name].isoformat() if values[name] else None
        del values["dead"]  # names of repositories are not for everybody who reaches /readyz
        return values


@dataclass(frozen=True, slots=True)
class Refusals:
    """Deliveries with a wrong signature in the last day; `in_vain` if none was taken since."""

    deliveries: int
    since: datetime
    last: datetime
    in_vain: bool


REFUSED = text("""
SELECT sum(deliveries), min(minute), max(minute),
    max(minute) > coalesce((SELECT max(received_at) FROM delivery), '-infinity')
FROM refused WHERE minute > now() - interval '1 day'
""")


def refusals(engine: Engine) -> Refusals | None:
    """What was refused lately; None where nothing was."""
    with engine.connect() as connection:
        found = connection.execute(REFUSED).one()
    return Refusals(int(found[0]), *found[1:]) if found[0] else None


COUNTS = text("""
SELECT
    (SELECT max(received_at) FROM delivery) AS last_delivery_at,
    (SELECT count(*) FROM procrastinate_workers
     WHERE last_heartbeat > now() - interval '60 seconds') AS workers,
    (SELECT extract(epoch FROM now() - max(last_heartbeat)) FROM procrastinate_workers) AS heartbeat_age,
    (SELECT count(*) FROM subject WHERE wanted > done) AS dirty,
    (SELECT extract(epoch FROM now() - min(greatest(touched, not_before))) FROM subject
     WHERE wanted > done AND (not_before IS NULL OR not_before < now())) AS queue_age,
    (SELECT count(*) FROM subject WHERE dead_since IS NOT NULL) AS dead_count,
    (SELECT made_at FROM last_backup) AS last_backup_at
""")

CALLS_LEFT = text("""
SELECT id, calls_remaining FROM installation
WHERE deleted_at IS NULL AND calls_remaining IS NOT NULL AND calls_reset_at > now() ORDER BY id
""")


def calls_left(engine: Engine) -> list[tuple[int, int]]:
    """Installations that GitHub answered within the hour, and how many calls each had left."""
    with engine.connect() as connection:
        return [(row.id, row.calls_remaining) for row in connection.execute(CALLS_LEFT)]


DEAD = text("""
SELECT key, coalesce(last_error, '') AS reason FROM subject
WHERE dead_since IS NOT NULL ORDER BY dead_since DESC LIMIT 20
""")


def health(engine: Engine) -> Health:
    """Ask the database; raises what SQLAlchemy raises when it is away."""
    with engine.connect() as connection:
        counts = connection.execute(COUNTS).one()
        dead = tuple((row.key, row.reason) for row in connection.execute(DEAD))
    return Health(
        last_delivery_at=counts.last_delivery_at,
        workers=counts.workers,
        heartbeat_age=None if counts.heartbeat_age is None else float(counts.heartbeat_age),
        dirty=counts.dirty,
        queue_age=None if counts.queue_age is None else float(counts.queue_age),
        dead=dead,
        dead_count=counts.dead_count,
        last_backup_at=counts.last_backup_at,
    )


def note(engine: Engine, at: datetime) -> None:
    """Remember it."""
    statement = insert(LastBackupRow).values(id=1, made_at=at)
    with engine.begin() as connection:
        connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"made_at": at}))
