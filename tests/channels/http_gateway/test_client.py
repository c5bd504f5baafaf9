"""SMS out, as each kind of gateway wants it, and as settings say otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, Response, request

from gateway.channels.http_gateway.settings import HttpGateway
from gateway.channels.http_gateway.tables import GATEWAYS
from gateway.outbox.network import Outcome
from gateway.settings import SettingsError
from rig.mobile import serving

from .samples import client

PHONE = "+250788000001"
URL = "https://sms.example.org/send"


@contextmanager
def gateway(body: str, status: int = 200) -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """A server that answers so; gives its address and what it has heard."""
    heard: list[tuple[str, dict[str, str]]] = []
    app = Flask("gateway")

    @app.route("/<path:_path>", methods=["GET", "POST"])
    def any_(_path: str) -> Response:
        heard.append((request.method, {**request.args.to_dict(), **request.form.to_dict()}))
        return Response(body, status)

    with serving(app) as url:
        yield url, heard


def test_kannel_is_asked_for_reports_to_an_address_with_an_id_of_ours() -> None:
    with gateway("0: Accepted for delivery", 202) as (url, heard):
        result = client(url, "pass word&", 20).send(PHONE, "é & +")
    ((method, fields),) = heard
    report = urlsplit(fields.pop("dlr-url"))
    assert (method, fields) == (
        "GET",
        {"username": "tester", "password": "pass word&", "to": PHONE, "from": "384",
         "text": "é & +", "charset": "UTF-8", "coding": "0", "dlr-mask": "31"},
    )  # fmt: skip
    assert report.path == "/http-gateway/KEY/report"
    assert report.query == f"ref={result.provider_id}&status=%d&phone=%p"


def test_two_messages_have_two_ids() -> None:
    with gateway("3: Queued for later delivery", 202) as (url, _):
        half = client(url, "p", 20)
        assert half.send(PHONE, "x").provider_id != half.send(PHONE, "x").provider_id


def test_jasmin() -> None:
    with gateway('Success "07033084-5cfd-4812-90a4-e4d24ffb6e3d"') as (url, heard):
        result = client(url, "p", 20, speaks="jasmin", method="POST").send(PHONE, "x")
    ((method, fields),) = heard
    assert (method, fields["content"], fields["dlr-method"]) == ("POST", "x", "POST")
    assert parse_qs(urlsplit(fields["dlr-url"]).query) == {"ref": [result.provider_id]}


def test_playsms_gives_the_id_itself() -> None:
    body = '{"data":[{"status":"OK","error":"0","smslog_id":"4711","to":"250"}]}'
    with gateway(body) as (url, heard):
        result = client(f"{url}/index.php?app=ws", "p", 20, speaks="playsms").send(PHONE, "x")
    assert (result.outcome, result.provider_id) == (Outcome.SENT, "4711")
    assert (heard[0][1]["op"], heard[0][1]["msg"]) == ("pv", "x")


@pytest.mark.parametrize(
    ("speaks", "status", "body", "outcome", "reason"),
    [
        ("kannel", 400, "Empty receiver number not allowed, rejected", Outcome.REJECTED,
         "invalid_number"),
        ("kannel", 202, "2: Something else", Outcome.UNKNOWN, "unreadable_answer"),
        ("kannel", 503, "", Outcome.UNKNOWN, "http_503"),
        ("jasmin", 403, 'Error "Authentication failure for username:x"', Outcome.CHANNEL_DOWN,
         "wrong_key"),
        ("jasmin", 412, 'Error "No route found"', Outcome.REJECTED, "no_route"),
        ("jasmin", 403, 'Error "User throughput exceeded"', Outcome.THROTTLED, "rate"),
        ("jasmin", 500, 'Error "Cannot send submit_sm, check SMPPClientManager log file"',
         Outcome.RETRYABLE, "gateway_error"),
        ("jasmin", 200, "Error", Outcome.UNKNOWN, "unreadable_answer"),
        ("playsms", 200, '{"status":"ERR","error":"100"}', Outcome.CHANNEL_DOWN, "wrong_key"),
        ("playsms", 200, '{"status":"ERR","error":"103"}', Outcome.CHANNEL_DOWN, "no_credit"),
        ("playsms", 200, '{"status":"ERR","error":"102"}', Outcome.REJECTED, "refused"),
    ],
)  # fmt: skip
def test_what_each_gateway_says(
    speaks: str, status: int, body: str, outcome: Outcome, reason: str
) -> None:
    with gateway(body, status) as (url, _):
        result = client(url, "p", 20, speaks=speaks).send(PHONE, "x")
    assert (result.outcome, result.reason) == (outcome, reason)


def test_a_gateway_that_nobody_has_heard_of_is_a_matter_of_settings() -> None:
    given = {
        "fields": "key={password}&number={digits}&body={text}&sender={from}&fixed=1",
        "accepted": r"queued as (\w+)",
        "method": "POST",
    }
    with gateway("queued as A17") as (url, heard):
        result = client(url, "secret", 20, **given).send(PHONE, "x")
    assert heard == [
        ("POST", {"key": "secret", "number": PHONE[1:], "body": "x", "sender": "384", "fixed": "1"})
    ]
    assert (result.outcome, result.provider_id) == (Outcome.SENT, "A17")


def test_a_lost_answer_leaves_the_id_by_which_a_report_will_come() -> None:
    with gateway("?", 500) as (url, _):
        result = client(url, "p", 20).send(PHONE, "x")
    assert result.outcome is Outcome.UNKNOWN
    assert result.provider_id


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("url", "http://sms.example.org/send"),
        ("url", "http://8.8.8.8/send"),
        ("url", "https://user:password@sms.example.org/send"),
        ("url", "ftp://127.0.0.1"),
        ("url", "sms.example.org"),
        ("callback_url", "http://leaf.example.org"),
        ("speaks", "klingon"),
        ("method", "PUT"),
        ("fields", "to={to}&text={words}"),
        ("fields", "text={text}"),
        ("accepted", "("),
        ("statuses", "1"),
        ("statuses", "1=gone"),
        ("names", "sender=from"),
        ("timeout", "0"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"LEAFLINE_HTTP_GATEWAY_{name.upper()}: "):
        HttpGateway.read(**{name: value})


@pytest.mark.parametrize(
    "url", [URL, "http://127.0.0.1:13013/x", "http://10.1.2.3/x", "http://kannel:13013/x", ""]
)
def test_an_address_that_may_get_the_password(url: str) -> None:
    assert HttpGateway.read(url=url).url == url


@pytest.mark.parametrize("speaks", GATEWAYS)
def test_the_ways_of_every_kind_are_fit_for_the_settings(speaks: str) -> None:
    ways = GATEWAYS[speaks]
    words = ",".join(
        f"{word}={fate or 'way'}:{reason}" for word, (fate, reason) in ways.statuses.items()
    )
    check: Callable[..., HttpGateway] = HttpGateway.read
    own = check(fields=ways.fields, accepted=ways.accepted, statuses=words)
    assert own.gateway.fields == ways.fields
    assert ways.statuses.items() <= own.gateway.statuses.items()
