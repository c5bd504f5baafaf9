"""`leafline operator`."""

from __future__ import annotations

import io
import secrets

import click

from gateway.context import Context
from gateway.people import operator_account, operators
from gateway.people.operators import Enrolment
from gateway.settings import Settings

GENERATED_BYTES = 15


def _ready() -> Context:
    context = Context.open(Settings.read())
    context.store.migrate()
    return context


@click.group()
def operator() -> None:
    """People who run the service, for the pages at /operator."""


@operator.command("add")
@click.argument("name")
@click.option(
    "--role", type=click.Choice(operators.ROLES), default=operators.VIEWER, show_default=True
)
@click.option("--generate", is_flag=True, help="Make a password instead of asking for one.")
def add_operator(name: str, role: str, generate: bool) -> None:
    """Add an operator; the QR code for the authenticator and the recovery codes are shown once."""
    context = _ready()
    password = _password(generate)
    with context.store.transaction() as session:
        new = operators.add(session, name, role, password, issuer=context.settings.service_name)
    _show(new, password if generate else None)


@operator.command("reset")
@click.argument("name")
@click.option("--password", "forgotten", is_flag=True, help="Ask for another password too.")
@click.option("--generate", is_flag=True, help="Make another password instead of asking.")
def reset_operator(name: str, forgotten: bool, generate: bool) -> None:
    """For a lost phone: another authenticator and other recovery codes, shown once.

    Wherever the operator was signed in they are out.
    """
    context = _ready()
    password = _password(generate) if forgotten or generate else None
    with context.store.transaction() as session:
        issuer = context.settings.service_name
        new = operator_account.reset(session, name, issuer=issuer, password=password)
    _show(new, password if generate else None)


def _password(generate: bool) -> str:
    if generate:
        return secrets.token_urlsafe(GENERATED_BYTES)
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _show(new: Enrolment, password: str | None) -> None:
    import segno

    picture = io.StringIO()
    segno.make(new.uri, error="l").terminal(picture, compact=True)
    click.echo(picture.getvalue())
    who = f"{new.operator.name}, {new.operator.role}"
    click.echo(f"{who}. Scan this with an authenticator; shown only now.")
    click.echo(f"secret: {new.secret}")
    if password is not None:
        click.echo(f"password: {password}")
    click.echo("recovery codes, each for one sign-in without the authenticator:")
    for code in new.recovery:
        click.echo(f"  {operators.written(code)}")


@operator.command("list")
def list_operators() -> None:
    """All operators, a line each."""
    with _ready().store.reading() as session:
        for row in operators.listed(session):
            state = "disabled" if row.disabled_at else f"{len(row.recovery)} recovery codes"
            click.echo(f"{row.id:4}  {row.role:6}  {state:16}  {row.name}")


@operator.command("disable")
@click.argument("name")
def disable_operator(name: str) -> None:
    """Let an operator in no more, and end where they are signed in."""
    with _ready().store.transaction() as session:
        row = operators.disable(session, name)
        click.echo(f"operator {row.id}, {row.name}, is disabled")
