"""The database: the only importer of SQLModel, Alembic and psycopg."""
