"""The `leafline` command. Each room brings its own commands; they are loaded when they are used."""

from __future__ import annotations

import importlib
from typing import Any

import click

from gateway.settings import SettingsError

ROOMS = {
    "up": "gateway.running.commands",
    "web": "gateway.running.commands",
    "worker": "gateway.running.commands",
    "sender": "gateway.running.commands",
    "scheduler": "gateway.running.commands",
    "simulator": "gateway.running.commands",
    "demo": "gateway.running.commands",
    "doctor": "gateway.running.commands",
    "kiosk": "gateway.people.commands",
    "officer": "gateway.people.commands",
    "operator": "gateway.people.operator_commands",
    "erase": "gateway.people.commands",
    "case": "gateway.cases.commands",
    "export": "gateway.cases.commands",
    "messages": "gateway.dialogue.commands",
    "ussd": "gateway.dialogue.commands",
    "db": "gateway.store.commands",
    "predict": "gateway.jobs.commands",
}
"""Command to the module that defines it, under its own name."""


class House(click.Group):
    """Finds a command in its room, and says every expected trouble in one line (exit code 1)."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(ROOMS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in ROOMS:
            return None
        command = getattr(importlib.import_module(ROOMS[cmd_name]), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            if isinstance(error, _expected()):
                raise click.ClickException(" ".join(str(error).split())) from error
            raise


def _expected() -> tuple[type[Exception], ...]:
    from gateway.dialogue.catalogue import CatalogueError
    from gateway.people import PeopleError
    from gateway.store import StoreError
    from gateway.store.photos import PhotoStoreError
    from inference.model import ModelError

    return (SettingsError, StoreError, CatalogueError, PhotoStoreError, ModelError, PeopleError)


@click.command(cls=House, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="leafline")
def main() -> None:
    """Leafline: crop-disease advice by USSD and SMS for farmers with feature phones."""


if __name__ == "__main__":
    main()
