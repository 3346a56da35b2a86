"""A delivery's id has 16 bytes, in the order of time"""

from __future__ import annotations

from alembic import op


revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # As `service/store/subjects.py` had it.
    op.execute("""
        ALTER TABLE delivery ALTER COLUMN delivery_id TYPE uuid USING (CASE
            WHEN delivery_id !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                THEN encode(substr(sha256(convert_to(delivery_id, 'UTF8')), 1, 16), 'hex')
            WHEN substr(delivery_id, 15, 1) = '1'
                THEN substr(delivery_id, 16, 3) || substr(delivery_id, 10, 4) || substr(delivery_id, 1, 5)
                    || '6' || substr(delivery_id, 6, 3) || substr(delivery_id, 19)
            ELSE delivery_id
        END)::uuid
    """)
