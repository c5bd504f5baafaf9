"""`leafline backup`, `leafline restore`, `leafline move`."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import click

from gateway.backup import BackupError, making, moving, reading, restoring
from gateway.backup.place import Place
from gateway.context import BOOK, Context
from gateway.privacy import erasure
from gateway.privacy.book import Book
from gateway.settings import Settings
from gateway.store import Store
from gateway.store.photos import open_photos
from gateway.store.vault import Vault

NO_PLACE = "say where backups lie: --to or --from with a folder or URL, or LEAFLINE_BACKUPS_URL"

_FROM = click.option("--from", "source", help="A folder or fsspec URL; else LEAFLINE_BACKUPS_URL.")


@click.group(invoke_without_command=True)
@click.option("--to", "to", help="A folder or fsspec URL; else LEAFLINE_BACKUPS_URL.")
@click.pass_context
def backup(click_context: click.Context, to: str | None) -> None:
    """Copy store and photos somewhere else while the house runs, sealed with its keys.

    The keys are not in it: keep them apart. Without them it cannot be read, by you either.
    """
    if click_context.invoked_subcommand is not None:
        return
    settings = Settings.read()
    place = _place(settings, to)
    context = Context.open(settings)
    try:
        made = making.make(
            context.store, context.photos, settings.home / BOOK, place, _scratch(settings)
        )
    finally:
        context.close()
    click.echo(f"{made.name}: {made.rows} rows, {made.photos} photos, {made.copied} of them new")
    if made.missing:
        click.echo(f"{made.missing} photos could not be read and are not in it; see the log")


@backup.command("list")
@_FROM
def list_backups(source: str | None) -> None:
    """The backups that are whole, newest first."""
    settings = Settings.read()
    for name in _place(settings, source).names():
        click.echo(name)


@backup.command("verify")
@click.argument("name", default="")
@_FROM
@click.option("--every-photo", is_flag=True, help="Open all photos, not some of them.")
def verify(name: str, source: str | None, every_photo: bool) -> None:
    """Open a backup with the keys of this house and compare it with what was written.

    NAME: one of `leafline backup list`; else the newest.
    """
    settings = Settings.read()
    vault = _vault(settings)
    found = reading.find(_place(settings, source), vault, name)
    opened = reading.verify(found, vault, _scratch(settings), every_photo=every_photo)
    rows = sum(found.rows.values())
    click.echo(f"{found.name} is whole: {rows} rows, {opened} of {found.photos} photos opened")


@click.command()
@click.argument("name", default="")
@_FROM
@click.option(
    "--fresh",
    default=restoring.FRESH.total_seconds() / 60,
    show_default=True,
    type=click.FloatRange(0),
    help="Minutes: messages that wait and are younger are sent, older ones wait for a person.",
)
def restore(name: str, source: str | None, fresh: float) -> None:
    """Make a house from a backup, in an empty home and an empty store.

    NAME: one of `leafline backup list`; else the newest. Whoever had everything deleted since stays
    deleted, where the newest file `erasures` lies in the home. What waited to be sent is not sent
    by itself, because most of it was: the operator's page lists it as failed, to be sent again.
    """
    settings = Settings.read()
    vault = _vault(settings)
    found = reading.find(_place(settings, source), vault, name)
    restoring.restore_store(found, settings.store_url, _scratch(settings))
    context = Context.open(settings)
    try:
        done = restoring.restore_rest(
            found,
            context.store,
            context.photos,
            Book(settings.home / BOOK),
            timedelta(minutes=fresh),
        )
        erased = erasure.replay(context.store, context.photos)
    finally:
        context.close()
    click.echo(f"restored {done.name}: {done.rows} rows, {done.photos} photos")
    click.echo(f"{done.held} messages wait for a person; {erased} people were deleted again")
    click.echo("change what was changed since: tokens of kiosks, passwords, channel keys")


@click.command()
@click.option("--store", "store_url", help="The other store, as in DATABASE_URL; empty there.")
@click.option("--photos", "photos_url", help="The other place of photos, as LEAFLINE_PHOTOS_URL.")
def move(store_url: str | None, photos_url: str | None) -> None:
    """Copy a house that is stopped to another store, or its photos to another place.

    Everything is compared afterwards, and the old ones are left as they are.
    """
    if not store_url and not photos_url:
        raise click.UsageError("say where to: --store, --photos or both")
    settings = Settings.read()
    context = Context.open(settings)
    try:
        moving.check_stopped(context.store)
        if photos_url:
            target_photos = open_photos(photos_url, settings.home, context.store.vault)
            count, missing = moving.move_photos(context.store, context.photos, target_photos)
            click.echo(f"{count - missing} photos; {missing} could not be read")
        if store_url:
            url = settings.store_at(store_url)
            with closing(Store(url, _vault(settings))) as target:
                counts = moving.move_store(context.store, target, url)
            click.echo(f"{sum(counts.values())} rows of {len(counts)} tables, compared")
    finally:
        context.close()
    wanted = {"DATABASE_URL": store_url, "LEAFLINE_PHOTOS_URL": photos_url}
    for variable, value in wanted.items():
        if value:
            click.echo(f"now set {variable}, and start")


def _place(settings: Settings, url: str | None) -> Place:
    if not (url := url or settings.backups_url):
        raise BackupError(NO_PLACE)
    return Place(url)


def _vault(settings: Settings) -> Vault:
    return Vault(settings.encryption_key, settings.old_keys)


def _scratch(settings: Settings) -> Path:
    """Where the store's copy lies while it is sealed or opened: on the disk of the home."""
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return settings.home
