"""People who share a phone"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0190"
down_revision = "0180"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "profile",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("farmer_id", sa.String(32), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.String(2), nullable=True),
        sa.Column("consent_at", INSTANT, nullable=True),
        sa.Column("consent_version", sa.String(16), nullable=True),
        sa.Column("consent_by", sa.String(40), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["farmer_id"], ["farmer.id"], name=op.f("fk_profile_farmer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profile")),
    )
    op.create_index(op.f("ix_profile_farmer_id"), "profile", ["farmer_id"])


def downgrade() -> None:
    op.drop_table("profile")
