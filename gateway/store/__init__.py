"""The store: typed tables, migrations and the photo store."""

from gateway.store.budget import patience
from gateway.store.database import Store, StoreError, away

__all__ = ["Store", "StoreError", "away", "patience"]
