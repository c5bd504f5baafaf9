"""docs/mobile-network.md names every fault, every request and every address."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from gateway.channels.africastalking import webhooks
from gateway.channels.africastalking.events import CALLBACKS
from gateway.context import Context
from gateway.settings import ROOT
from simulator.callbacks import Addresses
from simulator.faults import REPORTS, SEND
from simulator.server import create_app

TEXT = (ROOT / "docs" / "mobile-network.md").read_text()
API = "/simulator/api"


@pytest.mark.parametrize("name", [*SEND, *REPORTS])
def test_a_fault_is_explained(name: str) -> None:
    assert f"`{name}`" in TEXT


def test_every_request_of_the_phones_is_listed_and_no_other() -> None:
    app = create_app(Addresses.under("http://127.0.0.1:1"), code="*384*123#")
    offered = {
        f"{method} {rule.rule.removeprefix(API)}"
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(API)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert offered == set(re.findall(r"^\| `((?:GET|POST|PUT|DELETE) \S+)` \|", TEXT, re.M))


def test_every_address_to_enter_at_the_provider_is_listed(context: Context) -> None:
    app = Flask("webhooks")
    app.register_blueprint(webhooks.blueprint(context))
    listed = re.findall(r"`(/africastalking/KEY/[a-z-]+)`", TEXT)
    adapter = app.url_map.bind("")
    for address in listed:
        assert adapter.match(address, method="POST")
    assert len(listed) == 1 + len(CALLBACKS)
