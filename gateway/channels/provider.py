"""What a provider's folder brings: everything that the rest of Leafline asks of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, Protocol

from gateway.context import Context
from gateway.outbox.network import Network
from gateway.settings import Section, Settings

if TYPE_CHECKING:
    from flask import Blueprint

Taker = Callable[[Context, Mapping[str, str]], None]
"""Takes one callback's fields into the store. Safe to run twice; raises when it cannot."""


class Provider(Protocol):
    """One provider. A `provider.py` names its own `PROVIDER`.

    What needs a web framework or an SDK is imported when it is asked for: a sender has no use for
    routes, a door none for the sending half.
    """

    @property
    def name(self) -> str:
        """That of the folder, at most 24 letters. Messages keep it, so it stays for ever."""
        ...

    @property
    def settings(self) -> type[Section] | None:
        """Its own settings, under a prefix of their own."""
        ...

    def callbacks(self) -> Mapping[str, Taker]:
        """What may wait in the spool, by its kind."""
        ...

    def blueprint(self, context: Context) -> Blueprint:
        """Its routes, below an address with the channel key. Raises: SettingsError."""
        ...

    def address(self, key: str) -> str:
        """What its callbacks' addresses begin with, for a person who enters them somewhere."""
        ...

    def missing(self, settings: Settings) -> str:
        """What is to be set before messages can leave by it, or empty. Raises: SettingsError."""
        ...

    def network(self, settings: Settings) -> Network:
        """Its sending half. Raises: SettingsError."""
        ...

    def check(self, settings: Settings) -> tuple[Literal["ok", "warn", "fail"], str]:
        """How it is, for `leafline doctor`: may ask, never sends. Raises: SettingsError."""
        ...
