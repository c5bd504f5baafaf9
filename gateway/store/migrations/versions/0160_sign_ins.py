"""Sign-ins of operators and officers"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0160"
down_revision = "0155"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "sign_in",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("person_id", NUMBER, nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("stamp", sa.String(length=12), nullable=False),
        sa.Column("browser", sa.String(length=40), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_sign_in_token_digest")),
    )
    op.create_index("ix_sign_in_person", "sign_in", ["role", "person_id"])
    op.create_index(op.f("ix_sign_in_ends_at"), "sign_in", ["ends_at"])


def downgrade() -> None:
    op.drop_table("sign_in")
