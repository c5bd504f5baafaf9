"""Twilio's request signature.

Base64 of HMAC-SHA1, keyed with the auth token, over the address as called followed by every POST
parameter's name and value, sorted by name. Source: Twilio's documentation of webhook security.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable


def signature(token: str, url: str, parameters: Iterable[tuple[str, str]]) -> str:
    text = url + "".join(name + value for name, value in sorted(set(parameters)))
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def signed(token: str, url: str, parameters: Iterable[tuple[str, str]], given: str) -> bool:
    """Whether `given`, the header `X-Twilio-Signature`, fits. Compared in constant time."""
    return hmac.compare_digest(signature(token, url, parameters).encode(), given.encode())
