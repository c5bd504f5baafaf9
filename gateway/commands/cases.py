"""`leafline case`, `leafline export`."""

from __future__ import annotations

from pathlib import Path

import click
from sqlalchemy import select

from gateway.cases import codes
from gateway.cases.case import by_code
from gateway.context import Context
from gateway.people import msisdn
from gateway.privacy import person as whole_person
from gateway.settings import Settings
from gateway.store.models import Case, Event, Message
from gateway.teaching import disagreement, label_export


@click.group()
def case() -> None:
    """Farmers' cases."""


@case.command("list")
@click.option("--state", help="Only cases in this state.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
def list_cases(state: str | None, limit: int) -> None:
    """The newest cases, a line each."""
    query = select(Case).order_by(Case.id.desc()).limit(limit)
    if state:
        query = query.where(Case.state == state)
    with Context.open(Settings.read()).store.reading() as session:
        for row in session.scalars(query):
            click.echo(
                f"{row.code}  {row.created_at:%Y-%m-%d %H:%M}  {row.state:15}  "
                f"{row.crop or '-':8}  {row.label or '-':15}  {row.area or '-'}"
            )


@case.command("show")
@click.argument("code")
def show_case(code: str) -> None:
    """One case: its history and its messages. Numbers are masked, texts are shown."""
    try:
        code = codes.parse(code)
    except codes.BadCode as error:
        raise click.UsageError(str(error)) from None
    with Context.open(Settings.read()).store.reading() as session:
        row = by_code(session, code)
        if row is None:
            raise click.ClickException(f"there is no case {code}")
        click.echo(f"case {row.code}: {row.state}, {row.crop}, {row.label}, {row.verdict}")
        click.echo(f"farmer {msisdn.mask(row.farmer.phone)}, {row.place or row.area or '-'}")
        for event in session.scalars(
            select(Event).where(Event.case_id == row.id).order_by(Event.id)
        ):
            step = f"{event.from_state or '-'} -> {event.to_state}"
            click.echo(f"{event.at:%Y-%m-%d %H:%M:%S}  {step}  {event.actor}  {event.reason or ''}")
        for message in session.scalars(
            select(Message).where(Message.case_id == row.id).order_by(Message.id)
        ):
            click.echo(
                f"{message.created_at:%Y-%m-%d %H:%M:%S}  {message.direction}  {message.state}  "
                f"{msisdn.mask(message.address)}  {message.text}"
            )


def _export_person(context: Context, person: str, to: Path | None) -> None:
    if to is None:
        raise click.UsageError("--person needs --to FOLDER")
    try:
        for number in msisdn.readings(person, context.settings.region):
            written = whole_person.export(context.store, context.photos, number, to)
            if written is not None:
                click.echo(
                    f"{written.cases} cases, {written.photos} photos, {written.messages} messages "
                    f"written to {to}"
                )
                return
    except whole_person.PersonError as error:
        raise click.ClickException(str(error)) from None
    raise click.ClickException(f"nothing is known about {msisdn.mask(person)}")


@click.command()
@click.option(
    "--labels",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="New folder for the photos that officers labelled, with manifest.csv.",
)
@click.option("--person", help="Number of whom to write what we hold, into --to.")
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    help="New folder for what we hold of a person.",
)
def export(folder: Path | None, person: str | None, to: Path | None) -> None:
    """Write what officers taught (--labels), or what we hold of a person (--person).

    With --labels: for `python -m training`, and where officers disagreed. Only photos of farmers
    who agreed to training are written. Neither folder is encrypted: keep it as you keep the store,
    and delete it when it was used or handed over.
    """
    if (folder is None) == (person is None):
        raise click.UsageError("give --labels FOLDER, or --person PHONE --to FOLDER")
    context = Context.open(Settings.read())
    context.store.migrate()
    if person is not None:
        _export_person(context, person, to)
        return
    assert folder is not None
    try:
        exported = label_export.export(context.store, context.photos, folder)
    except label_export.ExportError as error:
        raise click.ClickException(str(error)) from None
    with context.store.reading() as session:
        for line in disagreement.report(disagreement.by_class(disagreement.said(session))):
            click.echo(line)
    for reason, count in exported.left_out.most_common():
        click.echo(f"{count} photos left out: {reason}")
    click.echo(f"{exported.photos} photos written to {folder}")
