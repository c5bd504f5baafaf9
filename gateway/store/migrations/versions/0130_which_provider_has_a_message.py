"""Which provider has a message"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0130"
down_revision = "0120"
branch_labels = None
depends_on = None

FIRST = "africastalking"
"""The only one there was: whose the rows are that are there, and those that a program of before
this migration still writes."""


def upgrade() -> None:
    # Plain statements: a batch would copy the whole table on SQLite.
    for table in ("message", "delivery_report"):
        provider = sa.Column("provider", sa.String(length=24), server_default=FIRST, nullable=False)
        op.add_column(table, provider)


def downgrade() -> None:
    for table in ("message", "delivery_report"):
        op.drop_column(table, "provider")
