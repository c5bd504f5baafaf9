"""Where a session agreed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0120"
down_revision = "0090"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Plain statements: a batch would copy the whole table on SQLite.
    op.add_column("farmer", sa.Column("consent_path", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("farmer", "consent_path")
