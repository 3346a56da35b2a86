"""The tables of who is logged in, of the app, whom /setup lets in, and the last backup.

Secrets are hashed, or encrypted with SECRET_KEY.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Identity, LargeBinary, Text, text
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


class AppCredentialsRow(SQLModel, table=True):
    """The one app that this service is, where it isn't in the environment; its secrets are encrypted."""

    __tablename__ = "app_credentials"
    __table_args__ = (CheckConstraint("id = 1", name="app_credentials_one"),)

    id: int = Field(default=1, primary_key=True)
    app_id: int = big()
    sealed: bytes = Field(sa_type=LargeBinary)
    stored_at: datetime = moment(sa_column_kwargs={"server_default": NOW})


class SetupPassRow(SQLModel, table=True):
    """A token, a browser or a registration under way that /setup lets in; only a hash is kept."""

    __tablename__ = "setup_pass"

    hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    purpose: str = Field(sa_type=Text)
    ends_at: datetime = moment()


class LastBackupRow(SQLModel, table=True):
    """When the database was last backed up, as the backup's file says."""

    __tablename__ = "last_backup"
    __table_args__ = (CheckConstraint("id = 1", name="last_backup_one"),)

    id: int = Field(default=1, primary_key=True)
    made_at: datetime = moment()
