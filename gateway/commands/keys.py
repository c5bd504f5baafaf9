"""`leafline keys`: the keys that seal personal data, and changing them."""

from __future__ import annotations

from collections.abc import Iterator

import click

from gateway.context import Context
from gateway.privacy import rotation
from gateway.settings import Settings
from gateway.spool import Spool
from gateway.store import keys as ring


def _context() -> Context:
    context = Context.open(Settings.read())
    context.store.migrate()
    ring.enter(context.store)
    return context


@click.group()
def keys() -> None:
    """The keys that seal numbers, texts and photos."""


@keys.command("list")
def list_keys() -> None:
    """The keys of this host, the one that writes first, and what is left to seal anew."""
    context = _context()
    for index, key in enumerate(context.store.vault.keys):
        click.echo(f"{key.name[: ring.SHOWN]}  {'read' if index else 'writes'}")
    _say_left(rotation.left(context.store))


@keys.command("new")
def new_key() -> None:
    """Make another key in the home the one that writes; restart Leafline, then rotate.

    For homes that keep their key themselves. Where LEAFLINE_SECRET_KEY is set, set a new one and
    put the old one into LEAFLINE_OLD_SECRET_KEYS, on every host.
    """
    Settings.read().new_key()
    click.echo("made; restart Leafline, then run `leafline keys rotate`")


@keys.command("rotate")
@click.option("--batch", default=rotation.BATCH, show_default=True, type=click.IntRange(1, 10_000))
def rotate(batch: int) -> None:
    """Seal everything anew with the key that writes, while the house runs.

    It may be stopped at any moment and run again. Afterwards the old keys can be taken out; keep
    them with the backups that were made before, which open with nothing else.
    """
    context = _context()
    store, progress = context.store, rotation.Progress()
    before = rotation.left(store)
    for table in rotation.tables():
        _show(table.name, rotation.rows(store, table, progress, batch), before)
    _show("photos", rotation.photos(store, context.photos, progress, batch), before)
    moved = Spool(context.settings.spool, store.vault).seal_anew()
    if moved:
        click.echo(f"spool: {moved} callbacks of this host")
    for name, count in progress.broken.items():
        click.echo(f"{name}: {count} open with no key that is given here; left as they are")
    if len(store.vault.keys) == 1:
        click.echo("there is one key only: nothing else to do")
        return
    if retired := rotation.retire(store):
        click.echo(
            f"done: nothing is left under {', '.join(retired)}; take it out of "
            "LEAFLINE_OLD_SECRET_KEYS (or the file old-secret-keys) on every host, and restart"
        )
        return
    _say_left(rotation.left(store))
    raise click.ClickException("not done yet; run it again, with every key that was ever in use")


def _show(name: str, batches: Iterator[int], before: dict[str, int]) -> None:
    done, total = 0, before.get(name, 0)
    for count in batches:
        done += count
        click.echo(f"{name}: {done} of {max(total, done)}")


def _say_left(left: dict[str, int]) -> None:
    for name, count in left.items():
        if count:
            click.echo(f"{name}: {count} left")
    if not any(left.values()):
        click.echo("nothing is left to seal anew")
