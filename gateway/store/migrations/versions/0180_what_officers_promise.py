"""What officers promise"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0180"
down_revision = "0170"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Plain statements: a batch would copy the whole table on SQLite.
    op.add_column("escalation", sa.Column("promised", sa.String(8), nullable=True))
    op.add_column("escalation", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("escalation", "due_at")
    op.drop_column("escalation", "promised")
