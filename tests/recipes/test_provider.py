"""The recipe for a provider in docs/adding-a-channel.md, followed in a copy."""

from __future__ import annotations

from pathlib import Path

from rig.copy import Copy

PROVIDER = '''
"""Carrier pigeons: what leaves is written into a file."""

from __future__ import annotations

import os

from flask import Blueprint, Response, request
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from gateway.channels import secret_path
from gateway.channels.takers import Door, take_sms
from gateway.outbox import reports
from gateway.outbox.network import Outcome, SendResult, scoped
from gateway.settings import Section
import logging

log = logging.getLogger("leafline.pigeon")
FATES = {"home": "delivered", "hawk": "failed"}


class Pigeons(Section):
    model_config = SettingsConfigDict(env_prefix="LEAFLINE_PIGEON_", extra="ignore", frozen=True)
    loft: str = ""
    whistle: SecretStr = SecretStr("")


class Loft:
    name, longest_request = "pigeon", 10.0

    def __init__(self, loft):
        self.loft = loft

    def send(self, to, text):
        with open(self.loft, "a") as file:
            file.write(f"{to} {text}\\\\n")
        return SendResult(Outcome.SENT, provider_id="ring-1")


def sms(context, form):
    id_ = scoped("pigeon", form["id"])
    take_sms(context, form, message_id=id_, provider="pigeon", log=log)


def report(context, form):
    with context.store.transaction() as session:
        fate = FATES.get(form["status"], "")
        reports.receive(
            session, reports.Report(form["id"], form["status"], fate, provider="pigeon")
        )


class Pigeon:
    name, settings = "pigeon", Pigeons

    def callbacks(self):
        return {"sms": sms, "report": report}

    def blueprint(self, context):
        routes = Blueprint("pigeon", __name__, url_prefix="/pigeon/<key>")
        secret_path.guard(routes, context.settings)
        door = Door(context, self, log)

        @routes.post("/<any(sms, report):kind>")
        def receive(kind):
            return Response("coo", 200 if door.take(kind, request.form.to_dict()) else 503)

        return routes

    def address(self, key):
        return f"/pigeon/{key}/"

    def missing(self, settings):
        return "" if Pigeons.read().loft else "set LEAFLINE_PIGEON_LOFT"

    def network(self, settings):
        return Loft(Pigeons.read().loft)

    def check(self, settings):
        return "ok", "they are fed"


PROVIDER = Pigeon()
'''
PROGRAM = """
import os, threading
from pathlib import Path
from sqlalchemy import select

os.environ |= {"LEAFLINE_PROVIDERS": "pigeon", "LEAFLINE_CHANNEL_KEYS": "k" * 20}
from gateway.channels import providers
from gateway.settings import Settings, SettingsError

try:
    providers.networks(Settings.read())
except SettingsError as error:
    print("MISSING", error)

loft = Path(os.environ["LEAFLINE_HOME"]).with_name("loft")
os.environ |= {"LEAFLINE_PIGEON_LOFT": str(loft), "LEAFLINE_PIGEON_WHISTLE": "a secret tune"}
from gateway.app import create_app
from gateway.outbox.sender import Sender
from gateway.running.doctor import examine
from gateway.store.models import Message

settings = Settings.read()
print(*examine(settings, ["settings", "credentials"]), sep="\\n")
print("SECRETS", providers.secrets(), settings.simulator_on)
app = create_app(settings)
context = app.extensions["leafline"]
context.store.migrate()
client = app.test_client()
sms = {"id": "1", "from": "+250788000001", "text": "HELP"}
print("SMS", client.post(f"/pigeon/{'k' * 20}/sms", data=sms).text)

stop = threading.Event()
sender = threading.Thread(target=Sender(context, *providers.networks(settings)).run, args=(stop,))
sender.start()

def state():
    with context.store.reading() as session:
        return session.execute(
            select(Message.provider, Message.state).where(Message.direction == "out")
        ).one()

while tuple(state()) != ("pigeon", "sent"):
    stop.wait(0.05)
stop.set()
sender.join()
print("LOFT", loft.read_text())
client.post(f"/pigeon/{'k' * 20}/report", data={"id": "ring-1", "status": "home"})
print("FATE", *state())
"""


def test_a_provider_is_a_folder_and_a_line(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    copy.add("gateway/channels/pigeon/__init__.py", "")
    copy.add("gateway/channels/pigeon/provider.py", PROVIDER.replace("\\\\n", "\\n"))
    copy.change(
        "gateway/channels/__init__.py",
        '    "http_gateway",\n',
        '    "http_gateway",\n    "pigeon",\n',
    )
    seen = copy.python(PROGRAM)
    assert "MISSING messages cannot leave by pigeon: set LEAFLINE_PIGEON_LOFT" in seen
    assert "ok    settings" in seen
    assert "they are fed" in seen
    assert "SECRETS ['', 'a secret tune'] False" in seen
    assert "SMS coo" in seen
    assert "LOFT +250788000001 " in seen
    assert "FATE pigeon delivered" in seen
