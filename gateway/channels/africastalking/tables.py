"""Africa's Talking's codes and names, and what they mean to us.

Sources: the provider's pages on sending, delivery reports and USSD as read in 2026, and responses
recorded from its API. Names are compared without regard to case: the API spells
`UserInBlacklist` where a delivery report spells `UserInBlackList`.
"""

from __future__ import annotations

from gateway.outbox.network import Outcome
from gateway.outbox.reports import Fate

# statusCode of one recipient in the answer to a send. Unlisted codes are kept as unknown.
RECIPIENT: dict[int, tuple[Outcome, str]] = {
    100: (Outcome.SENT, ""),
    101: (Outcome.SENT, ""),
    102: (Outcome.SENT, ""),
    401: (Outcome.CHANNEL_DOWN, "risk_hold"),
    402: (Outcome.CHANNEL_DOWN, "blocked_sender"),
    403: (Outcome.REJECTED, "invalid_number"),
    404: (Outcome.REJECTED, "unsupported_number"),
    405: (Outcome.CHANNEL_DOWN, "no_credit"),
    406: (Outcome.REJECTED, "blacklisted"),
    407: (Outcome.REJECTED, "no_route"),
    409: (Outcome.DEFERRED, "do_not_disturb"),
    500: (Outcome.RETRYABLE, "provider_error"),
    501: (Outcome.RETRYABLE, "gateway_error"),
    502: (Outcome.RETRYABLE, "rejected_by_gateway"),
}

MOST_ATTEMPTS = {"rejected_by_gateway": 2}
"""The provider says of this refusal: at most once more."""

# The same by name: `status` of a recipient without a code, or `Message` of an answer whose list
# of recipients is empty.
NAMES: dict[str, int] = {
    "processed": 100,
    "sent": 101,
    "queued": 102,
    "riskhold": 401,
    "invalidsenderid": 402,
    "invalidphonenumber": 403,
    "unsupportednumbertype": 404,
    "insufficientbalance": 405,
    "userinblacklist": 406,
    "couldnotroute": 407,
    "donotdisturbrejection": 409,
    "internalservererror": 500,
    "gatewayerror": 501,
    "rejectedbygateway": 502,
}

# HTTP statuses outside 2xx. Others: 3xx channel down, 4xx rejected, 5xx unknown.
HTTP: dict[int, tuple[Outcome, str]] = {
    401: (Outcome.CHANNEL_DOWN, "wrong_key"),
    403: (Outcome.CHANNEL_DOWN, "forbidden"),
    404: (Outcome.CHANNEL_DOWN, "wrong_address"),
    408: (Outcome.RETRYABLE, "request_timeout"),
    429: (Outcome.THROTTLED, "rate"),
}

# `status` of a delivery report; empty: still on its way. The provider calls only `Success`,
# `Rejected` and `Failed` final, so the last two may still be followed by a `Success`.
REPORT: dict[str, Fate] = {
    "sent": "",
    "submitted": "",
    "buffered": "",
    "success": "delivered",
    "rejected": "failed",
    "failed": "failed",
    "absentsubscriber": "absent",
    "expired": "absent",
}

# `failureReason` of a delivery report. Both spellings of the fifth are in use.
FAILURE: dict[str, str] = {
    "insufficientcredit": "subscriber_credit",
    "invalidlinkid": "invalid_link_id",
    "userisinactive": "inactive",
    "useraccountsuspended": "suspended",
    "notnetworksubcriber": "other_network",
    "notnetworksubscriber": "other_network",
    "userinblacklist": "blacklisted",
    "usernotsubscribedtoproduct": "not_subscribed",
    "userdoesnotexist": "no_such_number",
    "deliveryfailure": "delivery_failure",
    "donotdisturbrejection": "do_not_disturb",
}
