"""The HTTP gateway as one of the providers."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from gateway.channels.http_gateway.settings import HttpGateway
from gateway.channels.provider import Provider, Taker
from gateway.context import Context
from gateway.outbox.network import Network
from gateway.settings import Settings

if TYPE_CHECKING:
    from flask import Blueprint

CHECK_SECONDS = 3.0


class Http:
    name = "http_gateway"
    settings = HttpGateway

    def callbacks(self) -> Mapping[str, Taker]:
        from gateway.channels.http_gateway.events import CALLBACKS

        return CALLBACKS

    def blueprint(self, context: Context) -> Blueprint:
        from gateway.channels.http_gateway import routes

        return routes.blueprint(context)

    def address(self, key: str) -> str:
        return f"/http-gateway/{key}/"

    def missing(self, settings: Settings) -> str:
        return "" if HttpGateway.read().url else "set LEAFLINE_HTTP_GATEWAY_URL"

    def network(self, settings: Settings) -> Network:
        from gateway.channels.http_gateway.client import Client

        own = HttpGateway.read()
        base = (own.callback_url or settings.public_url or settings.url).rstrip("/")
        return Client(
            own,
            reports=f"{base}{self.address(settings.webhook_keys[0])}report",
            sender=settings.sender_id or settings.short_code,
        )

    def check(self, settings: Settings) -> tuple[Literal["ok", "warn", "fail"], str]:
        """Whether anything listens there. Asking more would be sending."""
        own = HttpGateway.read()
        if not own.url:
            return "fail", "no SMS gateway: set LEAFLINE_HTTP_GATEWAY_URL"
        parts = urlsplit(own.url)
        where = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        name = f"{own.speaks} at {where[0]}:{where[1]}"
        try:
            socket.create_connection(where, CHECK_SECONDS).close()
        except OSError as error:
            return "fail", (
                f"{name} cannot be reached ({type(error).__name__}): start it, or correct "
                "LEAFLINE_HTTP_GATEWAY_URL"
            )
        if not own.password.get_secret_value():
            return "warn", f"{name} listens, but there is no LEAFLINE_HTTP_GATEWAY_PASSWORD"
        return "ok", f"{name} listens; its first answer shows whether it takes user and password"


PROVIDER: Provider = Http()
