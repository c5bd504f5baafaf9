"""Alembic's entry: it runs on the connection that Store.migrate hands over."""

from typing import Any, Literal

from alembic import context
from sqlalchemy.types import TypeDecorator

from gateway.store.models import Base


def plain_types(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """A migration names the database's own types, so that it never changes with our code."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    render_item=plain_types,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
