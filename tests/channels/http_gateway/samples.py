from __future__ import annotations

from gateway.channels.http_gateway.client import Client
from gateway.channels.http_gateway.settings import HttpGateway
from gateway.outbox.network import Outcome
from tests.channels.samples import PHONE, Sample


def client(url: str, secret: str, timeout: float, **more: object) -> Client:
    """One that speaks as Kannel is spoken to, unless told otherwise."""
    given = {"url": f"{url}/cgi-bin/sendsms", "user": "tester", "password": secret}
    own = HttpGateway.read(**given, timeout=timeout, **more)
    return Client(own, reports="http://127.0.0.1/http-gateway/KEY/report", sender="384")


SAMPLE = Sample(
    name="http_gateway",
    client=client,
    accepting=(202, "0: Accepted for delivery"),
    refusing=[
        (403, "Authorization failed for sendsms", Outcome.CHANNEL_DOWN, "wrong_key"),
        (429, "", Outcome.THROTTLED, "rate"),
        (400, "Sender missing and no global set, rejected", Outcome.CHANNEL_DOWN, "blocked_sender"),
        (403, "Not routable. Do not try again.", Outcome.REJECTED, "no_route"),
        (503, "Temporal failure, try again later.", Outcome.RETRYABLE, "gateway_error"),
    ],
    address="/http-gateway/KEY/",
    sms=lambda id_, text: (
        "sms",
        {"from": PHONE, "id": id_, "text": text, "to": "384", "date": "2026-11-24 06:04:45"},
    ),
    report=lambda id_, status: ("report", {"ref": id_, "status": status, "phone": PHONE}),
    statuses={
        "1": "delivered",
        "2": "failed",
        "16": "failed",
        "EXPIRED": "failed",
        "8": "sent",
        "99": "sent",
    },
    failed="16",
    taken="",
    nonsense=[("sms", {}), ("sms", {"from": "nobody"}), ("report", {"ref": "1"})],
)
