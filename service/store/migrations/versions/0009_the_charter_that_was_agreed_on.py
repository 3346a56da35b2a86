"""The charter that was agreed on"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa


revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('poc', sa.Column('agreed_blob_sha', sa.Text(), nullable=True))
    op.add_column('poc', sa.Column('agreed_data', sa.LargeBinary(), nullable=True))
    # What stands on the default branch today was compared with nothing before it.
    op.execute("""
    UPDATE poc p SET agreed_blob_sha = r.charter_blob_sha, agreed_data = r.charter_data
    FROM repository r
    WHERE r.id = p.repository_id AND r.charter_kind = 'file' AND r.chartered_at IS NOT NULL
        AND r.charter_data IS NOT NULL
    """)
