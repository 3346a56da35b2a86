"""The tables of the installation itself: the app, whom /setup lets in, and when it was last backed up."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, LargeBinary, Text
from sqlmodel import Field, SQLModel

from service.store.tables import NOW, big, moment


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
