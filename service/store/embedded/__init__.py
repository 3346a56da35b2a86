"""PostgreSQL for DATA_DIR: started, kept and stopped by us, over the programs of a wheel (ADR 0002).

- lock.py        who holds DATA_DIR, and where its server answers
- programs.py    the wheel's programs, the account they run under, what blocks that account's way
- launch.py      drops root, asks for SIGINT when the parent dies, becomes the program
- cluster.py     the cluster's folder: made whole or not at all, cleared of what dead servers leave
- supervisor.py  EmbeddedPostgres, join, open_database
"""

from __future__ import annotations

import sys

from service.store.embedded.cluster import note_moved
from service.store.embedded.lock import DataDirInUse
from service.store.embedded.programs import PostgresFailed
from service.store.embedded.supervisor import EmbeddedPostgres, has_database, join, open_database

if sys.platform == "win32":
    raise ImportError("The embedded PostgreSQL does not run on Windows: set DATABASE_URL to a server.")


__all__ = [
    "DataDirInUse",
    "EmbeddedPostgres",
    "PostgresFailed",
    "has_database",
    "join",
    "note_moved",
    "open_database",
]
