from __future__ import annotations

import json

from gateway.channels.africastalking.client import Client
from gateway.outbox.network import Outcome
from tests.channels.samples import PHONE, Sample

RECIPIENT = {"number": PHONE, "statusCode": 101, "messageId": "ATXid_1", "cost": "KES 0.8000"}


def answer(recipient: dict[str, object]) -> str:
    return json.dumps({"SMSMessageData": {"Message": "Sent", "Recipients": [recipient]}})


SAMPLE = Sample(
    name="africastalking",
    client=lambda url, secret, timeout: Client("user", secret, base_url=url, timeout=timeout),
    accepting=(201, answer(RECIPIENT)),
    refusing=[
        (401, "The supplied authentication is invalid", Outcome.CHANNEL_DOWN, "wrong_key"),
        (429, "", Outcome.THROTTLED, "rate"),
        (201, answer(RECIPIENT | {"statusCode": 405}), Outcome.CHANNEL_DOWN, "no_credit"),
        (201, answer(RECIPIENT | {"statusCode": 407}), Outcome.REJECTED, "no_route"),
        (201, answer(RECIPIENT | {"statusCode": 501}), Outcome.RETRYABLE, "gateway_error"),
    ],
    address="/africastalking/KEY/",
    sms=lambda id_, text: (
        "sms",
        {"from": PHONE, "id": id_, "text": text, "to": "384", "date": "2026-11-24 06:04:45"},
    ),
    report=lambda id_, status: (
        "delivery-reports",
        {"id": id_, "status": status, "phoneNumber": PHONE},
    ),
    statuses={
        "Success": "delivered",
        "Failed": "failed",
        "Rejected": "failed",
        "AbsentSubscriber": "failed",
        "Buffered": "sent",
        "Teleported": "sent",
    },
    failed="Rejected",
    nonsense=[("sms", {}), ("sms", {"from": "nobody"}), ("delivery-reports", {"id": "1"})],
)
