"""Photos that come in one go"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0070"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Plain statements: a batch would copy the whole table on SQLite.
    op.execute("ALTER TABLE photo ADD COLUMN following INTEGER DEFAULT 0 NOT NULL")
    op.create_index(
        "ix_photo_following",
        "photo",
        ["received_at"],
        sqlite_where=sa.text("following > 0"),
        postgresql_where=sa.text("following > 0"),
    )


def downgrade() -> None:
    op.drop_index("ix_photo_following", "photo")
    op.execute("ALTER TABLE photo DROP COLUMN following")
