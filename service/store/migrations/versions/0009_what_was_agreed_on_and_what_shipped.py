"""The charter that was agreed on, and what shipped"""

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
    op.create_table('shipment',
    sa.Column('poc_id', sa.BigInteger(), nullable=False),
    sa.Column('environment', sa.Text(), nullable=False),
    sa.Column('sha', sa.Text(), nullable=False),
    sa.Column('tree_sha', sa.Text(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('poc_id', 'environment', 'sha')
    )
    # Where it shipped to is told by the deployments of that commit; of a POC that stopped nothing may ship again.
    op.execute("""
    INSERT INTO shipment (poc_id, environment, sha, at)
    SELECT DISTINCT p.id, lower(f.detail::jsonb ->> 'environment'), p.shipped_sha, p.shipped_at
    FROM poc p JOIN fact f ON f.subject = 'repository:' || p.repository_id AND f.kind = 'deployed'
    WHERE p.shipped_at IS NOT NULL AND p.state <> 'stopped' AND f.detail::jsonb ->> 'sha' = p.shipped_sha
        AND (p.environment IS NULL OR lower(f.detail::jsonb ->> 'environment') = lower(p.environment))
    """)
    # Nothing is held any more where a POC has stopped: from now on product signs that.
    op.execute("UPDATE poc SET environment = NULL WHERE state = 'stopped'")
