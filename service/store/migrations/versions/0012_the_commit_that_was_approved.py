"""The commit that was approved"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa


revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('signature', sa.Column('commit_sha', sa.Text(), nullable=True))
    op.add_column('merge_base', sa.Column('ahead', sa.Integer(), nullable=True))
    # A review names its commit; who opened a pull request signed the head that stands in the source.
    op.execute("""
    UPDATE signature s SET commit_sha = f.detail::jsonb ->> 'commit_id'
    FROM poc p JOIN fact f ON f.kind = 'reviewed'
        AND f.subject LIKE 'pull_request:' || p.repository_id || ':%'
    WHERE p.id = s.poc_id AND s.source = 'review:' || (f.detail::jsonb ->> 'id')
    """)
    op.execute("""
    UPDATE signature SET commit_sha = split_part(source, ':', 3)
    WHERE source LIKE 'opened:%' AND split_part(source, ':', 3) <> ''
    """)
