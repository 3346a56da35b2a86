"""Who stands behind a pull request, and who is named as a commit's co-author"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql


revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('pull_request', sa.Column('behind', sa.Text(), server_default='', nullable=False))
    op.execute("""
    UPDATE pull_request SET behind = author
    WHERE lower(author) !~ '(\\[bot\\]|-bot)$' AND lower(author) NOT IN ('copilot', 'copilot-swe-agent')
    """)
    op.add_column(
        'known_commit',
        sa.Column('co_authors', postgresql.ARRAY(sa.Text()), server_default='{}', nullable=False),
    )
