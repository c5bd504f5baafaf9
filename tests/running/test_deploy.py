"""What deploy/ names exists: metrics, commands, settings; and the alerts fire as they say."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from flask.testing import FlaskClient

from gateway.cli import ROOMS
from gateway.context import Context
from gateway.settings import ROOT, Settings
from gateway.watch import incidents, repairs

DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus" / "leafline.rules.yml"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
OF_PROMETHEUS = {"up"}


def rules() -> list[dict[str, str]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    return list(group["rules"])


def test_every_metric_of_an_alert_is_told(client: FlaskClient, context: Context) -> None:
    with context.store.transaction() as session:
        incidents.open_(session, "channel:no_credit")
        repairs.note(session, "waiting_photos", 1)
    told = set(re.findall(r"^(\w+)(?:\{| )", client.get("/metrics").text, re.MULTILINE))
    named = {name for rule in rules() for name in re.findall(r"\b(up|leafline_\w+)", rule["expr"])}
    assert named
    assert named - OF_PROMETHEUS <= told


def test_every_alert_is_proved_to_fire() -> None:
    proofs = (RULES.parent / "leafline.rules.test.yml").read_text()
    assert [rule["alert"] for rule in rules() if f"alertname: {rule['alert']}" not in proofs] == []


@pytest.mark.parametrize(
    "words", [["check", "rules", RULES.name], ["test", "rules", "leafline.rules.test.yml"]]
)
def test_the_alerts_fire_as_they_say(words: list[str]) -> None:
    if not shutil.which("promtool"):
        pytest.skip("no promtool (Debian: apt install prometheus)")
    done = subprocess.run(
        ["promtool", *words], cwd=RULES.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_a_command_that_there_is(unit: Path) -> None:
    read = configparser.ConfigParser(interpolation=None)
    read.optionxform = str  # type: ignore[assignment, method-assign]
    read.read_string(unit.read_text())
    service = read["Service"]
    _, command = service["ExecStart"].split()
    assert command in {"%i", *ROOMS}
    given = {pair.partition("=")[0] for pair in service["Environment"].split()}
    assert given <= {*Settings.variables(), "LEAFLINE_PROCESS"}
    assert service["UMask"] == "0077"


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_understands_each_line_of_a_unit(unit: Path, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze (Debian: apt install systemd)")
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE)
    own = tmp_path / unit.name.replace("@", "@1")
    own.write_text(text.replace("User=leafline", "User=root").replace("Group=leafline", ""))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(own)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert [line for line in done.stderr.splitlines() if own.name in line] == []
