"""Screens of a USSD session"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0080"
down_revision = "0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Plain statements: a batch would copy the whole table on SQLite.
    screens = sa.Column("screens", sa.String(length=1000), server_default="", nullable=False)
    op.add_column("ussd_session", screens)


def downgrade() -> None:
    op.drop_column("ussd_session", "screens")
