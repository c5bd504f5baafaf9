"""Kiosk devices"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0030"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "kiosk_device",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("kiosk_id", NUMBER, nullable=False),
        sa.Column("code_digest", sa.String(length=64), nullable=False),
        sa.Column("code_ends_at", INSTANT, nullable=False),
        sa.Column("browser_digest", sa.String(length=64), nullable=True),
        sa.Column("paired_at", INSTANT, nullable=True),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["kiosk_id"], ["kiosk.id"], name=op.f("fk_kiosk_device_kiosk_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kiosk_device")),
        sa.UniqueConstraint("code_digest", name=op.f("uq_kiosk_device_code_digest")),
    )
    op.create_index(op.f("ix_kiosk_device_kiosk_id"), "kiosk_device", ["kiosk_id"])


def downgrade() -> None:
    op.drop_table("kiosk_device")
