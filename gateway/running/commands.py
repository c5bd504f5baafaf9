"""The commands that start, stop and check Leafline."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gateway.context import Context
from gateway.running import logs
from gateway.running.stopping import stop_event
from gateway.settings import Settings
from gateway.store import Store, StoreError
from gateway.store.vault import Vault


def _begin(process: str) -> Settings:
    settings = Settings.read()
    logs.set_up(settings, process)
    return settings


def _open(settings: Settings) -> Context:
    """The context of a process that needs a store that is up to date. Raises: StoreError."""
    context = Context.open(settings)
    have, head = context.store.revision()
    if have != head:
        raise StoreError("the store is not up to date: run `leafline db upgrade`")
    return context


@click.command()
@click.option("--no-simulator", is_flag=True, help="Do not start the mobile-network simulator.")
def up(no_simulator: bool) -> None:
    """Start everything on this machine, and keep it running until Ctrl-C."""
    from gateway.running.premises import HomeLock, check_ports
    from gateway.running.supervisor import House

    if no_simulator:
        os.environ["LEAFLINE_SIMULATOR"] = "off"  # the processes that it starts read it too
    settings = _begin("up")
    if not settings.simulator_on and not settings.at_api_key.get_secret_value():
        raise click.ClickException(
            "without the simulator messages need a network: set AT_USERNAME and AT_API_KEY"
        )
    lock = HomeLock.take(settings)
    check_ports(settings)
    house = House(settings, lock)
    _check_model(settings)
    Context.open(settings).close()  # says at once, and once, what every process would say
    store = Store(settings.store_url, Vault(settings.encryption_key))
    store.migrate()
    store.close()
    house.run()


@click.command()
def web() -> None:
    """Run the web process: kiosk API, webhooks, pages."""
    settings = _begin("web")
    _open(settings).close()
    from gateway.running.web import serve

    serve(settings)


@click.command()
def worker() -> None:
    """Run one photo worker."""
    context = _open(_begin("worker"))
    from gateway.jobs.worker import run

    run(context)
    context.close()


@click.command()
def sender() -> None:
    """Run the sender: hands messages of the outbox to the mobile network."""
    context = _open(_begin("sender"))
    from gateway.channels.africastalking import Client
    from gateway.outbox.sender import Sender

    Sender(context, Client.from_settings(context.settings)).run(stop_event())
    context.close()


@click.command()
def scheduler() -> None:
    """Run the scheduler: sweeps that find and repair what was left undone."""
    context = _open(_begin("scheduler"))
    from gateway.jobs.scheduler import run

    run(context, stop_event())
    context.close()


@click.command()
def simulator() -> None:
    """Run the mobile-network simulator on its own port."""
    settings = _begin("simulator")
    from gateway.channels.simulator import serve

    serve(settings)


@click.command()
def doctor() -> None:
    """Check every component and print a line each; exit 1 when one fails."""
    from gateway.running.doctor import examine

    settings = Settings.read()
    failed = 0
    for finding in examine(settings):
        click.echo(finding)
        failed += finding.state == "fail"
    if failed:
        raise click.ClickException(f"{failed} of the checks failed; the lines above say what to do")


@click.command()
@click.argument(
    "photo", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def demo(photo: Path | None) -> None:
    """Play the whole journey against the simulator and print what both phones showed.

    PHOTO is a picture of a leaf; without it one is drawn.
    """
    from gateway.running.demo import play

    play(Settings.read(), photo)


def _check_model(settings: Settings) -> None:
    from inference.model import Model

    Model.load(settings.model).self_check()


COMMANDS: list[click.Command] = [up, web, worker, sender, scheduler, simulator, doctor, demo]
