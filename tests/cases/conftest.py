"""Two transactions at once on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from gateway.store import Store
from tests.whole.house import wait_until


@pytest.fixture
def somebody_waits(store: Store) -> Callable[[], None]:
    """Returns when a transaction waits for another."""

    def until() -> None:
        with store.reading() as session:
            query = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            wait_until(lambda: session.scalar(query), "somebody to wait for a lock")

    return until
