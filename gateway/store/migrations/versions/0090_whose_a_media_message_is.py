"""Whose a media message is"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.vault import SealBroken

revision = "0090"
down_revision = "0080"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Plain statements: a batch would copy the whole table on SQLite.
    op.add_column("media_message", sa.Column("address_digest", sa.String(length=64), nullable=True))
    media = sa.table(
        "media_message",
        sa.column("id", sa.BigInteger),
        sa.column("phone", sa.LargeBinary),
        sa.column("address_digest", sa.String),
    )
    connection = op.get_bind()
    vault = connection.dialect.leafline_vault  # type: ignore[attr-defined]
    for row in connection.execute(sa.select(media.c.id, media.c.phone)).all():
        try:
            digest = vault.number(vault.open_text(row.phone))
        except SealBroken:
            continue
        mine = sa.update(media).where(media.c.id == row.id)
        connection.execute(mine.values(address_digest=digest))


def downgrade() -> None:
    op.drop_column("media_message", "address_digest")
