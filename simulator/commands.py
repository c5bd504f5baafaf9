"""`leafline simulator` and `leafline demo`: the entry points of this package name them."""

from __future__ import annotations

import threading
from pathlib import Path

import click

from gateway.running.commands import begin
from gateway.running.stopping import stop_event
from gateway.settings import Settings


@click.command()
def simulator() -> None:
    """Run the mobile-network simulator on its own port."""
    settings = begin("simulator")
    from simulator.server import make

    stop = stop_event()
    with make(settings) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stop.wait()
        server.shutdown()


@click.command()
@click.argument(
    "photo", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def demo(photo: Path | None) -> None:
    """Play the whole journey against the simulator and print what both phones showed.

    PHOTO is a picture of a leaf; without it one is drawn.
    """
    from simulator.demo import play

    play(Settings.read(), photo)
