"""How the gateways speak that many run, and what their words mean to us.

Sources: Kannel's user guide and the answers of its 1.4.5, Jasmin's and playSMS's pages on their
HTTP interfaces, read in 2026. Every column but the refusals can be replaced by a setting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.outbox.network import Outcome
from gateway.outbox.reports import Fate

Refusal = tuple[re.Pattern[str], Outcome, str]


@dataclass(frozen=True)
class Gateway:
    """One kind of gateway.

    `fields`: what a request to send holds, as a query with placeholders. `accepted`: found in the
    body of a 2xx answer that took the message; its first group, if it has one, is the message's id.
    `refusals`: found in the body of any other answer, the first that fits counts. `dlr`: query that
    the gateway fills in when it reports. `statuses`: word of a report, in capitals, to the fate and
    the reason. `names`: our names of the fields it calls us with to its own, where they differ.
    `answer`: what it wants to read when we took something.
    """

    fields: str
    accepted: str
    refusals: tuple[Refusal, ...] = ()
    dlr: str = ""
    statuses: Mapping[str, tuple[Fate, str]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    answer: str = ""


SMPP: dict[str, tuple[Fate, str]] = {
    "DELIVRD": ("delivered", ""),
    "ACCEPTD": ("", ""),
    "ENROUTE": ("", ""),
    "SCHEDULED": ("", ""),
    "UNKNOWN": ("", ""),
    "UNDELIV": ("failed", "delivery_failure"),
    "EXPIRED": ("absent", ""),
    "DELETED": ("failed", "deleted"),
    "REJECTD": ("failed", "smsc_rejected"),
    "SKIPPED": ("failed", "smsc_rejected"),
}
"""Words of SMPP's delivery receipts, which many gateways hand on."""


def _refusal(pattern: str, outcome: Outcome, reason: str) -> Refusal:
    return re.compile(pattern, re.IGNORECASE), outcome, reason


KANNEL = Gateway(
    fields=(
        "username={user}&password={password}&to={to}&from={from}&text={text}&charset=UTF-8"
        "&coding=0&dlr-mask=31&dlr-url={dlr_url}"
    ),
    accepted=r"^\s*(?:0: Accepted|3: Queued)",
    refusals=(
        _refusal("authorization failed", Outcome.CHANNEL_DOWN, "wrong_key"),
        _refusal("sender missing", Outcome.CHANNEL_DOWN, "blocked_sender"),
        _refusal("receiver number", Outcome.REJECTED, "invalid_number"),
        _refusal("not routable", Outcome.REJECTED, "no_route"),
        _refusal("temporal failure", Outcome.RETRYABLE, "gateway_error"),
    ),
    dlr="status=%d&phone=%p",
    statuses=SMPP
    | {
        "1": ("delivered", ""),
        "2": ("failed", "delivery_failure"),
        "4": ("", ""),
        "8": ("", ""),
        "16": ("failed", "smsc_rejected"),
        "32": ("", ""),
    },
)
JASMIN = Gateway(
    fields=(
        "username={user}&password={password}&to={to}&from={from}&content={text}&coding=0"
        "&dlr=yes&dlr-level=3&dlr-method=POST&dlr-url={dlr_url}"
    ),
    accepted=r'^\s*Success\s+"([^"]+)"',
    refusals=(
        _refusal("authentication failure", Outcome.CHANNEL_DOWN, "wrong_key"),
        _refusal("throughput exceeded", Outcome.THROTTLED, "rate"),
        _refusal("cannot charge", Outcome.CHANNEL_DOWN, "no_credit"),
        _refusal("authorization failed", Outcome.CHANNEL_DOWN, "forbidden"),
        _refusal("no route found", Outcome.REJECTED, "no_route"),
        _refusal("cannot send submit_sm", Outcome.RETRYABLE, "gateway_error"),
    ),
    statuses=SMPP
    | {
        "ESME_ROK": ("", ""),
        "ESME_RTHROTTLED": ("", ""),
        "ESME_RINVDSTADR": ("failed", "invalid_number"),
        "ESME_RSUBMITFAIL": ("failed", "smsc_rejected"),
    },
    names={"status": "message_status", "text": "content"},
    answer="ACK/Jasmin",
)
PLAYSMS = Gateway(
    fields="app=ws&op=pv&u={user}&h={password}&to={to}&from={from}&msg={text}",
    accepted=r'"status"\s*:\s*"OK"(?:.*?"smslog_id"\s*:\s*"?([0-9]+))?',
    refusals=(
        _refusal(r'"error"\s*:\s*"?10[0456]\b', Outcome.CHANNEL_DOWN, "wrong_key"),
        _refusal(r'"error"\s*:\s*"?103\b', Outcome.CHANNEL_DOWN, "no_credit"),
        _refusal(r'"status"\s*:\s*"ERR', Outcome.REJECTED, "refused"),
    ),
    statuses=SMPP,
)
GATEWAYS: Mapping[str, Gateway] = {"kannel": KANNEL, "jasmin": JASMIN, "playsms": PLAYSMS}

# HTTP statuses outside 2xx whose body says nothing known; see gateway.channels.calling.by_status.
HTTP: dict[int, tuple[Outcome, str]] = {
    401: (Outcome.CHANNEL_DOWN, "wrong_key"),
    403: (Outcome.CHANNEL_DOWN, "forbidden"),
    404: (Outcome.CHANNEL_DOWN, "wrong_address"),
    405: (Outcome.CHANNEL_DOWN, "wrong_method"),
    408: (Outcome.RETRYABLE, "request_timeout"),
    429: (Outcome.THROTTLED, "rate"),
}
