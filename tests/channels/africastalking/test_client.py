"""SMS out, against the simulated network and against servers that misbehave on purpose."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from flask import Flask, Response, request

from gateway.channels import calling
from gateway.channels.africastalking.client import Client, money, until_quiet_ends
from gateway.channels.africastalking.tables import NAMES, RECIPIENT
from gateway.channels.calling import retry_after
from gateway.outbox.network import Money, Outcome, SendResult
from gateway.settings import Settings, SettingsError
from rig.mobile import serving
from simulator.faults import SEND
from simulator.messaging import STATUS
from simulator.phone import Phone, set_faults

NUMBER = "+250788000001"

# What each fault of the simulated network must look like to the outbox.
FAULTS: dict[str, tuple[Outcome, str]] = {
    "http_500": (Outcome.UNKNOWN, "http_500"),
    "http_500_accepted": (Outcome.UNKNOWN, "http_500"),
    "http_502": (Outcome.UNKNOWN, "http_502"),
    "http_503": (Outcome.UNKNOWN, "http_503"),
    "throttled": (Outcome.THROTTLED, "rate"),
    "slow": (Outcome.SENT, ""),
    "timeout": (Outcome.UNKNOWN, "read_timeout"),
    "timeout_accepted": (Outcome.UNKNOWN, "read_timeout"),
    "reset": (Outcome.UNKNOWN, "connection_lost"),
    "reset_accepted": (Outcome.UNKNOWN, "connection_lost"),
    "cut_json": (Outcome.UNKNOWN, "unreadable_answer"),
    "wrong_json": (Outcome.UNKNOWN, "unreadable_answer"),
    "not_json": (Outcome.UNKNOWN, "unreadable_answer"),
    "charset": (Outcome.SENT, ""),
    "text_plain": (Outcome.SENT, ""),
    "empty_recipients": (Outcome.CHANNEL_DOWN, "blocked_sender"),
    "redirect": (Outcome.CHANNEL_DOWN, "redirected"),
    "wrong_key": (Outcome.CHANNEL_DOWN, "wrong_key"),
    "do_not_disturb": (Outcome.DEFERRED, "do_not_disturb"),
    "status_100": (Outcome.SENT, ""),
    "status_101": (Outcome.SENT, ""),
    "status_102": (Outcome.SENT, ""),
    "status_401": (Outcome.CHANNEL_DOWN, "risk_hold"),
    "status_402": (Outcome.CHANNEL_DOWN, "blocked_sender"),
    "status_403": (Outcome.REJECTED, "invalid_number"),
    "status_404": (Outcome.REJECTED, "unsupported_number"),
    "status_405": (Outcome.CHANNEL_DOWN, "no_credit"),
    "status_406": (Outcome.REJECTED, "blacklisted"),
    "status_407": (Outcome.REJECTED, "no_route"),
    "status_409": (Outcome.DEFERRED, "do_not_disturb"),
    "status_500": (Outcome.RETRYABLE, "provider_error"),
    "status_501": (Outcome.RETRYABLE, "gateway_error"),
    "status_502": (Outcome.RETRYABLE, "rejected_by_gateway"),
    "status_999": (Outcome.UNKNOWN, "status_999"),
}


def test_a_message_arrives_with_its_id_and_cost(at: Client, network: str) -> None:
    result = at.send(NUMBER, "maize & beans+ ŋ")
    assert result.outcome is Outcome.SENT
    assert result.provider_id is not None
    assert result.provider_id.startswith("ATXid_")
    assert result.cost == Money(Decimal("0.8000"), "KES")
    assert Phone(network, NUMBER).inbox()[0].text == "maize & beans+ ŋ"


def test_every_fault_is_known_here() -> None:
    assert set(FAULTS) == set(SEND)


@pytest.mark.parametrize("name", list(FAULTS))
def test_a_fault_has_one_named_outcome(at: Client, hasty: Client, network: str, name: str) -> None:
    late = name.startswith("timeout")
    set_faults(network, send=[{"name": name, "times": 1, "seconds": 1.0 if late else 0.05}])
    result = (hasty if late else at).send(NUMBER, "hello")
    assert (result.outcome, result.reason) == FAULTS[name]


@pytest.mark.parametrize("name", [name for name, taken in SEND.items() if taken])
def test_what_the_network_took_is_never_called_retryable(name: str) -> None:
    assert FAULTS[name][0] in (Outcome.SENT, Outcome.UNKNOWN)


def test_throttling_says_for_how_long(at: Client, network: str) -> None:
    set_faults(network, send=[{"name": "throttled", "times": 1}])
    assert at.send(NUMBER, "hello").retry_after == 1.0


@pytest.mark.parametrize(
    "number",
    ["", "250788000001", "+2507880", "+2507880000010000", "+25078800000a", NUMBER + "\n",
     "+٢٥٠٧٨٨٠٠٠٠٠١", "+0788000001", NUMBER + "," + NUMBER],
)  # fmt: skip
def test_a_bad_number_never_leaves(at: Client, network: str, number: str) -> None:
    assert at.send(number, "hello") == SendResult(Outcome.REJECTED, "invalid_number")


def test_an_empty_text_never_leaves(at: Client) -> None:
    assert at.send(NUMBER, "") == SendResult(Outcome.REJECTED, "empty_text")


@contextmanager
def answering(view: Callable[[], Any]) -> Iterator[Client]:
    """A client of a server that answers every send with `view`."""
    app = Flask("odd")
    app.add_url_rule("/version1/messaging", "send", view, methods=["POST"])
    with serving(app) as url:
        yield Client("user", "secret-key", base_url=url, timeout=20)


def recipients(*entries: dict[str, Any], message: str = "Sent") -> dict[str, Any]:
    return {"SMSMessageData": {"Message": message, "Recipients": list(entries)}}


GOOD = {"number": NUMBER, "statusCode": 101, "messageId": "ATXid_1", "cost": "0"}


@pytest.mark.parametrize(
    ("body", "outcome", "reason"),
    [
        (recipients(GOOD), Outcome.SENT, ""),
        (recipients(GOOD | {"statusCode": "101"}), Outcome.SENT, ""),
        (recipients(GOOD | {"number": NUMBER[1:]}), Outcome.SENT, ""),
        (recipients(GOOD | {"more": {"than": ["known"]}}), Outcome.SENT, ""),
        (recipients({"number": NUMBER, "status": "CouldNotRoute"}), Outcome.REJECTED, "no_route"),
        (recipients(GOOD | {"statusCode": None, "status": "?"}), Outcome.UNKNOWN, "status_0"),
        (recipients(GOOD | {"statusCode": True}), Outcome.UNKNOWN, "status_0"),
        (recipients(GOOD | {"number": "+250788999999"}), Outcome.UNKNOWN, "other_recipients"),
        (recipients(GOOD, GOOD), Outcome.UNKNOWN, "other_recipients"),
        (recipients(message="InsufficientBalance"), Outcome.CHANNEL_DOWN, "no_credit"),
        (recipients(message="Something New"), Outcome.REJECTED, "refused"),
        (recipients(message="Sent"), Outcome.UNKNOWN, "no_recipient"),
        ({"SMSMessageData": {"Message": "x", "Recipients": "none"}}, Outcome.UNKNOWN, None),
        ({"SMSMessageData": []}, Outcome.UNKNOWN, "unreadable_answer"),
        ([], Outcome.UNKNOWN, "unreadable_answer"),
        (None, Outcome.UNKNOWN, "unreadable_answer"),
        ("text", Outcome.UNKNOWN, "unreadable_answer"),
    ],
)
def test_every_answer_has_an_outcome(body: Any, outcome: Outcome, reason: str | None) -> None:
    with answering(lambda: Response(json.dumps(body), 201)) as client:
        result = client.send(NUMBER, "hello")
    assert result.outcome is outcome
    assert reason is None or result.reason == reason


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [
        (200, Outcome.SENT, ""),
        (202, Outcome.SENT, ""),
        (301, Outcome.CHANNEL_DOWN, "redirected"),
        (307, Outcome.CHANNEL_DOWN, "redirected"),
        (400, Outcome.REJECTED, "http_400"),
        (403, Outcome.CHANNEL_DOWN, "forbidden"),
        (404, Outcome.CHANNEL_DOWN, "wrong_address"),
        (408, Outcome.RETRYABLE, "request_timeout"),
        (409, Outcome.REJECTED, "http_409"),
        (413, Outcome.REJECTED, "http_413"),
        (504, Outcome.UNKNOWN, "http_504"),
    ],
)
def test_every_http_status_has_an_outcome(status: int, outcome: Outcome, reason: str) -> None:
    headers = {"Location": "http://127.0.0.1:9/elsewhere"}
    with answering(lambda: Response(json.dumps(recipients(GOOD)), status, headers)) as client:
        result = client.send(NUMBER, "hello")
    assert (result.outcome, result.reason) == (outcome, reason)


def test_the_key_and_the_text_are_not_carried_to_another_host(at: Client) -> None:
    heard = threading.Event()

    def elsewhere() -> str:
        heard.set()
        return "{}"

    other = Flask("other")
    other.add_url_rule("/", "root", elsewhere, methods=["GET", "POST"])
    with (
        serving(other) as url,
        answering(lambda: Response("", 307, {"Location": url})) as client,
    ):
        assert client.send(NUMBER, "hello").outcome is Outcome.CHANNEL_DOWN
    assert not heard.is_set()


def test_what_is_sent_says_always_whether_to_queue() -> None:
    forms: list[dict[str, str]] = []

    def view() -> dict[str, Any]:
        forms.append(request.form.to_dict())
        return recipients(GOOD)

    with answering(view) as client:
        client.send(NUMBER, "hello")
    assert forms == [
        {"username": "user", "to": NUMBER, "message": "hello", "bulkSMSMode": "1", "enqueue": "1"}
    ]


def test_nothing_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, so that nobody else gets it, but not listening
        client = Client("u", "k", base_url=f"http://127.0.0.1:{taken.getsockname()[1]}")
        assert client.send(NUMBER, "x") == SendResult(Outcome.RETRYABLE, "no_connection")


def test_no_such_host() -> None:
    client = Client("u", "k", base_url="https://nowhere.invalid", timeout=2)
    assert client.send(NUMBER, "x").outcome is Outcome.RETRYABLE


@contextmanager
def raw_server(behave: Callable[[socket.socket], None], connections: int = 1) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def work() -> None:
            for _ in range(connections):
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(5)
                    behave(connection)

        thread = threading.Thread(target=work)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def test_an_answer_that_drips_ends_at_the_deadline() -> None:
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n")
        while not over.wait(0.05):
            try:
                connection.sendall(b"x")
            except OSError:
                return

    with raw_server(drip) as port:
        client = Client("u", "k", base_url=f"http://127.0.0.1:{port}", timeout=0.4)
        assert client.send(NUMBER, "x") == SendResult(Outcome.UNKNOWN, "answer_lost")
        over.set()


def test_an_endless_answer_is_cut_off() -> None:
    def flood(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 201 Created\r\n\r\n")
        try:
            for _ in range(100):
                connection.sendall(b"x" * 65536)
        except OSError:
            return

    with raw_server(flood) as port:
        client = Client("u", "k", base_url=f"http://127.0.0.1:{port}", timeout=5)
        assert client.send(NUMBER, "x") == SendResult(Outcome.UNKNOWN, "answer_lost")


def test_a_server_that_speaks_no_tls_got_nothing() -> None:
    def plain(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with raw_server(plain) as port:
        client = Client("u", "k", base_url=f"https://127.0.0.1:{port}", timeout=2)
        assert client.send(NUMBER, "x") == SendResult(Outcome.RETRYABLE, "tls")


def test_a_connection_is_used_again_unless_it_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    ports: list[int] = []
    body = json.dumps(recipients(GOOD)).encode()

    class Keeping(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            ports.append(self.client_address[1])
            self.send_response(201)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Keeping) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        client = Client("u", "k", base_url=f"http://127.0.0.1:{server.server_port}")
        outcomes = [client.send(NUMBER, "x").outcome for _ in range(2)]
        monkeypatch.setattr(calling, "IDLE_SECONDS", -1.0)
        outcomes.append(client.send(NUMBER, "x").outcome)
        client._sms.caller._session().close()
        server.shutdown()
        thread.join()
    assert outcomes == [Outcome.SENT] * 3
    assert ports[0] == ports[1] != ports[2]


def test_a_proxy_in_the_environment_does_not_get_calls_to_this_machine(
    at: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert at.send(NUMBER, "x").outcome is Outcome.SENT


@pytest.mark.parametrize("suffix", ["", "/", "/version1", "/version1/"])
def test_the_base_url_may_end_in_version1(network: str, suffix: str) -> None:
    client = Client("u", "k", base_url=network + suffix)
    assert client.send(NUMBER, "x").outcome is Outcome.SENT


@pytest.mark.parametrize(
    "url",
    ["http://api.example.org", "ftp://127.0.0.1", "api.example.org", "https://", "https://h?x=1",
     "https://user:pw@h", "http://127.0.0.1.example.org"],
)  # fmt: skip
def test_an_address_that_may_not_get_the_key_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="LEAFLINE_AT_BASE_URL"):
        Client("u", "k", base_url=url)


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ({}, "http://127.0.0.1:8001/version1"),
        ({"at_base_url": "http://localhost:9999"}, "http://localhost:9999/version1"),
        ({"at_api_key": "k"}, "https://api.sandbox.africastalking.com/version1"),
        (
            {"at_api_key": "k", "at_username": "farm"},
            "https://api.africastalking.com/version1",
        ),
    ],
)
def test_settings_say_where_messages_go(given: dict[str, str], base: str) -> None:
    assert Client.from_settings(Settings.read(**given))._sms._baseUrl == base


def test_the_balance(at: Client) -> None:
    assert at.balance() == (Money(Decimal("1785.50"), "KES"), "")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (("The supplied authentication is invalid", 401), "wrong_key"),
        (("", 500), "http_500"),
        (("[]", 200), "unreadable_answer"),
        (("x", 200), "unreadable_answer"),
    ],
)
def test_a_balance_that_is_not_told(answer: tuple[str, int], reason: str) -> None:
    app = Flask("odd")
    app.add_url_rule("/version1/user", "user", lambda: answer)
    with serving(app) as url:
        assert Client("u", "k", base_url=url).balance() == (None, reason)
    assert Client("u", "k", base_url=url, timeout=1).balance() == (None, "no_answer")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("KES 0.8000", Money(Decimal("0.8000"), "KES")),
        ("0", Money(Decimal(0), "")),
        ("-1", None),
        ("KES", None),
        ("1e5", None),
        ("٣", None),
        (None, None),
    ],
)
def test_costs(text: object, value: Money | None) -> None:
    assert money(text) == value


NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30.0),
        ("999999999", calling.LONGEST_WAIT),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("٣", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": value}, NOW) == seconds


@pytest.mark.parametrize(
    ("utc", "hours"), [("06:00", 1), ("07:00", 24), ("20:30", 10.5), ("23:00", 8)]
)
def test_quiet_hours_end_at_eight_in_lagos(utc: str, hours: float) -> None:
    moment = datetime.fromisoformat(f"2026-11-24T{utc}+00:00")
    assert until_quiet_ends(moment) == hours * 3600


def test_the_simulator_and_the_client_know_the_same_codes() -> None:
    assert set(STATUS) - {999} == set(RECIPIENT)
    assert {name.lower(): code for code, name in STATUS.items() if code != 999} == NAMES
