"""Settings of the HTTP gateway, LEAFLINE_HTTP_GATEWAY_...: how it is spoken to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from ipaddress import ip_address
from typing import Literal, get_args
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from gateway.channels.http_gateway.tables import GATEWAYS, Gateway
from gateway.outbox.reports import Fate
from gateway.settings import Copied, Secret, Section

PLACEHOLDERS = ("user", "password", "to", "digits", "from", "text", "dlr_url")
PLACEHOLDER = re.compile(r"\{(\w+)\}")
OURS = ("id", "from", "to", "text", "date", "status", "phone")


class HttpGateway(Section):
    """What is empty is as the kind of gateway named by `speaks` has it."""

    model_config = SettingsConfigDict(env_prefix="LEAFLINE_HTTP_GATEWAY_")

    url: Copied = Field("", description="Address to which messages go; empty: there is no gateway")
    speaks: Literal["kannel", "jasmin", "playsms"] = Field(
        "kannel", description="Kind of gateway, whose ways the settings below replace"
    )
    user: Copied = Field("", description="User name at the gateway")
    password: Secret = Field(SecretStr(""), description="Password or token at the gateway")
    method: Literal["GET", "POST"] = Field("GET", description="How a message is handed over")
    fields: str = Field(
        "",
        description="Fields of a message as a query; {user}, {password}, {to} (+250...), {digits} "
        "(250...), {from}, {text} and {dlr_url} are filled in, and what is empty then is left out",
    )
    accepted: str = Field(
        "",
        description="Pattern in the body of a 2xx answer that took the message; its first group is "
        "the message's id",
    )
    dlr: str = Field("", description="Query of the report's address, for the gateway to fill in")
    statuses: str = Field(
        "",
        description="More words of reports: WORD=FATE or WORD=FATE:REASON, comma-separated; a fate "
        "is way, delivered, failed or absent",
    )
    names: str = Field(
        "",
        description="Names of the fields it calls us with, where they are not ours: "
        f"OURS=THEIRS, comma-separated; ours are {', '.join(OURS)}",
    )
    answer: str = Field("", description="What it wants to read when something was taken in")
    callback_url: Copied = Field(
        "",
        description="Address under which it reaches the web process; empty: LEAFLINE_PUBLIC_URL, "
        "or this machine",
    )
    timeout: float = Field(15.0, gt=0, le=60, description="Seconds for one request to it")

    @field_validator("url", "callback_url")
    @classmethod
    def _fit_for_secrets(cls, value: str) -> str:
        if value and not _may_get_secrets(value):
            raise ValueError(
                "give https://host/path; http:// is for the own network alone (a private address, "
                "or a name without a dot)"
            )
        return value

    @field_validator("fields")
    @classmethod
    def _known_placeholders(cls, value: str) -> str:
        if unknown := set(PLACEHOLDER.findall(value)) - set(PLACEHOLDERS):
            raise ValueError(f"{{{min(unknown)}}} is none of {', '.join(PLACEHOLDERS)}")
        found = set(PLACEHOLDER.findall(value))
        if value and not ("text" in found and found & {"to", "digits"}):
            raise ValueError("the fields need {text}, and {to} or {digits}")
        return value

    @field_validator("accepted")
    @classmethod
    def _pattern(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from None
        return value

    @field_validator("statuses")
    @classmethod
    def _fates(cls, value: str) -> str:
        _statuses(value)
        return value

    @field_validator("names")
    @classmethod
    def _our_names(cls, value: str) -> str:
        if unknown := set(_pairs(value)) - set(OURS):
            raise ValueError(f"{min(unknown)} is none of {', '.join(OURS)}")
        return value

    @cached_property
    def gateway(self) -> Gateway:
        """The kind of gateway with what the settings replace."""
        kind = GATEWAYS[self.speaks]
        return Gateway(
            fields=self.fields or kind.fields,
            accepted=self.accepted or kind.accepted,
            refusals=kind.refusals,
            dlr=self.dlr or kind.dlr,
            statuses={**kind.statuses, **_statuses(self.statuses)},
            names={**kind.names, **_pairs(self.names)},
            answer=self.answer or kind.answer,
        )

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """Fields of a message with their placeholders."""
        return parse_qsl(self.gateway.fields, keep_blank_values=True)


def _may_get_secrets(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.username or not host:
        return False
    if parts.scheme == "https":
        return True
    try:
        own = ip_address(host).is_private
    except ValueError:
        own = "." not in host
    return parts.scheme == "http" and own


def _pairs(text: str) -> dict[str, str]:
    """Raises: ValueError."""
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise ValueError(f"{part!r} is no NAME=VALUE")
        found[name] = value
    return found


def _statuses(text: str) -> Mapping[str, tuple[Fate, str]]:
    """Raises: ValueError."""
    found: dict[str, tuple[Fate, str]] = {}
    for word, meaning in _pairs(text).items():
        fate, _, reason = meaning.partition(":")
        known = {"way" if name == "" else name: name for name in get_args(Fate)}
        if fate not in known:
            raise ValueError(f"{fate!r} is none of {', '.join(known)}")
        found[word.upper()] = known[fate], reason[:40]
    return found
