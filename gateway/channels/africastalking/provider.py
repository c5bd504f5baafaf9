"""Africa's Talking as one of the providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from gateway.channels.provider import Provider, Taker
from gateway.context import Context
from gateway.outbox.network import Network
from gateway.settings import Settings

if TYPE_CHECKING:
    from flask import Blueprint


class AfricasTalking:
    name = "africastalking"
    settings = None  # among those of Leafline itself: the simulator stands in for it

    def callbacks(self) -> Mapping[str, Taker]:
        from gateway.channels.africastalking.events import CALLBACKS

        return CALLBACKS

    def blueprint(self, context: Context) -> Blueprint:
        from gateway.channels.africastalking import webhooks

        return webhooks.blueprint(context)

    def address(self, key: str) -> str:
        return f"/africastalking/{key}/"

    def missing(self, settings: Settings) -> str:
        if settings.simulator_on or settings.at_api_key.get_secret_value():
            return ""
        return "set AT_USERNAME and AT_API_KEY, or switch the simulator on"

    def network(self, settings: Settings) -> Network:
        from gateway.channels.africastalking.client import Client

        return Client.from_settings(settings)

    def check(self, settings: Settings) -> tuple[Literal["ok", "warn", "fail"], str]:
        if not settings.at_api_key.get_secret_value():
            if settings.simulator_on:
                return "warn", "no AT_API_KEY: messages go to the simulator, not to phones"
            return "fail", "no AT_API_KEY and no simulator: set AT_USERNAME and AT_API_KEY"
        return _account(settings)


def _account(settings: Settings) -> tuple[Literal["ok", "warn", "fail"], str]:
    from gateway.channels.africastalking.client import Client

    where = " (sandbox: no message leaves it)" if settings.at_username == "sandbox" else ""
    name = f"Africa's Talking, username {settings.at_username}{where}"
    held, reason = Client.from_settings(settings).balance()
    if reason == "wrong_key":
        return "fail", (
            f"{name}: the key is refused; check AT_USERNAME and AT_API_KEY (a new key needs up to "
            "20 minutes)"
        )
    if held is None:
        return "warn", f"{name}: the account cannot be asked now ({reason})"
    if held.amount <= 0:
        return "fail", f"{name}: no credit is left; no message will leave"
    return "ok", f"{name}, balance {held.currency} {held.amount}"


PROVIDER: Provider = AfricasTalking()
