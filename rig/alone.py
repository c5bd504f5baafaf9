"""The program with its own requirements alone: every page is visited, every command run.

    make alone        in a fresh checkout, before `make test`: it installs requirements.txt only

What only the development requirements bring would break a page for users and for nobody here.
Exit code 1 when a page answers 5xx or a command fails.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
from flask import Flask
from flask.testing import FlaskClient

from gateway.app import create_app
from gateway.cli import main as leafline
from gateway.people import operators
from gateway.settings import Settings
from gateway.store.models import Case
from inference.drawn import draw_leaf
from rig import admins, desk, servers, things
from rig.desk import Person

DEVELOPMENT = ("pytest", "hypothesis", "playwright")
VALUES = {"int": "1", "path": "x", "any": "sms", "string": "x"}
"""What stands in an address for a part of it."""


def main() -> int:
    if found := [name for name in DEVELOPMENT if importlib.util.find_spec(name)]:
        print(f"alone: {', '.join(found)} is installed too, so this proves less than it could")
    with tempfile.TemporaryDirectory() as folder, servers.redis_server() as redis_url:
        os.environ |= {"LEAFLINE_HOME": f"{folder}/home", "REDIS_URL": redis_url}
        faults = [*_commands(Path(folder)), *_pages()]
    for fault in faults:
        print(fault)
    print(f"alone: {len(faults)} faults")
    return 1 if faults else 0


def _commands(folder: Path) -> Iterator[str]:
    """Run every command: its help, and itself where it ends by itself and changes nothing much."""
    photo = folder / "leaf.jpg"
    photo.write_bytes(draw_leaf("maize_rust", 1))
    for words in (*_helps(leafline), ["db", "upgrade"], ["messages", "check"], ["ussd", "check"],
                  ["ussd", "graph"], ["predict", "--json", str(photo)], ["kiosk", "list"],
                  ["officer", "list"], ["operator", "list"], ["case", "list"],
                  ["kiosk", "add", "K", "--area", "Rwamagana"],
                  ["export", "--labels", str(folder / "labels")]):  # fmt: skip
        command = [sys.executable, "-m", "gateway", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or "Traceback" in done.stderr:
            yield f"leafline {' '.join(words)}: {done.returncode}\n{done.stderr}"


def _helps(group: click.Group, *before: str) -> Iterator[list[str]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield [*before, name, "--help"]
        if isinstance(command, click.Group):
            yield from _helps(command, *before, name)


def _pages() -> Iterator[str]:
    """Ask for every address as a stranger, as an officer and as an admin."""
    app = create_app(Settings.read())
    context = app.extensions["leafline"]
    context.store.migrate()
    things.kiosk(context.store)
    officer = desk.officer(context)
    code = desk.case(context)
    with context.store.reading() as session:
        assert session.query(Case).count()
    stranger = app.test_client()
    behind_the_desk = Person(app.test_client())
    behind_the_desk.sign_in(officer)
    admin = Person(app.test_client())
    admins.enter(admin, admins.enrol(context, "ines", operators.ADMIN))
    for who, client in (
        ("a stranger", stranger), ("an officer", behind_the_desk.client), ("an admin", admin.client)
    ):  # fmt: skip
        yield from _visited(app, client, who, code)
    context.close()


def _visited(app: Flask, client: FlaskClient, who: str, code: str) -> Iterator[str]:
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or "sign_out" in rule.endpoint:
            continue
        path = _address(rule.rule, code)
        status = client.get(path).status_code
        # Without processes beside it, a page may say that something is away just now.
        if status >= 500 and status != 503:
            yield f"{path} as {who}: {status}"


def _address(rule: str, code: str) -> str:
    def part(match: re.Match[str]) -> str:
        kind = match[1].partition(":")[0] if ":" in match[1] else "string"
        return code if match[1] in ("code", "string:code") else VALUES.get(kind.split("(")[0], "1")

    return re.sub(r"<([^<>]+)>", part, rule)


if __name__ == "__main__":
    sys.exit(main())
