"""The providers that there are, and those by which messages leave here."""

from __future__ import annotations

import importlib

from gateway import channels
from gateway.channels import channel_keys
from gateway.channels.channel_keys import OF_KIND, Channel
from gateway.channels.provider import Provider
from gateway.outbox.network import FIRST, Network
from gateway.settings import Section, Settings, SettingsError


def every() -> list[Provider]:
    return [_load(name) for name in channels.PROVIDERS]


def chosen(settings: Settings) -> list[Provider]:
    """Those of LEAFLINE_PROVIDERS, in its order. Raises: SettingsError when one is not known."""
    if unknown := [name for name in settings.providers if name not in channels.PROVIDERS]:
        raise SettingsError(
            f"setting LEAFLINE_PROVIDERS: there is no {unknown[0]}; "
            f"there are {', '.join(channels.PROVIDERS)}"
        )
    return [_load(name) for name in settings.providers]


def check(settings: Settings) -> None:
    """Raises: SettingsError when messages cannot leave by a chosen provider, or any provider's
    settings are wrong."""
    sections()
    for provider in chosen(settings):
        if missing := provider.missing(settings):
            raise SettingsError(f"messages cannot leave by {provider.name}: {missing}")


def networks(settings: Settings) -> list[Network]:
    """The sending halves, in the order in which messages go by them. Raises: SettingsError."""
    check(settings)
    return [provider.network(settings) for provider in chosen(settings)]


def sections() -> list[Section]:
    """The providers' own settings. Raises: SettingsError."""
    return [provider.settings.read() for provider in every() if provider.settings]


def variables() -> set[str]:
    """Names of the providers' own settings."""
    return {name for p in every() if p.settings for name in p.settings.variables()}


def secrets() -> list[str]:
    """What of their own settings must not be seen in a log."""
    return [secret for section in sections() for secret in section.secrets()]


def addresses(settings: Settings, channel: Channel, base: str) -> list[str]:
    """What is entered for a channel at the networks and vendors, under the key to hand out."""
    key = channel_keys.first(settings, channel)
    if channel in ("mms", "mm7"):
        return [f"{base}/{channel}/{key}"]
    # USSD comes by the first there is, whichever way messages leave.
    calling = [_load(FIRST)] if channel == "ussd" else chosen(settings)
    return [
        f"{base}{provider.address(key)}{kind}"
        for provider in calling
        for kind in ("ussd", *provider.callbacks())
        if OF_KIND.get(kind) == channel
    ]


def _load(name: str) -> Provider:
    provider: Provider = importlib.import_module(f"gateway.channels.{name}.provider").PROVIDER
    return provider
