"""`poc-governor record`: the record of one POC, read from the database."""

from __future__ import annotations

from datetime import datetime

from service.cli.environment import refuse
from service.pages.record import in_json, in_markdown, record_of
from service.store.database import Database, connected
from service.store.records import Records
from service.store.schema import pending


def printed(database_url: str, repository: str, form: str, as_of: datetime) -> str | None:
    """The record as Markdown or JSON; None where no POC is known under that name."""
    with connected(database_url) as engine:
        if pending(engine):
            refuse(
                "the database's tables aren't those of this version: "
                "`serve` and `work` bring them up to date at their start"
            )
        records = Records(Database(engine))
        poc_id = records.named(repository)
        if poc_id is None:
            return None
        record = record_of(records.of(poc_id), as_of)
    return in_markdown(record) if form == "md" else in_json(record)
