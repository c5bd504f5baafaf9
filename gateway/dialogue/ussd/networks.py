"""Mobile networks as a phone meets them: what stands in the request, what they cut off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class MobileNetwork:
    name: str
    country: str
    """ISO 3166 alpha-2; empty for the provider's sandbox."""
    network_code: str
    """MCC and MNC joined, as Africa's Talking sends it."""
    screen: int = 160
    """Characters of a screen, its `CON ` or `END ` with it."""
    answer: int = 80
    """Characters of one answer; the phone takes no more."""
    replies: bool = True
    """Whether an SMS of a subscriber reaches the service."""
    deep: Literal["text", "code"] = "text"
    """Where what is dialled behind the code arrives: as the first answers, or in the code. The
    provider does not say which, so that both occur here."""


NETWORKS = {
    "sandbox": MobileNetwork("Sandbox", "", "99999", answer=160),
    "mtn-rw": MobileNetwork("MTN Rwanda", "RW", "63510", replies=False),
    "airtel-rw": MobileNetwork("Airtel Rwanda", "RW", "63514", replies=False, deep="code"),
    "safaricom-ke": MobileNetwork("Safaricom Kenya", "KE", "63902"),
    "airtel-ke": MobileNetwork("Airtel Kenya", "KE", "63903", screen=184, answer=90),
    "mtn-ug": MobileNetwork("MTN Uganda", "UG", "64110"),
    "airtel-ug": MobileNetwork("Airtel Uganda", "UG", "64101", deep="code"),
    "vodacom-tz": MobileNetwork("Vodacom Tanzania", "TZ", "64004"),
    "mtn-ng": MobileNetwork("MTN Nigeria", "NG", "62130"),
}
"""Codes and, for Kenya and Nigeria, limits as in the provider's help pages (2020); the limits of
the others are not published and are taken to be the narrowest. Rwanda's bulk routes carry no
replies."""
