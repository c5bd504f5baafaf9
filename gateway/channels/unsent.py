"""Requests that fail before a byte of them has left: these are never of unknown fate."""

from __future__ import annotations

from typing import Any

import requests
from requests import exceptions
from requests.adapters import HTTPAdapter
from urllib3.exceptions import LocationValueError

UNSENT = (
    exceptions.InvalidHeader,
    exceptions.InvalidJSONError,
    exceptions.InvalidProxyURL,
    exceptions.InvalidSchema,
    exceptions.InvalidURL,
    exceptions.MissingSchema,
    exceptions.URLRequired,
    UnicodeError,
)
"""Raised while a request is being written down, before there is a connection."""


class NotSent(requests.RequestException):
    """Nothing has left this machine. The text names no part of the request."""


class CheckedAdapter(HTTPAdapter):
    """Finds out before it connects whether the request can be put on the wire."""

    def send(self, request: requests.PreparedRequest, *words: Any, **more: Any) -> Any:
        """Raises: NotSent, requests.RequestException."""
        try:
            for name, value in request.headers.items():
                for part in (name, value):
                    if isinstance(part, str):
                        part.encode("latin-1")
            (request.url or "").encode("ascii")
        except UnicodeError:
            raise NotSent("a header or the address has letters that cannot be sent") from None
        try:
            return super().send(request, *words, **more)
        except LocationValueError:  # no name that could be looked up
            raise NotSent("the address cannot be looked up") from None


def nothing_left(error: Exception) -> bool:
    """Whether the error shows that the other side cannot have got anything."""
    return isinstance(error, (NotSent, *UNSENT))
