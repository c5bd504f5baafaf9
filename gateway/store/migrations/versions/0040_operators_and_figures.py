"""Operators, broadcasts and what figures read"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "operator",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("totp_secret", sa.LargeBinary(), nullable=False),
        sa.Column("totp_step", sa.Integer(), nullable=False),
        sa.Column("recovery", sa.JSON(), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator")),
        sa.UniqueConstraint("name", name=op.f("uq_operator_name")),
    )
    op.create_table(
        "broadcast",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("area", sa.String(length=80), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("farmers", sa.Integer(), nullable=False),
        sa.Column("posted", sa.Integer(), nullable=False),
        sa.Column("reached", sa.String(length=32), nullable=False),
        sa.Column(
            "drafted_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "decided_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["operator.id"], name=op.f("fk_broadcast_decided_by")
        ),
        sa.ForeignKeyConstraint(
            ["drafted_by"], ["operator.id"], name=op.f("fk_broadcast_drafted_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast")),
    )
    with op.batch_alter_table("broadcast", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_broadcast_state"), ["state"], unique=False)

    with op.batch_alter_table("case_", schema=None) as batch_op:
        batch_op.create_index(
            "ix_case_figures", ["created_at", "verdict", "label", "area"], unique=False
        )

    with op.batch_alter_table("diagnosis", schema=None) as batch_op:
        batch_op.create_index(
            "ix_diagnosis_figures", ["created_at", "verdict", "confidence"], unique=False
        )

    with op.batch_alter_table("escalation", schema=None) as batch_op:
        batch_op.create_index("ix_escalation_opened", ["opened_at"], unique=False)

    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("ix_event_actor_at", ["actor", "at"], unique=False)

    with op.batch_alter_table("farmer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_farmer_area"), ["area"], unique=False)

    with op.batch_alter_table("kiosk", schema=None) as batch_op:
        batch_op.add_column(sa.Column("latitude", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("longitude", sa.Float(), nullable=True))

    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index("ix_message_cost", ["sent_at", "currency", "cost"], unique=False)
        batch_op.create_index("ix_message_final", ["state", "final_at"], unique=False)

    with op.batch_alter_table("officer", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("work_days", sa.String(length=7), nullable=False, server_default="1234567")
        )
        batch_op.add_column(
            sa.Column(
                "work_hours", sa.String(length=11), nullable=False, server_default="00:00-24:00"
            )
        )

    with op.batch_alter_table("photo", schema=None) as batch_op:
        batch_op.create_index("ix_photo_received", ["received_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("photo", schema=None) as batch_op:
        batch_op.drop_index("ix_photo_received")

    with op.batch_alter_table("officer", schema=None) as batch_op:
        batch_op.drop_column("work_hours")
        batch_op.drop_column("work_days")

    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index("ix_message_final")
        batch_op.drop_index("ix_message_cost")

    with op.batch_alter_table("kiosk", schema=None) as batch_op:
        batch_op.drop_column("longitude")
        batch_op.drop_column("latitude")

    with op.batch_alter_table("farmer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_farmer_area"))

    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index("ix_event_actor_at")

    with op.batch_alter_table("escalation", schema=None) as batch_op:
        batch_op.drop_index("ix_escalation_opened")

    with op.batch_alter_table("diagnosis", schema=None) as batch_op:
        batch_op.drop_index("ix_diagnosis_figures")

    with op.batch_alter_table("case_", schema=None) as batch_op:
        batch_op.drop_index("ix_case_figures")

    with op.batch_alter_table("broadcast", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_broadcast_state"))

    op.drop_table("broadcast")
    op.drop_table("operator")
