"""Alembic's revisions of the database; `migrate` brings it to the newest."""
