"""Key ring and erasures"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0140"
down_revision = "0130"
branch_labels = None
depends_on = None

SEALED_NOW = (("farmer", "place"), ("case_", "place"), ("officer", "name"))


def upgrade() -> None:
    op.create_table(
        "seal_key",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("lasting", sa.LargeBinary(), nullable=False),
        sa.Column("photos_done", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_seal_key"),
    )
    op.create_table(
        "erasure",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number_digest", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_erasure"),
        sa.UniqueConstraint("number_digest", "at", name="uq_erasure_number_digest_at"),
    )
    # Plain statements: a batch would copy the whole table on SQLite.
    op.add_column("photo", sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_photo_address", "photo", ["address"])
    op.create_index("ix_ussd_session_address", "ussd_session", ["address_digest"])
    op.create_index("ix_delivery_report_address", "delivery_report", ["address_digest"])
    if op.get_bind().dialect.name == "postgresql":
        # Sealed text is longer. PostgreSQL rewrites nothing for it; SQLite keeps no lengths.
        for table, column in SEALED_NOW:
            op.alter_column(table, column, type_=sa.String())


def downgrade() -> None:
    op.drop_index("ix_delivery_report_address", "delivery_report")
    op.drop_index("ix_photo_address", "photo")
    op.drop_column("photo", "gone_at")
    op.drop_index("ix_ussd_session_address", "ussd_session")
    op.drop_table("erasure")
    op.drop_table("seal_key")
