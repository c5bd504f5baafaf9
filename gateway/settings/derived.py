"""The settings as a whole: what several of them must agree in, and what follows from them."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Literal, Self, get_args
from urllib.parse import quote

from pydantic import SecretStr, model_validator

from gateway.settings import key_ring
from gateway.settings.errors import SettingsError
from gateway.settings.fields import Fields
from gateway.settings.kinds import Strong, marked, revealed

ONE_WAY = frozenset({"RW"})
"""Countries whose ordinary bulk routes carry no replies."""

SERVED = ("RW", "UG", "KE", "TZ")
"""Neighbours with the languages that there are texts in: people cross their borders with a SIM."""

Kept = Literal["photos", "messages", "texts", "sessions", "reports", "audit"]
"""Kinds of data that have a time of their own."""


class Settings(Fields):
    """The settings of Leafline itself."""

    # What several must agree in

    @model_validator(mode="after")
    def _mail_has_an_address(self) -> Self:
        if self.smtp_url.get_secret_value() and "@" not in self.operator_email:
            raise ValueError("LEAFLINE_SMTP_URL needs LEAFLINE_OPERATOR_EMAIL, a mail address")
        return self

    @model_validator(mode="after")
    def _no_play_with_a_real_network(self) -> Self:
        if self.simulator == "on" and self.at_api_key.get_secret_value():
            raise ValueError(
                "LEAFLINE_SIMULATOR is on, and AT_API_KEY is set: messages leave either by the "
                "simulator or by Africa's Talking; take one of them away"
            )
        return self

    @model_validator(mode="after")
    def _kept_no_longer_than_told(self) -> Self:
        for kind in get_args(Kept):
            if kind != "audit" and self.months(kind) > self.retention_months:
                raise ValueError(
                    f"LEAFLINE_RETENTION_{kind.upper()}_MONTHS is longer than "
                    "LEAFLINE_RETENTION_MONTHS, which is what farmers are told"
                )
        return self

    # What follows

    def in_texts(self) -> dict[str, str]:
        """Values that hold in every text."""
        return {
            "ussd": self.ussd_code,
            "service": self.service_name,
            "months": str(self.retention_months),
            "sms_cost": self.farmer_sms_cost,
            "dial_cost": self.farmer_dial_cost,
        }

    def months(self, kind: Kept) -> int:
        """For how many months this kind of data is kept."""
        own: int = getattr(self, f"retention_{kind}_months")
        return own or self.retention_months

    @cached_property
    def simulator_on(self) -> bool:
        if self.simulator == "auto":
            only = self.providers == ("africastalking",)
            return only and not self.at_api_key.get_secret_value()
        return self.simulator == "on"

    @cached_property
    def predict_for(self) -> Literal["open", "kiosk", "off"]:
        """Who may use POST /api/predict."""
        if self.predict_access == "auto":
            return "open" if self.simulator_on else "off"
        return self.predict_access

    @cached_property
    def sms_both_ways(self) -> bool:
        """Rwanda's bulk routes carry no replies, so texts there say "dial" unless a short code or
        the simulator takes them."""
        if self.two_way_sms == "auto":
            return bool(self.short_code) or self.simulator_on or self.region not in ONE_WAY
        return self.two_way_sms == "on"

    @cached_property
    def countries_served(self) -> tuple[str, ...]:
        """Countries to whose numbers we send."""
        return self.countries or tuple(dict.fromkeys((self.region, *SERVED)))

    @cached_property
    def simulator_url(self) -> str:
        return f"http://127.0.0.1:{self.simulator_port or self.port + 1}"

    @cached_property
    def url(self) -> str:
        """Address of the web process as seen from this machine."""
        everywhere = ("0.0.0.0", "::", "")  # noqa: S104 - recognised here, not bound
        host = "127.0.0.1" if self.host in everywhere else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @cached_property
    def store_url(self) -> str:
        """SQLAlchemy URL of the store, driver filled in."""
        return self.store_at(self.database_url)

    def store_at(self, database_url: str) -> str:
        """SQLAlchemy URL of a store that is given as in DATABASE_URL."""
        if not database_url:
            return f"sqlite:///{quote(os.fsencode(self.home.resolve() / 'leafline.sqlite3'))}"
        scheme, _, rest = database_url.partition("://")
        driver = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}
        return f"{driver.get(scheme, scheme)}://{rest}"

    @cached_property
    def queue_url(self) -> str:
        """redis-py URL of the queue and of session state."""
        return self.redis_url or f"unix://{quote(os.fsencode(self.redis_socket))}"

    @cached_property
    def spool(self) -> Path:
        """Folder of callbacks that wait for the store."""
        return self.home / "spool"

    @cached_property
    def redis_socket(self) -> Path:
        """Socket of our own Redis.

        A Unix socket path holds about 100 bytes, so a deep home folder gets one in the system's
        temporary folder instead, named after the home.
        """
        path = self.home.resolve() / "redis.sock"
        if len(os.fsencode(path)) <= 100:
            return path
        import hashlib
        import tempfile

        digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"leafline-{digest}.sock"

    def kept(self, path: Path, fresh: str) -> str:
        """The secret in a file of the home folder, `fresh` on first use. Raises: SettingsError."""
        return key_ring.kept(self.home, path, fresh)

    def kept_secret(self, name: Literal["secret_key", "channel_key"]) -> str:
        """The secret kept in the home folder, made on first use. Raises: SettingsError."""
        return self.kept(self.home / name.replace("_", "-"), key_ring.made())

    @cached_property
    def encryption_key(self) -> str:
        return self.secret_key.get_secret_value() or self.kept_secret("secret_key")

    @cached_property
    def old_keys(self) -> tuple[str, ...]:
        """Secrets that are read beside `encryption_key`, newest first."""
        given = (key.get_secret_value() for key in self.old_secret_keys)
        return (*given, *key_ring.old_keys(self.home))

    def new_key(self) -> None:
        """Make another secret in the home the one that writes; the one of so far is still read.

        Raises: SettingsError: the key is not kept in the home, or the home cannot be written.
        """
        if self.secret_key.get_secret_value():
            raise SettingsError(
                "the key is not kept in the home: move LEAFLINE_SECRET_KEY to "
                "LEAFLINE_OLD_SECRET_KEYS and set a new one"
            )
        key_ring.change_key(self.home)

    def check_strength(self) -> None:
        """Raises: SettingsError when a secret of ours is easy to guess."""
        given = self.model_copy(update={"secret_key": SecretStr(self.encryption_key)})
        for name, field in type(self).model_fields.items():
            strong = marked(field, Strong)
            for secret in revealed(getattr(given, name)) if strong else ():
                if strong and (reason := strong.weakness(secret)):
                    raise SettingsError(f"setting {self.variable(name)}: {reason}; {strong.better}")
