"""Who may speak to the Redis in use, and whether it is one that is still mended."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from ipaddress import ip_address
from typing import Any, cast

import redis

OLDEST = 7
"""The version before gets no more repairs. Valkey names the version of Redis that it is like."""


def open_to_others(client: redis.Redis) -> bool:
    """Whether somebody on another machine who knows no password may be heard.

    Args:
        client: connected as our own processes are, with answers decoded.

    Raises: redis.RedisError when it cannot be reached any more.
    """
    if not _hears_anybody(client):
        return False
    host = client.connection_pool.connection_kwargs.get("host")  # none at a Unix socket
    if host is not None and not _is_loopback(host):
        return True
    try:
        told = cast("dict[str, str]", client.config_get("*"))
    except redis.ResponseError:
        return False  # somebody wrote rules for it
    if told.get("protected-mode") == "yes":
        return False
    listens = told.get("port", "0") != "0" or told.get("tls-port", "0") != "0"
    names = [name.removeprefix("-") for name in told.get("bind", "").split()]
    return listens and (not names or not all(_is_loopback(name) for name in names))


def old(about: Mapping[str, Any]) -> bool:
    """By what it says of itself."""
    major = str(about.get("redis_version", "")).partition(".")[0]
    return major.isdigit() and int(major) < OLDEST


def _hears_anybody(client: redis.Redis) -> bool:
    ours = client.connection_pool
    without = {
        name: value
        for name, value in ours.connection_kwargs.items()
        if name not in ("username", "password", "credential_provider")
    }
    pool = redis.ConnectionPool(connection_class=ours.connection_class, **without)
    with closing(redis.Redis(connection_pool=pool)) as stranger:
        try:
            stranger.ping()
        except redis.AuthenticationError:
            return False
        except redis.ResponseError as error:
            if str(error).startswith("NOAUTH"):
                return False
            raise
        finally:
            pool.disconnect()
    return True


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
