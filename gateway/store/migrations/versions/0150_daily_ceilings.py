"""Daily ceilings, and a kiosk's token of before"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0150"
down_revision = "0140"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "spending",
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.PrimaryKeyConstraint("scope", "day", name="pk_spending"),
    )
    op.create_index("ix_spending_day", "spending", ["day"])
    # Plain statements: a batch would copy the whole table on SQLite.
    op.add_column("kiosk", sa.Column("old_token_digest", sa.String(length=64), nullable=True))
    op.add_column("kiosk", sa.Column("old_token_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_kiosk_old_token_digest", "kiosk", ["old_token_digest"])


def downgrade() -> None:
    op.drop_index("ix_kiosk_old_token_digest", "kiosk")
    op.drop_column("kiosk", "old_token_until")
    op.drop_column("kiosk", "old_token_digest")
    op.drop_index("ix_spending_day", "spending")
    op.drop_table("spending")
