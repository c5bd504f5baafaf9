"""What must hold of the house as a whole, whichever room is added to it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import Flask
from werkzeug.routing import Rule

from gateway import queues
from gateway.channels import providers
from gateway.cli import main
from gateway.running.supervisor import house_parts
from gateway.settings import ROOT, Section, Settings
from gateway.store.database import MIGRATIONS

GUIDE = (ROOT / "docs" / "operating.md").read_text()
PLAN = (ROOT / "docs" / "architecture.md").read_text().split("## Names that others rely on")[1]
PAGES = {"kiosk", "officer", "operator", "simulator", "static_files"}

OPEN_TO_ALL = {
    "health.live": "a load balancer has no password",
    "health.ready": "a load balancer has no password",
    "health.traffic": "a load balancer has no password",
    "health.whole": "a monitor has no password; it says yes or no",
    "health.metrics": "counts only; a proxy in front decides who scrapes",
    "static_files.file": "style sheets and scripts",
    "kiosk.manifest": "lets a browser install the page; holds no data",
    "kiosk.worker": "the page's service worker; holds no data",
    "kiosk.sign_out": "leaving",
    "officer.sign_out": "leaving",
    "kiosk.pair": "where a kiosk's phone signs in",
    "kiosk.use_code": "where a kiosk's phone signs in",
    "officer.enter_by_link": "the link of an SMS is what lets an officer in",
    "officer.sign_in": "where an officer signs in",
    "officer.enter": "where an officer signs in",
    "operator.sign_in": "where an operator signs in",
    "operator.enter": "where an operator signs in",
    "operator.first": "the one-time link that makes the first operator",
    "front.doors": "says what this is and where the doors are",
    "officer.gsm7_tables": "the GSM alphabet",
    "kiosk_api.describe": "the description of the API",
    "kiosk_api.predict": "open by setting; keeps nothing",
    "simulator.forward": "loopback's own phone network, off when a real network is on",
}
"""Routes that ask nobody who they are, and why."""

ARGUMENTS = {"code": "BCDFGHJ", "key": "wrong-key", "token": "wrong-token"}


def commands(group: click.Group, path: str = "leafline") -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}"


def settings_row(section: type[Section], name: str) -> tuple[str, str]:
    field = section.model_fields[name]
    own = f"{section.model_config['env_prefix']}{name}".upper()
    alias = getattr(field.validation_alias, "choices", [own])[0]
    return f"`{alias}`", str(field.description)


def test_every_setting_is_in_the_guide() -> None:
    rows = {
        (first, last) for first, _, last in re.findall(r"^\| (.+) \|(.*)\| (.+) \|$", GUIDE, re.M)
    }
    sections = [Settings, *(type(section) for section in providers.sections())]
    given = [settings_row(section, name) for section in sections for name in section.model_fields]
    lacking = [row for row in given if row not in rows]
    assert not lacking, "docs/operating.md lacks these rows, as (setting, what)"


def test_a_setting_is_in_the_guide_once() -> None:
    names = Counter(re.findall(r"^\| (`[A-Z_]+`) \|", GUIDE, re.M))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_no_empty_line_ends_a_table_before_its_last_row(page: Path) -> None:
    after_nothing = re.compile(r"\n\n(?=\|)(.*)\n(?!\|\s*-)")
    assert after_nothing.findall(page.read_text()) == []


def documented(command: str) -> bool:
    """`leafline kiosk list` has a row of its own, or is in that of another `leafline kiosk`."""
    group, _, last = command.rpartition(" ")
    return bool(re.search(rf"^\| `{group}\b[^|]*[` ]{last}\b", GUIDE, re.MULTILINE))


def test_every_command_is_in_the_guide() -> None:
    lacking = [name for name in commands(main) if not documented(name)]
    assert not lacking, "docs/operating.md lacks these commands"


def fixed_parts(rule: Rule) -> list[str]:
    """What is fixed in an address; of the pages' only their room, which is what others know."""
    if rule.endpoint.split(".")[0] in PAGES:
        return [rule.rule[: rule.rule.find("/", 1)] if "/" in rule.rule[1:] else rule.rule]
    return [part.rstrip("/") for part in re.split("<[^>]*>", rule.rule) if part != "/"]


def test_every_address_is_in_the_plan(app: Flask) -> None:
    parts = {part for rule in app.url_map.iter_rules() for part in fixed_parts(rule) if part}
    assert {"/mm7", "/ussd", "/operator", "/api/cases"} <= parts
    lacking = [part for part in sorted(parts) if not re.search(rf"{part}(?![\w-])", PLAN)]
    assert not lacking, "docs/architecture.md lacks these under 'Names that others rely on'"


def test_there_is_one_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1


def test_every_queue_has_a_consumer(settings: Settings) -> None:
    served = set()
    everything = settings.model_copy(update={"mms_media_hosts": ("media.invalid",)})
    for part in house_parts(everything):
        if "worker" in part.command:
            words = part.command[part.command.index("worker") + 1 :]
            served.add(words[1] if words else "photos")
    assert served == set(queues.FUNCTIONS)


def _argument(rule: Rule, name: str) -> object:
    choices = getattr(rule._converters.get(name), "items", None)
    return min(choices) if choices else ARGUMENTS.get(name, 1)


def test_every_route_asks_who_is_there(app: Flask) -> None:
    app.config["WTF_CSRF_METHODS"] = set()  # that guard would hide whether there is another
    client = app.test_client()
    let_in = set()
    for rule in app.url_map.iter_rules():
        values = {name: _argument(rule, name) for name in rule.arguments}
        with app.test_request_context():
            path = app.url_for(rule.endpoint, **values)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            answer = client.open(path, method=method)
            refused = answer.status_code in (401, 403, 404)
            sent_to_sign_in = answer.status_code in (302, 303) and re.search(
                r"/(sign-in|pair)\b", answer.headers["Location"]
            )
            if not refused and not sent_to_sign_in:
                let_in.add(rule.endpoint)
    assert let_in <= set(OPEN_TO_ALL), let_in - set(OPEN_TO_ALL)
