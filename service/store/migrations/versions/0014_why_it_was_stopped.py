"""The class of the reason why a POC was stopped, to be counted"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa


revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('poc', sa.Column('stop_cause', sa.Text(), nullable=True))
