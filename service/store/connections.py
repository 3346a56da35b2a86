"""How many connections each process takes, at most, and whether PostgreSQL has room for them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, text

MOST_LOOKS = 8
"""Looks at a time of one worker; they wait for GitHub most of the time."""
LEAST, USUAL = 8, 22
"""Of a worker's connections: with the least it looks at two subjects at a time, with the usual at eight."""
RECEIVING, ASKING = 4, 4
"""Of a process of the web: for what it stores, and for pages, /readyz, /metrics and migrations."""
WEB = RECEIVING + ASKING
LISTENING = 1
"""On which Procrastinate hears of new jobs."""


@dataclass(frozen=True, slots=True)
class Share:
    """How a worker divides its connections."""

    looks: int
    """At a time."""
    pool: int
    """For reconciliations: two each, that of its lock and another. Two more so that one can always go on:
    while it writes to GitHub, it takes a third for a moment."""
    queue: int
    """For jobs and heartbeats."""

    @property
    def connections(self) -> int:
        """All of them."""
        return self.pool + self.queue + LISTENING


def share(connections: int) -> Share:
    """Divide a worker's connections."""
    looks = min(MOST_LOOKS, (connections - LISTENING - 3) // 2)
    pool = 2 * looks + 2
    return Share(looks, pool, min(3, connections - LISTENING - pool))


ROOM = text("""
SELECT current_setting('max_connections')::int,
    current_setting('superuser_reserved_connections')::int
        + coalesce(current_setting('reserved_connections', true)::int, 0),
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'
     AND pid <> pg_backend_pid())
""")


@dataclass(frozen=True, slots=True)
class Room:
    """What PostgreSQL takes, and what others use of it now."""

    most: int
    reserved: int
    used: int

    def lacking(self, wanted: int) -> str:
        """Why there is no room for this many more, and what to change; empty where there is."""
        free = self.most - self.reserved
        if wanted <= free - self.used:
            return ""
        in_use = f", and {self.used} are in use" if wanted <= free else ""
        return (
            f"up to {wanted} connections are wanted here, but PostgreSQL takes {self.most}, {self.reserved} "
            f"of them for its own administrators{in_use}: raise its max_connections, lower "
            f"DATABASE_CONNECTIONS (to {LEAST} at least) or WEB_PROCESSES, or run fewer processes"
        )


def room(engine: Engine) -> Room:
    """Ask PostgreSQL."""
    with engine.connect() as connection:
        most, reserved, used = connection.execute(ROOM).one()
    return Room(most, reserved, used)
