"""Leave of officers"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0155"
down_revision = "0150"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Plain statements: a batch would copy the whole table on SQLite.
    op.add_column("officer", sa.Column("away_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("officer", "away_until")
