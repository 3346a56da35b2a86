"""The tables of who is waited for, of the organisation's policy, and of what was said when."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Identity, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from service.rules.values.subjects import PocId
from service.store.tables import NOW, big, flag, moment


class PolicyRow(SQLModel, table=True):
    """An organisation's policy file as it is, and the last text of it that could be read.

    `findings` say what is wrong with the present text; `good_text` is in force.
    """

    __tablename__ = "policy"

    installation_id: int = big(primary_key=True)
    repository_id: int = big()
    blob_sha: str | None = Field(default=None, sa_type=Text)
    good_blob_sha: str | None = Field(default=None, sa_type=Text)
    good_text: str | None = Field(default=None, sa_type=Text)
    findings: list[dict[str, Any]] = Field(sa_type=JSONB, sa_column_kwargs={"server_default": "[]"})
    broken_since: datetime | None = moment(default=None)
    read_at: datetime = moment()


class TurnRow(SQLModel, table=True):
    """Since when whom a POC waited for; a row for each time that the ball moved, never changed."""

    __tablename__ = "turn"
    __table_args__ = (Index("turn_poc", "poc_id", "id"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    poc_id: PocId = big()
    party: str = Field(sa_type=Text)
    wants: str = Field(sa_type=Text)
    for_group: str | None = Field(default=None, sa_type=Text)
    people: list[str] = Field(sa_type=ARRAY(Text))
    number: int | None = Field(default=None)
    about: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    since: datetime = moment()
    recorded_at: datetime = moment(sa_column_kwargs={"server_default": NOW})


class ShipDateRow(SQLModel, table=True):
    """A ship date that the default branch's charter named, and since when."""

    __tablename__ = "ship_date"
    __table_args__ = (Index("ship_date_poc", "poc_id", "id"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    poc_id: PocId = big()
    ship_by: date = Field()
    at: datetime = moment()


class RestRow(SQLModel, table=True):
    """A pause of the charter, or a snooze, that was once in force; `source` is the blob or the comment."""

    __tablename__ = "rest"

    poc_id: PocId = big(primary_key=True)
    source: str = Field(sa_type=Text, primary_key=True)
    first: date = Field()
    until: date = Field()
    reason: str = Field(sa_type=Text)
    actor: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    at: datetime = moment()


class BlockerRow(SQLModel, table=True):
    """An issue that was named as what a POC waits for, as GitHub last showed it.

    One that no command named counts while the charter names it.
    """

    __tablename__ = "blocker"

    poc_id: PocId = big(primary_key=True)
    reference: str = Field(sa_type=Text, primary_key=True)
    named_at: datetime = moment()
    commanded: bool = flag()
    open: bool = flag(default=True)
    assignees: list[str] = Field(sa_type=ARRAY(Text))
    read_at: datetime | None = moment(default=None)


class DigestRow(SQLModel, table=True):
    """A week's digest as it was composed for one place; its message tells whether it was heard there.

    `body` is null where there was nothing to say, `told` names what it tells of.
    """

    __tablename__ = "digest"

    installation_id: int = big(primary_key=True)
    channel: str = Field(sa_type=Text, primary_key=True)
    week: str = Field(sa_type=Text, primary_key=True)
    repository_id: int = big()
    key: str = Field(sa_type=Text)
    public: bool = flag()
    composed_at: datetime = moment()
    body: str | None = Field(default=None, sa_type=Text)
    told: list[str] = Field(sa_type=ARRAY(Text))


class WriteSlot(SQLModel, table=True):
    """A moment that a content write of an installation was given; no two are closer than GitHub likes."""

    __tablename__ = "write_slot"
    __table_args__ = (Index("write_slot_installation", "installation_id", "at"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    installation_id: int = big()
    subject: str = Field(sa_type=Text)
    at: datetime = moment()
    used: bool = flag()
