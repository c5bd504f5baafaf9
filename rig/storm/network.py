"""The mobile network as a process of its own, outside the house that is killed.

It is the simulator, and it remembers which of its callbacks were answered 200.

    python -m rig.storm.network PORT WEBHOOKS
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping

from flask import Flask, Response, jsonify

from simulator import control, messaging
from simulator.callbacks import Addresses, Callbacks
from simulator.faults import Faults
from simulator.handsets import Handsets
from simulator.network import Network
from simulator.server import bind

CODE = "*384*123#"
UNDELIVERED = ("Failed", "Rejected")
"""Statuses of messages that no handset got, whether or not the report of it was taken."""


class Journal(Callbacks):
    """Callbacks that remember what was answered 200: from then on it is the house's to keep."""

    def __init__(self, addresses: Addresses) -> None:
        self.reports: set[tuple[str, str]] = set()
        self.undelivered: set[str] = set()
        self.posted = 0
        self._writing = threading.Lock()
        super().__init__(addresses)

    def post_now(self, url: str, form: Mapping[str, str]) -> bool:
        taken = super().post_now(url, form)
        with self._writing:
            self.posted += 1
            if url == self.addresses.delivery_reports and form["status"] in UNDELIVERED:
                self.undelivered.add(form["id"])
            if taken and url == self.addresses.delivery_reports:
                self.reports.add((form["id"], form["status"]))
        return taken


def create_app(webhooks: str) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    callbacks = Journal(Addresses.under(webhooks))
    network = Network(Handsets({}), callbacks, Faults(), CODE)
    app.register_blueprint(messaging.blueprint(network))
    app.register_blueprint(control.blueprint(network, CODE))

    @app.get("/journal")
    def journal() -> Response:
        return jsonify(
            reports=sorted(callbacks.reports),
            undelivered=sorted(callbacks.undelivered),
            posted=callbacks.posted,
            pending=callbacks.pending(),
        )

    return app


if __name__ == "__main__":
    bind(create_app(sys.argv[2]), int(sys.argv[1])).serve_forever()
