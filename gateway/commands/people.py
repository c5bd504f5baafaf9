"""`leafline kiosk`, `leafline officer`, `leafline erase`."""

from __future__ import annotations

import contextlib
import io
from datetime import timedelta

import click

from gateway.context import Context
from gateway.people import kiosks, msisdn, officers, pairing
from gateway.privacy import erasure
from gateway.settings import Settings
from gateway.store import keys
from gateway.store.base import now


def _ready() -> Context:
    context = Context.open(Settings.read())
    context.store.migrate()
    keys.enter(context.store)
    return context


def _phone(raw: str, region: str) -> str:
    try:
        return msisdn.parse(raw, region)
    except msisdn.BadNumber as error:
        raise click.UsageError(f"{raw!r}: {error}") from None


@click.group()
def kiosk() -> None:
    """Places where leaves are photographed."""


@kiosk.command("add")
@click.argument("name")
@click.option(
    "--area",
    required=True,
    help="District, or district and sector of the list: Rwamagana/Muhazi",
)
@click.option("--opening", help="Opening days, as farmers are told.")
def add_kiosk(name: str, area: str, opening: str | None) -> None:
    """Add a kiosk: a pairing code for its phone, its bearer token alone on the last line."""
    context = _ready()
    area = context.areas.chosen(area)
    with context.store.transaction() as session:
        added, token = kiosks.add(session, name, area, opening)
        code = pairing.new_code(session, added)
    _show_code(context.settings, code)
    click.echo(f"kiosk {added.id}, {added.name}; its token for programs, shown only now:")
    click.echo(token)


@kiosk.command("pair")
@click.argument("name_or_id")
def pair_kiosk(name_or_id: str) -> None:
    """Make a pairing code for one more phone; it is printed alone on the last line."""
    context = _ready()
    with context.store.transaction() as session:
        code = pairing.new_code(session, kiosks.find(session, name_or_id))
    _show_code(context.settings, code)
    click.echo(pairing.written(code))


@kiosk.command("unpair")
@click.argument("name_or_id")
def unpair_kiosk(name_or_id: str) -> None:
    """Sign out all phones of a kiosk, as when one is lost; its token stays."""
    with _ready().store.transaction() as session:
        row = kiosks.find(session, name_or_id)
        count = pairing.unpair(session, row)
        click.echo(f"kiosk {row.id}, {row.name}: {count} phones or codes no longer work")


def _show_code(settings: Settings, code: str) -> None:
    """The pairing code as a QR code, a link and in letters."""
    import segno

    link = pairing.link(settings.public_url or settings.url, code)
    picture = io.StringIO()
    segno.make(link, error="m", micro=False).terminal(picture, compact=True, border=2)
    with contextlib.suppress(UnicodeEncodeError):  # a terminal without block letters
        click.echo(picture.getvalue())
    hours = pairing.CODE_LIFETIME.total_seconds() / 3600
    click.echo(f"Scan it with the kiosk's phone, or open {link}")
    click.echo(f"The code {pairing.written(code)} works once, within {hours:.0f} hours.")
    if not settings.public_url:
        click.echo("Other machines cannot open this link: set LEAFLINE_PUBLIC_URL.")


@kiosk.command("list")
def list_kiosks() -> None:
    """All kiosks, a line each."""
    with _ready().store.reading() as session:
        for row in kiosks.listed(session):
            state = "disabled" if row.disabled_at else "open"
            until = row.old_token_until
            old = until and until > now() and f"  (old token until {until:%Y-%m-%d %H:%M} UTC)"
            click.echo(f"{row.id:4}  {state:8}  {row.area:24}  {row.name}{old or ''}")


@kiosk.command("rotate")
@click.argument("name_or_id")
@click.option(
    "--keep-hours",
    type=click.FloatRange(0, 24 * 31),
    default=kiosks.KEPT_HOURS,
    show_default=True,
    help="For how long the old token is taken too; 0 after a leak.",
)
def rotate_kiosk(name_or_id: str, keep_hours: float) -> None:
    """Give a kiosk another token, printed alone on the last line; paired phones stay."""
    with _ready().store.transaction() as session:
        row = kiosks.find(session, name_or_id)
        token = kiosks.rotate(session, row, timedelta(hours=keep_hours))
        until = row.old_token_until
        old = f"is taken until {until:%Y-%m-%d %H:%M} UTC" if until else "is refused from now on"
        click.echo(f"kiosk {row.id}, {row.name}: the old token {old}; the new one, shown only now:")
        click.echo(token)


@kiosk.command("disable")
@click.argument("name_or_id")
def disable_kiosk(name_or_id: str) -> None:
    """Refuse a kiosk's token from now on."""
    with _ready().store.transaction() as session:
        row = kiosks.disable(session, name_or_id)
        click.echo(f"kiosk {row.id}, {row.name}, is disabled")


@click.group()
def officer() -> None:
    """Extension officers, who answer what the machine cannot tell."""


@officer.command("add")
@click.argument("phone")
@click.option("--name", "-n", required=True)
@click.option(
    "--area",
    required=True,
    help="District, or district and sector of the list; * is everywhere",
)
@click.option("--language", "languages", required=True, multiple=True, help="May be repeated.")
def add_officer(phone: str, name: str, area: str, languages: tuple[str, ...]) -> None:
    """Add an officer; the id is printed alone on the last line, the PIN above it, once."""
    context = _ready()
    number = _phone(phone, context.settings.region)
    codes = [code for given in languages for code in given.lower().split(",") if code]
    for code in codes:
        if code not in context.catalogue.languages:
            known = ", ".join(context.catalogue.languages)
            raise click.UsageError(f"language {code!r} is not one of {known}")
    area = context.areas.chosen(area, everywhere=True)
    with context.store.transaction() as session:
        added, pin = officers.add(session, number, name, area, codes)
        click.echo(f"{added.name}, {added.area}; PIN, shown only now: {pin}")
        click.echo(added.id)


@officer.command("list")
def list_officers() -> None:
    """All officers, a line each."""
    with _ready().store.reading() as session:
        for row in officers.listed(session):
            duty = "disabled" if row.disabled_at else "on duty" if row.at_work else "off duty"
            number = msisdn.mask(row.phone)
            click.echo(
                f"{row.id:4}  {duty:8}  {number:14}  {row.languages:8}  {row.area:24}  {row.name}"
            )


@officer.command("disable")
@click.argument("officer_id", type=int)
def disable_officer(officer_id: int) -> None:
    """Give an officer no more cases."""
    with _ready().store.transaction() as session:
        row = officers.disable(session, officer_id)
        click.echo(f"officer {row.id}, {row.name}, is disabled")


@click.command()
@click.argument("phone")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(phone: str, yes: bool) -> None:
    """Delete a farmer's number, photos, cases and messages for good."""
    context = _ready()
    numbers = msisdn.readings(phone, context.settings.region)
    if not yes:
        click.confirm(f"Delete everything about {msisdn.mask(numbers[0])}?", abort=True)
    for number in numbers:
        erased = erasure.erase(context.store, context.photos, number, by="operator")
        if erased is not None:
            click.echo(f"deleted: {erased.cases} cases, {erased.photos} photos")
            return
    raise click.ClickException(f"nothing is known about {msisdn.mask(numbers[0])}")
