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
    """Bring the tables to the newest revision, while processes of the last release go on."""
    store = _store()
    before = store.tables()
    store.migrate()
    keys.enter(store)
    after = store.tables()
    click.echo(f"the store is at revision {after.have}" + (" already" if before == after else ""))


@db.command()
def check() -> None:
    """Say at which revision the tables are, and whether this release works on them."""
    tables = _store().tables()
    click.echo(f"the store is at revision {tables.have}; this release knows {tables.head}")
    if tables.trouble:
        raise click.ClickException(tables.trouble)
    if tables.newer:
        click.echo(f"a newer release made it; releases of {tables.since} and later work on it")


@db.command()
@click.argument("revision")
@click.confirmation_option(
    prompt="What only newer revisions hold is lost. Is there a backup, and is the house stopped?"
)
def downgrade(revision: str) -> None:
    """Bring the tables back to REVISION, for a release that cannot work on newer ones.

    Seldom needed: `leafline db check` of the older release says whether it works as it is.
    """
    store = _store()
    store.downgrade(revision)
    click.echo(f"the store is at revision {store.tables().have}")


@db.command()
@click.argument("revision")
@click.argument("message")
def draft(revision: str, message: str) -> None:
    """For developers: write migration REVISION from what the models have and the tables lack."""
    store = _store()
    store.migrate()
    store.draft_migration(message, revision)
