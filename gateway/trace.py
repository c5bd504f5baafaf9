"""What a log line is about: the request or job that it belongs to, and its case.

A line of a log says what happened; these fields say to whom it belongs, so that one case can be
followed through every process.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

NOTHING: Mapping[str, str] = MappingProxyType({})
_fields: ContextVar[Mapping[str, str]] = ContextVar("leafline_trace", default=NOTHING)

HEADER = "X-Request-ID"
GIVEN = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{7,63}")
"""What we take from a proxy; anything else gets a name of ours."""


def fields() -> Mapping[str, str]:
    """Those of the request or job that runs now."""
    return _fields.get()


@contextmanager
def about(**named: object) -> Iterator[None]:
    """All lines that are written in the block, on this thread, are about this."""
    before = _fields.set({**_fields.get(), **{name: str(value) for name, value in named.items()}})
    try:
        yield
    finally:
        _fields.reset(before)


def requests(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Give each request of a WSGI application a name, or keep that of the proxy, and answer it in
    the header."""

    def named(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        given = environ.get("HTTP_" + HEADER.upper().replace("-", "_"), "")
        request = given if GIVEN.fullmatch(given) else secrets.token_hex(8)

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start_response(status, [*headers, (HEADER, request)], *more)

        with about(request=request):
            return app(environ, start)

    return named
