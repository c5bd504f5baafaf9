"""Repairs, and what counts as a failed try of a photo"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "repair",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sweep", sa.String(length=40), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repair")),
    )
    with op.batch_alter_table("repair", schema=None) as batch_op:
        batch_op.create_index("ix_repair_sweep_at", ["sweep", "at"], unique=False)
    # Both databases know this statement; a batch would copy the whole table on SQLite.
    op.execute("ALTER TABLE photo RENAME COLUMN queued_at TO failed_at")
    op.execute("UPDATE photo SET failed_at = NULL, attempts = 0 WHERE diagnosed_at IS NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE photo RENAME COLUMN failed_at TO queued_at")
    op.drop_table("repair")
