"""`leafline messages` and `leafline ussd`."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.dialogue.catalogue import Catalogue, CatalogueError
from gateway.settings import Settings


def _catalogue(folder: Path | None) -> Catalogue:
    try:
        return Catalogue.load(folder or Settings.read().templates)
    except CatalogueError as error:
        raise click.ClickException(str(error)) from None


@click.group()
def messages() -> None:
    """The texts that farmers and officers read."""


@messages.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--verbose", "-v", is_flag=True, help="Print a line for every text.")
def check(folder: Path | None, verbose: bool) -> None:
    """Prove that every text fits, in every language, with every value at its longest."""
    catalogue = _catalogue(folder)
    lengths = catalogue.lengths()
    if verbose:
        for key, language, length, limit in lengths:
            click.echo(f"{key:28} {language} {length:4} of {limit}")
    for language, (unreviewed, total) in catalogue.review_state().items():
        click.echo(f"{language}: {total} texts, {unreviewed} not reviewed")
    longest = max(length for _, _, length, limit in lengths if limit == 160)
    click.echo(f"{len(lengths)} texts fit; the longest SMS has {longest} of 160 septets")
