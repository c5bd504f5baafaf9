"""The secret part of a webhook's path: what stands in for a signature that networks do not send."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from http import HTTPStatus

from flask import Blueprint, abort


def guard(routes: Blueprint, keys: Sequence[str]) -> None:
    """Answer 404 before anything is parsed, unless the path's `<key>` is one of `keys`.

    Every key is compared, each in constant time.
    """
    valid = [key.encode() for key in keys]

    @routes.url_value_preprocessor
    def check(_endpoint: str | None, values: dict[str, str] | None) -> None:
        given = (values or {}).pop("key", "").encode()
        fits = [hmac.compare_digest(given, key) for key in valid]
        if not any(fits):
            abort(HTTPStatus.NOT_FOUND)
