"""The store: typed tables, migrations and the photo store."""

from gateway.store.database import Store, StoreError, away
from gateway.store.patience import patience

__all__ = ["Store", "StoreError", "away", "patience"]
