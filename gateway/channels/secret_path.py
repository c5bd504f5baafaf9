"""The secret part of a webhook's path: what stands in for a signature that networks do not send."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from ipaddress import ip_address

from flask import Blueprint, abort, request

from gateway.channels import channel_keys
from gateway.channels.channel_keys import Channel
from gateway.settings import Settings

log = logging.getLogger("leafline.doors")


def guard(
    routes: Blueprint,
    settings: Settings,
    channel_of: Callable[[str, Mapping[str, str]], Channel] | None = None,
) -> None:
    """Answer 404 before anything is parsed, unless the path's `<key>` opens the channel now and the
    caller is in one of the networks that may call.

    Every key is compared, each in constant time.

    Args:
        channel_of: the channel of an endpoint (without its blueprint) and the path's other values;
            left out: that of the path's `<kind>`.
    """
    channel_of = channel_of or _by_kind
    for channel in channel_keys.CHANNELS:
        channel_keys.valid(settings, channel)  # made now, and said now if they cannot be

    @routes.url_value_preprocessor
    def check(endpoint: str | None, values: dict[str, str] | None) -> None:
        values = values if values is not None else {}
        given = values.pop("key", "").encode()
        channel = channel_of((endpoint or "").rpartition(".")[2], values)
        fits = [
            hmac.compare_digest(given, key.encode())
            for key in channel_keys.valid(settings, channel)
        ]
        if not any(fits):
            abort(HTTPStatus.NOT_FOUND)
        if not _may_call(settings, request.remote_addr):
            log.warning("%s callback with its key from outside LEAFLINE_CHANNEL_ADDRESSES", channel)
            abort(HTTPStatus.NOT_FOUND)


def _by_kind(_endpoint: str, values: Mapping[str, str]) -> Channel:
    return channel_keys.OF_KIND.get(values.get("kind", ""), "sms")


def _may_call(settings: Settings, caller: str | None) -> bool:
    """The caller is whom the proxies name of which there are LEAFLINE_PROXIES."""
    if not settings.channel_addresses:
        return True
    try:
        address = ip_address((caller or "").partition("%")[0])
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in settings.channel_addresses)
