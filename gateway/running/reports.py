"""Errors reported to Sentry: the log lines of level ERROR with their tracebacks, masked alike.

Nothing else is looked at: no request, no local variable, no breadcrumb, no trace.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.logging import EventHandler

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

Mask = Callable[[str], str]


def handler(dsn: str, process: str, mask: Mask) -> logging.Handler:
    """What sends records of level ERROR to the project of this DSN, in a thread of its own."""

    def prepare(event: Event, _hint: Hint) -> Event:
        clean = masked(event, mask)
        clean["tags"] = {"process": process}
        return cast("Event", clean)

    sentry_sdk.init(
        dsn,
        release=version("leafline"),
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[AtexitIntegration(callback=lambda _pending, _seconds: None)],
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        propagate_traces=False,
        before_send=prepare,
    )
    return EventHandler(logging.ERROR)


def masked(value: Any, mask: Mask) -> Any:
    """A copy of what JSON can hold, every text in it masked."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: masked(one, mask) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [masked(one, mask) for one in value]
    return value
