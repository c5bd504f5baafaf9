"""Kinds of values that settings have: how each is read, what is refused, and what is secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import NoDecode

from gateway.settings.key_ring import unwrapped, weakness

Mark = TypeVar("Mark")
Switch = Literal["auto", "on", "off"]

# Marks


@dataclass(frozen=True)
class Hidden:
    """Nobody else may see it, though it is no `SecretStr`, whose fields need no such mark."""


@dataclass(frozen=True)
class Lines:
    """Line ends in it say something, also the last."""


@dataclass(frozen=True)
class Strong:
    """A secret that we could have made, so one that is easy to guess is refused at start."""

    shortest: int
    """Characters."""
    better: str
    """How to have a good one."""

    def weakness(self, secret: str) -> str:
        """What makes it easy to guess, or empty."""
        return weakness(secret, self.shortest)


def marked(field: FieldInfo, kind: type[Mark]) -> Mark | None:
    """The mark of that kind in the annotation of a field."""
    return next((mark for mark in field.metadata if isinstance(mark, kind)), None)


def hidden(field: FieldInfo) -> bool:
    """Whether its value is a secret: may lie in a file, and is never in a log or a `repr`."""
    return SecretStr in _types(field.annotation) or marked(field, Hidden) is not None


def revealed(value: object) -> list[str]:
    """The texts of one secret or of several; of anything else none."""
    several = value if isinstance(value, tuple) else (value,)
    return [one.get_secret_value() for one in several if isinstance(one, SecretStr)]


def password_in(url: str) -> str:
    """Of an address, also of one that is none, such as `http://me:word@[::1`; empty without."""
    authority = re.split("[/?#]", url.partition("://")[2], maxsplit=1)[0]
    return authority.rpartition("@")[0].partition(":")[2]


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for inner in get_args(annotation):
        yield from _types(inner)


# Texts


def text(read: Callable[[str], object]) -> BeforeValidator:
    """Read a value that is still a text; what code passes is taken as it is."""
    return BeforeValidator(lambda value: read(value) if isinstance(value, str) else value)


def listed(each: Callable[[str], str] = str.strip) -> BeforeValidator:
    """Comma-separated parts, none of them empty."""
    return text(lambda value: _parts(value, each))


def _parts(value: str, each: Callable[[str], str]) -> tuple[str, ...]:
    return tuple(part for piece in value.split(",") if (part := each(piece)))


def _low(part: str) -> str:
    return part.strip().lower()


def fits(pattern: str, advice: str) -> AfterValidator:
    """Empty, or what the pattern finds from the start."""

    def check(value: Any) -> Any:
        given = value.get_secret_value() if isinstance(value, SecretStr) else value
        if given and not re.match(pattern, given):
            raise ValueError(advice)
        return value

    return AfterValidator(check)


# Secrets

SECRET_KEY = Strong(
    32,
    "make one with `openssl rand -base64 32`, keep the weak one in "
    "LEAFLINE_OLD_SECRET_KEYS and run `leafline keys rotate`",
)
CHANNEL_KEY = Strong(16, "make one with `openssl rand -hex 24`, and set the webhooks anew")


def _keys(value: str) -> tuple[str, ...]:
    keys = _parts(value, unwrapped)
    if any("/" in key for key in keys):
        raise ValueError("a key must not contain '/'")
    return keys


def _keys_of_before(value: str) -> tuple[str, ...]:
    # One a line where there are lines, so that a key may hold a comma.
    parts = value.splitlines() if "\n" in value else value.split(",")
    return tuple(part.strip() for part in parts if part.strip())


Copied = Annotated[str, text(unwrapped)]
"""What people copy from elsewhere, and nobody minds if it is seen."""
Secret = Annotated[SecretStr, text(unwrapped)]
SecretUrl = Annotated[str, text(unwrapped), Hidden(), Field(repr=False)]
"""An address with a password in it."""
HeaderSecret = Annotated[
    Secret, fits(r"[!-~]*\Z", "has a blank or a letter that no key has; copy it anew")
]
SecretKey = Annotated[Secret, SECRET_KEY]
ChannelKeys = Annotated[tuple[SecretStr, ...], NoDecode, text(_keys), CHANNEL_KEY]
OldKeys = Annotated[tuple[SecretStr, ...], NoDecode, text(_keys_of_before), Lines()]
"""Taken letter by letter, however weak: what they sealed is to be read."""

# Addresses


def _one_redis(value: str) -> str:
    scheme = value.partition("://")[0].lower() if "://" in value else ""
    if "sentinel" in scheme:
        raise ValueError("Sentinel is not asked; give redis:// of the one that takes writes")
    if value and scheme not in ("redis", "rediss", "unix"):
        raise ValueError("give redis://host:6379/0, rediss:// or unix:///path")
    return value


PublicUrl = Annotated[str, fits(r"https?://[^/\s]", "give https://leaf.example.org")]
RedisUrl = Annotated[SecretUrl, AfterValidator(_one_redis)]
SentryDsn = Annotated[
    Secret, fits(r"https?://[^/@\s]+@[^/@\s]+/(?:\S+/)?\d+\Z", "give https://key@host/project")
]
MailUrl = Annotated[
    Secret, fits(r"smtps?://[^/]*[^/@]", "give smtp://user:password@host:587 or smtps://...")
]
Hosts = Annotated[tuple[str, ...], NoDecode, listed(_low)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, listed()]

# Names


def _providers(value: str) -> tuple[str, ...]:
    names = _parts(value, _low)
    if len(set(names)) != len(names):
        raise ValueError("name each provider once")
    return names or ("africastalking",)


def _with_numbers(advice: str) -> Callable[[str], str]:
    def check(country: str) -> str:
        from phonenumbers import SUPPORTED_REGIONS

        if country not in SUPPORTED_REGIONS:
            raise ValueError(f"{country} is no country with phone numbers; give {advice}")
        return country

    return check


def _each_with_numbers(countries: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(_with_numbers("RW, KE, ..."), countries))


Providers = Annotated[tuple[str, ...], NoDecode, text(_providers)]
Region = Annotated[
    str,
    text(str.upper),
    Field(pattern=r"^[A-Z]{2}$"),
    AfterValidator(_with_numbers("one such as RW")),
]
Countries = Annotated[
    tuple[str, ...],
    NoDecode,
    listed(lambda part: part.strip().upper()),
    AfterValidator(_each_with_numbers),
]

# Amounts

Amount = Annotated[
    str, fits(r"[A-Z]{3} \d{1,9}(\.\d{1,4})?\Z", "give a currency and an amount, `RWF 50000`")
]
Ceiling = Annotated[int, Field(ge=0)]
"""0: none."""
OwnMonths = Annotated[int, Field(ge=0, le=99)]
"""0: as long as a case."""
Port = Annotated[int, Field(ge=0, le=65535)]
SignIn = Annotated[float, Field(gt=0, le=24 * 31)]
"""Hours."""
Idle = Annotated[float, Field(gt=1, le=60 * 24 * 31)]
"""Minutes."""
WorkingHours = Annotated[float, Field(gt=0, le=1000)]
