"""Pull requests are listed, and merged is a state"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa


revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('poc', sa.Column('pulls_listed_at', sa.DateTime(timezone=True), nullable=True))
    # A ship request whose pull request was closed without being merged was taken back, or is about to be.
    op.execute("""
    UPDATE pull_request p SET state = 'merged' FROM poc
    WHERE poc.repository_id = p.repository_id AND poc.ship_request = p.number AND p.state = 'closed'
    AND NOT EXISTS (
        SELECT 1 FROM fact WHERE kind = 'closed-unmerged' AND answered_at IS NULL
        AND subject = 'pull_request:' || p.repository_id || ':' || p.number
    )
    """)
    op.execute("DELETE FROM fact WHERE kind = 'closed-unmerged'")
