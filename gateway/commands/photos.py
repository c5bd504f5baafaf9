"""`leafline photos`."""

from __future__ import annotations

import click

from gateway.context import Context
from gateway.privacy import loose
from gateway.settings import Settings


@click.group()
def photos() -> None:
    """Where the photos lie."""


@photos.command()
def claim() -> None:
    """Say that these photos are this store's, after a restore or a move: what is loose may go."""
    context = Context.open(Settings.read())
    try:
        count = loose.claim(context.store, context.photos)
    finally:
        context.close()
    click.echo(f"the photos are this house's; {count} that no case names may be deleted")
