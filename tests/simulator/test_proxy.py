"""The simulator behind the web process, and Leafline behind the simulator: real ports all round."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
import requests

from gateway.app import create_app
from gateway.channels.africastalking.client import Client
from gateway.outbox.sender import Sender
from gateway.settings import Settings, SettingsError
from rig.mobile import serving
from simulator.phone import Phone
from simulator.server import make

NUMBER = "+250788000001"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def ported(settings: Settings) -> Settings:
    ports = {"port": free_port(), "simulator_port": free_port()}
    return Settings.read(**(settings.model_dump() | ports))


@pytest.fixture
def web(ported: Settings) -> Iterator[str]:
    """Address of a web process with a simulator and a sender beside it."""
    app = create_app(ported)
    context = app.extensions["leafline"]
    stop = threading.Event()
    with make(ported) as server, serving(app, ported.port) as address:
        sender = Sender(context, Client.from_settings(ported))
        threads = [
            threading.Thread(target=server.serve_forever, args=(0.05,)),
            threading.Thread(target=sender.run, args=(stop,)),
        ]
        for thread in threads:
            thread.start()
        yield address
        stop.set()
        server.shutdown()
        for thread in threads:
            thread.join()
    context.close()


@pytest.mark.parametrize("path", ["/simulator", "/simulator/", "/simulator/page/phones.css"])
def test_the_page_comes_through(web: str, path: str) -> None:
    answer = requests.get(web + path, timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(("text/html", "text/css"))


def test_refusals_come_through_as_they_are(web: str) -> None:
    assert requests.get(f"{web}/simulator/nothing", timeout=10).status_code == 404
    assert requests.post(f"{web}/simulator/api/phones", data="x", timeout=10).status_code == 400


def test_a_phone_dials_writes_and_gets_an_answer(web: str) -> None:
    phone = Phone(web, NUMBER)
    assert "1" in phone.dial()
    assert phone.open
    phone.answer("3")
    phone.drop()
    phone.send("HELP")
    assert phone.wait_for_sms("Leafline").direction == "in"


def test_without_the_simulator_its_page_says_how_to_start_it(ported: Settings) -> None:
    app = create_app(ported)
    answer = app.test_client().get("/simulator")
    app.extensions["leafline"].close()
    assert answer.status_code == 503
    assert "leafline simulator" in answer.get_data(as_text=True)


STRANGERS = (
    {"REMOTE_ADDR": "203.0.113.9"},
    {"REMOTE_ADDR": "::ffff:203.0.113.9"},
    {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
    {"HTTP_VIA": "1.1 proxy"},
)


@pytest.mark.parametrize("path", ["/simulator", "/simulator/api/messages", "/simulator/api/dial"])
def test_strangers_play_with_no_phone(ported: Settings, path: str) -> None:
    """Who dials with any number reads cases and spends money; nobody but who runs it may."""
    app = create_app(ported)
    for method in ("GET", "POST", "DELETE"):
        for caller in STRANGERS:
            answer = app.test_client().open(path, method=method, environ_overrides=caller)
            assert answer.status_code in (404, 405), (method, caller)
    assert app.test_client().get("/simulator").status_code == 503  # it is there, and does not run
    app.extensions["leafline"].close()


def test_a_simulator_and_a_real_network_do_not_start_together() -> None:
    with pytest.raises(SettingsError, match="AT_API_KEY"):
        Settings.read(simulator="on", at_api_key="a-real-key-of-the-provider")
    assert not Settings.read(at_api_key="a-real-key-of-the-provider").simulator_on


def test_the_proxy_is_there_only_with_the_simulator(ported: Settings) -> None:
    real = Settings.read(**(ported.model_dump() | {"at_api_key": "k"}))
    app = create_app(real)
    status = app.test_client().get("/simulator").status_code
    app.extensions["leafline"].close()
    assert status == 404


def test_a_taken_port_is_one_clear_line(ported: Settings) -> None:
    with (
        make(ported),
        pytest.raises(SettingsError, match="LEAFLINE_SIMULATOR_PORT"),
    ):
        make(ported)
