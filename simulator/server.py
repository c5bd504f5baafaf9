"""The simulator's process: `leafline simulator`."""

from __future__ import annotations

from typing import Any

import phonenumbers
from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from gateway.channels import channel_keys
from gateway.settings import Settings, SettingsError
from simulator import control, messaging
from simulator.callbacks import Addresses, Callbacks
from simulator.faults import Faults
from simulator.handsets import Handsets
from simulator.network import Network


class Handler(WSGIRequestHandler):
    """Keeps connections, and writes no line for a request: its path holds a number."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def connection_dropped(self, _error: BaseException, _environ: Any = None) -> None:
        self.close_connection = True

    def log_request(self, *_args: Any) -> None:
        """Nothing."""


def create_app(addresses: Addresses, *, code: str, region: str = "RW") -> Flask:
    """The simulated network as a Flask application that posts to `addresses`."""
    app = Flask(__name__, static_folder=None)
    # A cut connection is told to the server as an exception; Flask must not answer it.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    farmer, officer = example_numbers(region)
    handsets = Handsets({farmer: "Farmer", officer: "Officer"})
    network = Network(handsets, Callbacks(addresses), Faults(), code)
    app.register_blueprint(messaging.blueprint(network))
    app.register_blueprint(control.blueprint(network, code))
    return app


def make(settings: Settings) -> BaseWSGIServer:
    """The server, bound to its port and not yet serving.

    Raises:
        SettingsError: the port is taken.
    """
    base = f"{settings.url}/africastalking"
    keys = {channel: channel_keys.first(settings, channel) for channel in channel_keys.CHANNELS}
    addresses = Addresses(
        ussd=f"{base}/{keys['ussd']}/ussd",
        ussd_events=f"{base}/{keys['ussd']}/ussd-events",
        sms=f"{base}/{keys['sms']}/sms",
        delivery_reports=f"{base}/{keys['reports']}/delivery-reports",
        opt_outs=f"{base}/{keys['sms']}/opt-outs",
    )
    app = create_app(addresses, code=settings.ussd_code, region=settings.region)
    port = int(settings.simulator_url.rpartition(":")[2])
    return bind(app, port)


def bind(app: Flask, port: int) -> BaseWSGIServer:
    """Serve `app` on loopback, many connections at once; port 0 takes a free one.

    Raises:
        SettingsError: the port is taken.
    """
    try:
        return make_server("127.0.0.1", port, app, threaded=True, request_handler=Handler)
    except (OSError, SystemExit):
        raise SettingsError(
            f"port {port} is taken; set LEAFLINE_SIMULATOR_PORT to a free one"
        ) from None


def example_numbers(region: str) -> tuple[str, str]:
    """Two valid mobile numbers of a country, for the first two phones."""
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    if example is None:
        return "+250720000001", "+250720000002"
    stem = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)[:-3]
    return f"{stem}001", f"{stem}002"
