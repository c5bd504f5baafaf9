"""Sweeps that scale"""

from __future__ import annotations

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0170"
down_revision = "0160"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_case_person", "case_", "updated_at", "forgotten_at IS NULL"),
    ("ix_escalation_open", "escalation", "id", "closed_at IS NULL"),
    ("ix_message_person", "message", "created_at", "address_digest <> ''"),
    ("ix_delivery_report_received_at", "delivery_report", "received_at", None),
    ("ix_media_message_received_at", "media_message", "received_at", None),
    ("ix_ussd_session_ended_at", "ussd_session", "ended_at", None),
    ("ix_farmer_created_at", "farmer", "created_at", None),
    ("ix_officer_area_key", "officer", "area_key", None),
)
INVALID = """
SELECT 1 FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE relname = '{}' AND NOT indisvalid AND pg_table_is_visible(pg_class.oid)
"""


def upgrade() -> None:
    """Every step may be found done: on PostgreSQL one that fails leaves those before it."""
    op.create_table(
        "loose_photo",
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("address", name="pk_loose_photo"),
        if_not_exists=True,
    )
    op.create_index("ix_loose_photo_since", "loose_photo", ["since"], if_not_exists=True)
    op.create_table(
        "house_fact",
        sa.Column("name", sa.String(24), nullable=False),
        sa.Column("value", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_house_fact"),
        if_not_exists=True,
    )
    op.create_table(
        "sweep_turn",
        sa.Column("sweep", sa.String(40), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("sweep", name="pk_sweep_turn"),
        if_not_exists=True,
    )
    op.create_table(
        "beat",
        sa.Column("process", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("host", sa.String(80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("process", name="pk_beat"),
        if_not_exists=True,
    )
    _add("case_", sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True))
    _add("officer", sa.Column("area_key", sa.String(160), nullable=True))
    connection = op.get_bind()
    connection.execute(
        sa.text(
            "UPDATE case_ SET forgotten_at = updated_at WHERE forgotten_at IS NULL "
            "AND farmer_id IN ('nobody', 'nobody-who-trains')"
        )
    )
    for number, area in connection.execute(sa.text("SELECT id, area FROM officer")).all():
        update = sa.text("UPDATE officer SET area_key = :key WHERE id = :id")
        connection.execute(update, {"key": _key(area), "id": number})
    # Its cause says now whose spool it is.
    connection.execute(
        sa.text(
            "UPDATE incident SET closed_at = seen_at "
            "WHERE cause = 'spool:failed' AND closed_at IS NULL"
        )
    )
    if connection.dialect.name != "postgresql":
        for name, table, column, where in INDEXES:
            op.create_index(name, table, [column], sqlite_where=where and sa.text(where))
        return
    with op.get_context().autocommit_block():
        for name, table, column, where in INDEXES:
            if op.get_bind().execute(sa.text(INVALID.format(name))).scalar():
                op.execute(f"DROP INDEX CONCURRENTLY {name}")
            op.create_index(
                name,
                table,
                [column],
                postgresql_where=where and sa.text(where),
                postgresql_concurrently=True,
                if_not_exists=True,
            )


def downgrade() -> None:
    for name, table, _, _ in INDEXES:
        op.drop_index(name, table_name=table, if_exists=True)
    op.drop_column("officer", "area_key")
    op.drop_column("case_", "forgotten_at")
    for table in ("beat", "sweep_turn", "house_fact", "loose_photo"):
        op.drop_table(table)


def _add(table: str, column: sa.Column[object]) -> None:
    known = {about["name"] for about in sa.inspect(op.get_bind()).get_columns(table)}
    if column.name not in known:
        op.add_column(table, column)


def _key(area: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFD", area) if not unicodedata.combining(c))
    return "/".join(part.strip().casefold() for part in plain.split("/") if part.strip())
