"""A subject says when it is to be looked at again: those that are there, with the next sweep"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa


revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('subject', sa.Column('next_look_at', sa.DateTime(timezone=True), nullable=True))
