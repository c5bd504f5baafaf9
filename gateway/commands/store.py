"""`leafline db`."""

from __future__ import annotations

import click

from gateway.settings import Settings
from gateway.store import Store, keys
from gateway.store.vault import Vault


def _store() -> Store:
    settings = Settings.read()
    return Store(settings.store_url, Vault(settings.encryption_key, settings.old_keys))


@click.group()
def db() -> None:
    """The store's tables."""


@db.command()
def upgrade() -> None:
    """Bring the tables to the newest revision."""
    store = _store()
    before, head = store.revision()
    store.migrate()
    keys.enter(store)
    click.echo(f"the store is at revision {head}" + ("" if before != head else " already"))


@db.command()
@click.argument("revision")
@click.argument("message")
def draft(revision: str, message: str) -> None:
    """For developers: write migration REVISION from what the models have and the tables lack."""
    store = _store()
    store.migrate()
    store.draft_migration(message, revision)
