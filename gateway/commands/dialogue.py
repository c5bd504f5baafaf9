"""`leafline messages` and `leafline ussd`."""

from __future__ import annotations

from pathlib import Path

import click

from gateway import agronomy
from gateway.context import Context
from gateway.dialogue import rows
from gateway.dialogue.catalogue import Catalogue, CatalogueError
from gateway.dialogue.po import FALLBACK
from gateway.dialogue.ussd import answer, lint, screens
from gateway.dialogue.ussd.engine import Menu
from gateway.dialogue.ussd.networks import NETWORKS
from gateway.dialogue.ussd.phone import Phone
from gateway.pages.base.texts import PageTexts
from gateway.people import msisdn
from gateway.settings import Settings


def _catalogue(folder: Path | None) -> Catalogue:
    settings = Settings.read()
    try:
        return Catalogue.load(
            folder or settings.templates,
            **settings.in_texts(),
        )
    except CatalogueError as error:
        # All faults, a line each: the command's own handler would join them into one.
        raise click.ClickException(str(error)) from None


def _check_rows(folder: Path, catalogue: Catalogue) -> None:
    """Say which texts the rows of crops and diseases lack, a line a row and language.

    Raises: ClickException where English lacks one: nothing could be said.
    """
    po = folder / "pages" / "po"
    pages = PageTexts.load(po) if po.is_dir() else PageTexts({})
    for language in sorted(catalogue.languages, key=lambda code: code != FALLBACK):
        found = rows.lacking(catalogue, language)
        of_pages = pages.lacking(agronomy.page_texts(), language)
        # A language without any has not begun with those pages; its rows lack nothing else's.
        for row, keys in of_pages.items() if len(of_pages) < len(agronomy.LABELS) else ():
            found.setdefault(row, []).extend(keys)
        lines = [
            f"{row} (a row of gateway/agronomy/table.py) lacks in {language}: {', '.join(keys)}"
            for row, keys in found.items()
        ]
        if lines and language == FALLBACK:
            raise click.ClickException("\n".join(lines))
        for line in lines:
            click.echo(f"{line}; said in English")


def _menu(folder: Path | None) -> Menu:
    return screens.menu(_catalogue(folder))


_FOLDER = click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))


@click.group()
def messages() -> None:
    """The texts that farmers and officers read."""


@messages.command()
@_FOLDER
@click.option("--verbose", "-v", is_flag=True, help="Print a line for every text.")
def check(folder: Path | None, verbose: bool) -> None:
    """Prove that every text fits, in every language, with every value at its longest."""
    catalogue = _catalogue(folder)
    _check_rows(folder or Settings.read().templates, catalogue)
    lengths = catalogue.lengths()
    if verbose:
        for key, language, length, limit in lengths:
            click.echo(f"{key:28} {language} {length:4} of {limit}")
    for language, (unreviewed, total) in catalogue.review_state().items():
        click.echo(f"{language}: {total} texts, {unreviewed} not reviewed")
    longest = max(length for _, _, length, limit in lengths if limit == 160)
    click.echo(f"{len(lengths)} texts fit; the longest SMS has {longest} of 160 septets")


@click.group()
def ussd() -> None:
    """The USSD menu."""


@ussd.command("check")
@_FOLDER
@click.option("--hops", is_flag=True, help="Print how many hops each goal takes.")
def check_menu(folder: Path | None, hops: bool) -> None:
    """Look for dead ends, screens that nothing leads to, missing texts, numbers given twice and
    pages that are too long, in all languages; and for goals that are too many hops away."""
    menu = _menu(folder)
    for goal, taken in lint.hops(menu) if hops else ():
        click.echo(f"{goal.name:28} {taken:2} of at most {goal.most}")
    faults = lint.check(menu)
    for fault in faults:
        click.echo(fault)
    if faults:
        raise click.ClickException(f"{len(faults)} faults in the menu")
    languages = ", ".join(menu.texts.languages)
    click.echo(f"{len(menu.screens)} screens in {languages}: all reachable, all fit")


@ussd.command()
@_FOLDER
def graph(folder: Path | None) -> None:
    """Print the menu as a Mermaid flow chart."""
    click.echo(lint.mermaid(_menu(folder)))


@ussd.command()
@click.argument("phone", default="+250788123456")
@click.option("--code", default="", help="Dial this instead, such as *384*123*2*1#.")
@click.option("--operator", type=click.Choice(list(NETWORKS)), default="sandbox", show_default=True)
def dial(phone: str, code: str, operator: str) -> None:
    """Dial in this terminal, as PHONE. Needs no web process; texts go into the outbox.

    Type an answer, or: ! drops the call, + dials again, = prints the calls so far as a test,
    an end-of-file hangs up.
    """
    settings = Settings.read()
    try:
        number = msisdn.parse(phone, settings.region)
    except msisdn.BadNumber as error:
        raise click.UsageError(str(error)) from None
    context = Context.open(settings)
    try:
        _converse(
            Phone(
                lambda request: answer(context.ussd, request).body,
                number,
                code=settings.ussd_code,
                operator=operator,
            ),
            code,
        )
    finally:
        context.close()


def _converse(phone: Phone, code: str) -> None:
    phone.dial(code)
    while True:
        click.echo(f"\n{phone.screen}\n")
        if phone.ended:
            click.echo("(the session has ended; + dials again)")
        try:
            typed = click.prompt("", prompt_suffix="> ", default="", show_default=False)
        except click.Abort:
            return
        if typed == "=":
            click.echo(phone.dump())
        elif typed == "!":
            phone.drop()
        elif typed == "+":
            phone.dial(code)
        elif not phone.ended:
            phone.answer(typed)
