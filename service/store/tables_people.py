"""The tables of who is logged in. Secrets are hashed, or encrypted with SECRET_KEY."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from service.store.tables import NOW, big, moment


def numbers() -> Column[list[int]]:
    """A column for a set of GitHub's ids."""
    return Column(ARRAY(BigInteger), nullable=False, server_default=text("'{}'"))


def whose() -> Column[int]:
    """A column for a person, with whom the row goes."""
    return Column(BigInteger, ForeignKey("person.id", ondelete="CASCADE"), nullable=False, index=True)


class PersonRow(SQLModel, table=True):
    """Somebody who logged in: their tokens, and what GitHub said they see."""

    __tablename__ = "person"

    id: int = big(primary_key=True, sa_column_kwargs={"autoincrement": False})
    login: str = Field(sa_type=Text)
    access_token: bytes = Field(sa_type=LargeBinary)
    access_ends: datetime | None = moment(default=None)
    refresh_token: bytes | None = Field(default=None, sa_type=LargeBinary)
    refresh_ends: datetime | None = moment(default=None)
    visible: list[int] = Field(sa_column=numbers())
    """The repositories of POCs that they see; while `seen_at` is null, as far as was asked."""
    rows_of: list[int] = Field(sa_column=numbers())
    """The installations whose POCs they see as rows."""
    refused: list[int] = Field(sa_column=numbers())
    """What was refused since the question under way began."""
    seen_at: datetime | None = moment(default=None)
    asking_since: datetime | None = moment(default=None)


class SessionRow(SQLModel, table=True):
    """A browser in which somebody is logged in; the cookie holds what `hash` is made of."""

    __tablename__ = "session"

    hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    person_id: int = Field(sa_column=whose())
    made_at: datetime = moment(sa_column_kwargs={"server_default": NOW})
    ends_at: datetime = moment()


class PersonalTokenRow(SQLModel, table=True):
    """A token with which a machine reads what somebody sees; `hash` is made of it."""

    __tablename__ = "personal_token"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    hash: bytes = Field(sa_type=LargeBinary, unique=True)
    person_id: int = Field(sa_column=whose())
    name: str = Field(sa_type=Text)
    made_at: datetime = moment()
    ends_at: datetime = moment()
    used_at: datetime | None = moment(default=None)
