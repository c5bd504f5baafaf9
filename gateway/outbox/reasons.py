"""Reasons that mean the same whichever provider gives them.

A provider's tables translate its own codes into these words; a reason that is not in here means
the account, or the message, and is told to a person.
"""

from __future__ import annotations

from datetime import timedelta

NOT_REACHED = frozenset({"no_connection", "connect_timeout", "proxy", "tls"})
"""The provider was not reached: its trouble, which counts against no message."""

UNWANTED = "blacklisted"
"""Whoever has this number wants no messages from us."""

ABROAD = "country"
"""A number of a country to which we do not send."""

OF_THE_NUMBER = frozenset(
    {ABROAD, "invalid_number", "unsupported_number", UNWANTED, "no_route", "absent", "inactive",
     "suspended", "other_network", "no_such_number", "delivery_failure", "do_not_disturb"}
)  # fmt: skip
"""The number's trouble, not ours: seen beside the message, but no incident."""

AGAIN_AFTER = {"delivery_failure": timedelta(minutes=30), "do_not_disturb": timedelta(hours=12)}
"""Failures of delivery that may pass: once more after so long. Hours in which the number wants
quiet are twelve a day, so that after twelve more they are over."""

RESTORED = "restored"
"""It waited when a backup was made, and that was restored: it may have been sent since."""
