"""The `leafline` command. Each room brings its own commands; they are loaded when they are used."""

from __future__ import annotations

import importlib
import os
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import click

from gateway.settings import SettingsError

ROOMS = {
    "up": "gateway.running.commands",
    "web": "gateway.running.commands",
    "worker": "gateway.running.commands",
    "sender": "gateway.running.commands",
    "scheduler": "gateway.running.commands",
    "doctor": "gateway.running.commands",
    "kiosk": "gateway.commands.people",
    "officer": "gateway.commands.people",
    "operator": "gateway.commands.operators",
    "erase": "gateway.commands.people",
    "case": "gateway.commands.cases",
    "export": "gateway.commands.cases",
    "messages": "gateway.commands.dialogue",
    "ussd": "gateway.commands.dialogue",
    "keys": "gateway.commands.keys",
    "db": "gateway.commands.store",
    "backup": "gateway.commands.backup",
    "restore": "gateway.commands.backup",
    "move": "gateway.commands.backup",
    "photos": "gateway.commands.photos",
    "predict": "gateway.commands.predict",
}
"""Command to the module that defines it, under its own name."""
PRIVATE = 0o077
"""What others on this machine may do with what any command writes: nothing."""
BESIDE = "leafline.commands"
"""Entry points under which packages beside the gateway, such as the simulator, bring commands."""


class Leafline(click.Group):
    """Finds a command in its room, and says every expected trouble in one line (exit code 1)."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*ROOMS, *_beside()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in ROOMS:
            command = getattr(importlib.import_module(ROOMS[cmd_name]), cmd_name)
        elif (beside := _beside().get(cmd_name)) is not None:
            command = beside.load()
        else:
            return None
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        os.umask(PRIVATE)
        try:
            return super().invoke(ctx)
        except Exception as error:
            if isinstance(error, _expected()):
                raise click.ClickException(" ".join(str(error).split())) from error
            raise


def _beside() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=BESIDE)}


def _expected() -> tuple[type[Exception], ...]:
    from gateway.agronomy import AgronomyError
    from gateway.backup import BackupError
    from gateway.dialogue.catalogue import CatalogueError
    from gateway.people import PeopleError
    from gateway.store import StoreError
    from gateway.store.photos import PhotoStoreError
    from inference.card import ModelError

    return (
        SettingsError, AgronomyError, StoreError, CatalogueError, PhotoStoreError, ModelError,
        PeopleError, BackupError,
    )  # fmt: skip


@click.command(cls=Leafline, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="leafline")
def main() -> None:
    """Leafline: crop-disease advice by USSD and SMS for farmers with feature phones."""


if __name__ == "__main__":
    main()
