"""Labels, officers' links and lockouts"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0040"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "label",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("case_id", NUMBER, nullable=False),
        sa.Column("photo_id", NUMBER, nullable=False),
        sa.Column("officer_id", NUMBER, nullable=False),
        sa.Column("label", sa.String(length=24), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        sa.Column("machine_label", sa.String(length=24), nullable=True),
        sa.Column("machine_confidence", sa.Float(), nullable=True),
        sa.Column("plot_digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["case_.id"], name=op.f("fk_label_case_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photo.id"], name=op.f("fk_label_photo_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_label_officer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label")),
        sa.UniqueConstraint("photo_id", "officer_id", name=op.f("uq_label_photo_id_officer_id")),
    )
    op.create_index(op.f("ix_label_case_id"), "label", ["case_id"])
    op.create_index("ix_label_updated", "label", ["updated_at"])
    op.create_table(
        "officer_link",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("officer_id", NUMBER, nullable=False),
        sa.Column("case_id", NUMBER, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["case_.id"], name=op.f("fk_officer_link_case_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["officer_id"], ["officer.id"], name=op.f("fk_officer_link_officer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_officer_link")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_officer_link_token_digest")),
    )
    op.create_index(op.f("ix_officer_link_case_id"), "officer_link", ["case_id"])
    op.create_table(
        "lockout",
        sa.Column("door", sa.String(length=64), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("locked_until", INSTANT, nullable=True),
        sa.Column("tried_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("door", name=op.f("pk_lockout")),
    )
    op.create_index(op.f("ix_lockout_tried_at"), "lockout", ["tried_at"])
    op.create_index("ix_case_area_created", "case_", ["area", "created_at"])


def downgrade() -> None:
    op.drop_index("ix_case_area_created", "case_")
    op.drop_table("lockout")
    op.drop_table("officer_link")
    op.drop_table("label")
