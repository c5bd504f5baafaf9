"""The commands that start, stop and check Leafline."""

from __future__ import annotations

import gc
import logging
import os
import select
import socket

import click

from gateway import queues
from gateway.context import Context
from gateway.people import first_operator
from gateway.privacy import erasure
from gateway.running import logs, modes
from gateway.running.stopping import stop_event
from gateway.settings import Settings
from gateway.spool import Spool
from gateway.store import StoreError, keys
from gateway.watch import beats

ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""A machine runs one worker a core. With threads of its own in each of them, numpy spends four
times the CPU on the small matrices of a verdict, waiting for one another."""


log = logging.getLogger("leafline.start")


def begin(process: str) -> Settings:
    """Settings and log of a process. Call it before anything imports numpy."""
    for variable in ONE_THREAD:
        os.environ.setdefault(variable, "1")
    settings = Settings.read()
    settings.check_strength()
    modes.close(settings.home)
    logs.set_up(settings, process)
    # What is imported by now stays for good. Not walking it again saves 0.4 s of CPU at the end
    # of each process, when all of them end at once.
    gc.freeze()
    return settings


def _open(settings: Settings) -> Context:
    """The context of a process that needs a store that is up to date. Raises: StoreError."""
    context = Context.open(settings)
    context.store.tables().check()
    keys.enter(context.store)
    erasure.replay(context.store, context.photos)
    return context


@click.command()
@click.option("--no-simulator", is_flag=True, help="Do not start the mobile-network simulator.")
def up(no_simulator: bool) -> None:
    """Start everything on this machine, and keep it running until Ctrl-C."""
    from gateway.channels import providers
    from gateway.running.premises import HomeLock, check_ports
    from gateway.running.supervisor import Supervisor

    if no_simulator:
        os.environ["LEAFLINE_SIMULATOR"] = "off"  # the processes that it starts read it too
    settings = begin("up")
    providers.check(settings)
    lock = HomeLock.take(settings)
    check_ports(settings)
    house = Supervisor(settings, lock)
    _check_model(settings)
    context = Context.open(settings)  # says at once, and once, what every process would say
    Spool(settings.spool, context.store.vault).check()
    context.store.migrate()
    keys.enter(context.store)
    erasure.replay(context.store, context.photos)
    house.first_code = first_operator.offer(context.store, settings.home)
    context.close()
    house.run()


@click.command()
@click.option("--check", is_flag=True, help="Only see whether it could start.")
@click.option("--socket", "descriptor", type=int, hidden=True)
@click.option("--replacing", default="", hidden=True)
def web(check: bool, descriptor: int | None, replacing: str) -> None:
    """Run the web processes: kiosk API, webhooks, pages."""
    settings = begin("web")
    context = Context.open(settings)
    Spool(settings.spool, context.store.vault).check()
    try:
        tables = context.store.tables()
    except StoreError as error:
        # The doors open all the same: what comes is spooled, and who dials reads an apology.
        log.error("starting without the store: %s", error)
    else:
        tables.check()
        keys.enter(context.store)
    context.close()
    if check:
        return
    from gateway.running.web import Minder, listen

    listener = listen(settings) if descriptor is None else socket.socket(fileno=descriptor)
    Minder(settings, listener, [int(pid) for pid in replacing.split(",") if pid]).run()


@click.command()
@click.option(
    "--queue", type=click.Choice(list(queues.FUNCTIONS)), default=queues.PHOTOS, show_default=True
)
def worker(queue: str) -> None:
    """Run one worker: it judges photos, or fetches the media of MMS."""
    context = _open(begin("worker"))
    from gateway.jobs.worker import run

    with beats.beating(context.store, "worker"):
        run(context, queue)
    context.close()


@click.command()
def sender() -> None:
    """Run the sender: hands messages of the outbox to the mobile network."""
    context = _open(begin("sender"))
    from gateway.channels import providers
    from gateway.outbox.sender import Sender

    stop = stop_event()
    with beats.beating(context.store, "sender"):
        Sender(context, *providers.networks(context.settings)).run(stop)
    context.close()


@click.command()
def scheduler() -> None:
    """Run the scheduler: sweeps that find and repair what was left undone."""
    context = _open(begin("scheduler"))
    from gateway.jobs.scheduler import run

    stop = stop_event()
    with beats.beating(context.store, "scheduler"):
        run(context, stop)
    context.close()


@click.command()
@click.argument("checks", nargs=-1, metavar="[CHECK]...")
def doctor(checks: tuple[str, ...]) -> None:
    """Check every component (or those named) and print a line each; exit 1 when one fails."""
    from gateway.running.doctor import CHECKS, examine

    if unknown := [name for name in checks if name not in CHECKS]:
        raise click.UsageError(f"no check {unknown[0]!r}; there are {', '.join(CHECKS)}")
    failed = 0
    for finding in examine(Settings.read(), checks or tuple(CHECKS)):
        click.echo(finding)
        failed += finding.state == "fail"
    if failed:
        raise click.ClickException(f"{failed} of the checks failed; the lines above say what to do")


def _check_model(settings: Settings) -> None:
    """In a process of its own: the supervisor, which lives long, need not carry the model. Forked,
    so that it need not import anew what every process of the house imports."""
    reads, says = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            from gateway.running.doctor import examine

            (finding,) = examine(settings, ["model"])
            if finding.state == "fail":
                os.write(says, finding.text.encode(errors="replace")[: select.PIPE_BUF])
                os._exit(1)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(says)
    with open(reads, encoding="utf-8", errors="replace") as pipe:
        reason = pipe.read().strip().partition("\n")[0].rstrip(".")
    _, status = os.waitpid(pid, 0)
    if status:
        raise click.ClickException(f"{reason}; restore the folder, or set LEAFLINE_MODEL")
