"""Every setting of Leafline: one typed object, read once, wrong values refused at start."""

from __future__ import annotations

import os
import re
import secrets
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote

from dotenv import dotenv_values
from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

ROOT = Path(__file__).resolve().parent.parent

ONE_WAY = frozenset({"RW"})
"""Countries whose ordinary bulk routes carry no replies."""

SERVED = ("RW", "UG", "KE", "TZ")
"""Neighbours with the languages that there are texts in: people cross their borders with a SIM."""

Switch = Literal["auto", "on", "off"]


class SettingsError(Exception):
    """A setting is missing or wrong. The text is one line that says what to do."""


def _own(name: str) -> AliasChoices:
    """A name that everybody knows (`DATABASE_URL`), without our prefix."""
    return AliasChoices(name)


Kept = Literal["photos", "messages", "texts", "sessions", "reports", "audit"]
"""Kinds of data that have a time of their own."""

FROM_FILE = "_FILE"
"""What a secret setting's name ends with where a file holds the value, as Docker secrets do."""
IN_FILES = frozenset(
    {
        "database_url", "redis_url", "secret_key", "old_secret_keys", "channel_keys", "at_api_key",
        "twilio_auth_token", "smtp_url", "sentry_dsn", "metrics_token",
        "ussd_keys", "sms_keys", "reports_keys", "mms_keys", "mm7_keys",
    }
)  # fmt: skip
"""Settings that hold a secret, by field."""
LONGEST_FILE = 64 * 1024
SHORTEST = {"secret_key": 32, "channel_keys": 16}
"""Characters of secrets that we could have made."""
FEWEST_DIFFERENT = 8
STRONGER = {
    "secret_key": "make one with `openssl rand -base64 32`, keep the weak one in "
    "LEAFLINE_OLD_SECRET_KEYS and run `leafline keys rotate`",
    "channel_keys": "make one with `openssl rand -hex 24`, and set the webhooks anew",
}
OF_CHANNELS = ("ussd_keys", "sms_keys", "reports_keys", "mms_keys", "mm7_keys")
"""Settings of keys that open one channel each."""
OLD_KEYS = "old-secret-keys"
"""File in the home, one key a line, newest first."""


def weakness(secret: str, shortest: int) -> str:
    """What makes a secret easy to guess, or empty. What we make ourselves never is."""
    if len(secret) < shortest:
        return f"is shorter than {shortest} characters"
    if len(set(secret)) < FEWEST_DIFFERENT:
        return f"has fewer than {FEWEST_DIFFERENT} different characters"
    if any(secret == (secret[:n] * len(secret))[: len(secret)] for n in range(1, len(secret) // 2)):
        return "repeats itself"
    steps = Counter(ord(b) - ord(a) for a, b in pairwise(secret))
    if max(steps.values()) > len(secret) / 2:
        return "runs through the alphabet"
    return ""


class FromFiles(PydanticBaseSettingsSource):
    """`AT_API_KEY_FILE=/run/secrets/at` instead of `AT_API_KEY=...`, for each secret setting."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        variable = variable_of(field_name, self.settings_cls)
        secret = field_name in IN_FILES or "SecretStr" in str(field.annotation)
        given: Mapping[str, str] = os.environ
        path = given.get(variable + FROM_FILE, "")
        if secret and not path and not given.get(variable):
            given = self._lines
            path = given.get(variable + FROM_FILE, "")
        if not secret or not path:
            return None, field_name, False
        if given.get(variable):
            raise SettingsError(f"set {variable} or {variable}{FROM_FILE}, not both")
        try:
            with open(path, encoding="utf-8") as file:
                value = file.read(LONGEST_FILE)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a text"
            raise SettingsError(
                f"setting {variable}{FROM_FILE}: cannot read {path}: {reason}"
            ) from None
        if not value.strip():
            raise SettingsError(f"setting {variable}{FROM_FILE}: {path} is empty")
        keeps_lines = field_name == "old_secret_keys"
        return value if keeps_lines else value.strip(), field_name, False

    @cached_property
    def _lines(self) -> Mapping[str, str]:
        """Those of `.env`."""
        kept = dotenv_values(str(self.config["env_file"]), interpolate=False)
        return {name: value or "" for name, value in kept.items()}

    def __call__(self) -> dict[str, Any]:
        found = {}
        for name, field in self.settings_cls.model_fields.items():
            value, _, _ = self.get_field_value(field, name)
            if value is not None:
                # Under the same name as in the environment, so that no other source wins over it.
                known = field.validation_alias
                found[str(known.choices[0]) if isinstance(known, AliasChoices) else name] = value
        return found


def variable_of(field: str, section: type[BaseSettings] | None = None) -> str:
    """The environment variable of a setting."""
    section = section or Settings
    own = section.model_fields[field].validation_alias
    prefix = str(section.model_config["env_prefix"])
    return str(own.choices[0]) if isinstance(own, AliasChoices) else f"{prefix}{field}".upper()


WRAPPERS = "\"'`\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"
"""What mail programs, documents and shells put around a secret that is copied out of them."""
PASTED = (
    "at_api_key",
    "channel_keys",
    "database_url",
    "redis_url",
    "secret_key",
    "sentry_dsn",
    "smtp_url",
    "twilio_account_sid",
    "twilio_auth_token",
)
"""Settings that people copy from elsewhere."""


def _kind(name: str) -> str:
    return "channel_keys" if name in OF_CHANNELS else name


def unwrapped(value: str) -> str:
    """A secret without the blanks, line ends, invisible letters and quotes around it.

    Raises: ValueError when one is left inside that no secret has, without repeating it.
    """
    edge = {char for char in value if not char.isprintable() or char.isspace()} | set(WRAPPERS)
    bare = value.strip("".join(edge))
    if any(not char.isprintable() or (char in WRAPPERS and not char.isascii()) for char in bare):
        raise ValueError("has a line end, a curly quote or an invisible letter in it; copy it anew")
    return bare


class Section(BaseSettings):
    """Environment variables and an optional `.env` file; the environment wins.

    A provider's own settings are a subclass with a prefix of their own, `LEAFLINE_NAME_`.
    """

    model_config = SettingsConfigDict(
        env_prefix="LEAFLINE_",
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # A file goes before a variable, which may be there and empty; both at once are refused.
        return init_settings, FromFiles(settings_cls), env_settings, dotenv_settings

    @classmethod
    def read(cls, **overrides: object) -> Self:
        """Read the environment and `.env`.

        Raises:
            SettingsError: a value is wrong; the text names the variable and what is expected.
        """
        try:
            return cls(**overrides)  # type: ignore[arg-type]
        except ValidationError as error:
            raise SettingsError(
                "; ".join(cls._explain(e["loc"], e["msg"]) for e in error.errors())
            ) from None

    @classmethod
    def variables(cls) -> set[str]:
        """Names under which the settings with our prefix are given."""
        prefix = str(cls.model_config["env_prefix"])
        return {f"{prefix}{name}".upper() for name in cls.model_fields}

    @classmethod
    def _explain(cls, location: tuple[int | str, ...], message: str) -> str:
        name = str(location[0]) if location else "?"
        prefix = str(cls.model_config["env_prefix"])
        variable = name if name.isupper() else f"{prefix}{name}".upper()
        return f"setting {variable}: {message.removeprefix('Value error, ')}"


class Settings(Section):
    """The settings of Leafline itself."""

    # Where things are
    home: Path = Field(Path("var"), description="Folder for everything Leafline writes")
    host: str = Field("127.0.0.1", description="Address on which the web process listens")
    port: int = Field(8000, ge=1, le=65535, description="Port on which the web process listens")
    public_url: str = Field(
        "", description="Address under which people reach the web process, for links in messages"
    )
    database_url: str = Field(
        "",
        validation_alias=_own("DATABASE_URL"),
        description="Store; empty: SQLite in the home",
        repr=False,
    )
    redis_url: str = Field(
        "",
        validation_alias=_own("REDIS_URL"),
        description="Redis; empty: one of our own",
        repr=False,
    )
    photos_url: str = Field(
        "",
        description="Photo store as an fsspec URL (s3://bucket/path needs leafline[s3]); "
        "empty: the home",
    )
    model: Path = Field(
        ROOT / "inference" / "model", description="Folder with leaf.onnx and leaf.json"
    )
    templates: Path = Field(ROOT / "templates", description="Folder with the texts")

    # Processes
    workers: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=256,
        description="Photo workers that `leafline up` starts",
    )
    web_processes: int = Field(
        default_factory=lambda: min(os.cpu_count() or 1, 64),
        ge=1,
        le=64,
        description="Processes of the web server",
    )
    web_threads: int = Field(
        8,
        ge=1,
        le=256,
        description="Threads of each web process for pictures and pages; calls have their own",
    )
    web_drain: float = Field(
        2.0,
        ge=0,
        le=10,
        description="Seconds between saying `not ready` and taking no more connections",
    )
    proxies: int = Field(
        0, ge=0, le=9, description="Proxies in front, whose X-Forwarded headers are believed"
    )
    log_format: Literal["text", "json"] = Field("text", description="How log lines are written")
    sentry_dsn: SecretStr = Field(
        SecretStr(""),
        validation_alias=_own("SENTRY_DSN"),
        description="Sentry project to which errors are reported, without personal data",
    )

    # Secrets; made and kept in the home folder when empty
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="32 bytes, base64: encrypts numbers, texts and photos; losing it loses them",
    )
    old_secret_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description="Keys that were in use before and are still read, newest first; comma-separated"
        " or one a line. `leafline keys rotate` makes them needless",
    )
    channel_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Comma-separated secret path parts that open every channel"
    )
    ussd_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Comma-separated secret path parts that open USSD alone"
    )
    sms_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Comma-separated secret path parts that open SMS that come in alone"
    )
    reports_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Comma-separated secret path parts that open delivery reports alone"
    )
    mms_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Comma-separated secret path parts that open MMS as a form alone"
    )
    mm7_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Comma-separated secret path parts that open MM7 alone"
    )
    channel_addresses: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (), description="Comma-separated networks (CIDR) from which callbacks are taken; empty: all"
    )
    metrics_token: SecretStr = Field(
        SecretStr(""), description="Bearer token of /metrics; empty: on this machine only"
    )

    # The mobile network. What a provider needs beyond this is in its folder, `channels/NAME/`;
    # that of Africa's Talking is here, for the simulator stands in for it.
    providers: Annotated[tuple[str, ...], NoDecode] = Field(
        ("africastalking",),
        description="Comma-separated providers by which messages leave, the preferred one first",
    )
    fallback_after: float = Field(
        300.0,
        ge=0,
        le=86_400,
        description="Seconds for which a provider is down before messages leave by the next one",
    )
    at_username: str = Field(
        "sandbox", validation_alias=_own("AT_USERNAME"), description="Africa's Talking app username"
    )
    at_api_key: SecretStr = Field(
        SecretStr(""), validation_alias=_own("AT_API_KEY"), description="Africa's Talking API key"
    )
    at_base_url: str = Field(
        "", description="Where the Africa's Talking SDK sends; empty: Africa's Talking's own"
    )
    at_timeout: float = Field(15.0, gt=0, le=60, description="Seconds for one request to the API")
    simulator: Switch = Field(
        "auto",
        description="Mobile-network simulator; auto: on when Africa's Talking is the only provider "
        "and there is no AT_API_KEY",
    )
    simulator_port: int = Field(
        0, ge=0, le=65535, description="Port of the simulator process; 0: the web port plus one"
    )
    ussd_code: str = Field(
        "*384*123#", pattern=r"^\*[0-9*]{1,8}#$", description="USSD code that farmers dial"
    )
    sender_id: str = Field(
        "", max_length=11, description="Sender ID of messages; empty: the account's default"
    )
    short_code: str = Field(
        "", pattern=r"^[0-9]*$", description="Two-way SMS short code; messages go out from it"
    )
    two_way_sms: Switch = Field(
        "auto",
        description="Whether people can answer by SMS; auto: not in Rwanda without a short code",
    )
    service_name: str = Field("Leafline", max_length=11, description="Name farmers see in messages")
    region: str = Field(
        "RW", pattern=r"^[A-Z]{2}$", description="Country in which national numbers are read"
    )
    language: str = Field("en", pattern=r"^[a-z]{2}$", description="Language when none is known")
    operator_phone: str = Field(
        "", description="Number that gets cases when no officer is on duty, and incidents"
    )

    # Photos by MMS
    mms_media_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Comma-separated hosts from which MMS photos may be fetched"
    )
    twilio_account_sid: str = Field("", description="Twilio account, for fetching its media")
    twilio_auth_token: SecretStr = Field(
        SecretStr(""), description="Twilio auth token: checks its signature, fetches its media"
    )

    operator_email: str = Field("", description="Address that gets incidents by e-mail")
    smtp_url: SecretStr = Field(
        SecretStr(""), description="Mail server, `smtp://user:password@host:587` or `smtps://...`"
    )

    # Photos and cases
    photo_max_bytes: int = Field(
        10_000_000, ge=100_000, description="Largest photo accepted, bytes"
    )
    predict_access: Literal["auto", "open", "kiosk", "off"] = Field(
        "auto",
        description="Who may use POST /api/predict; auto: anybody while the simulator is on, "
        "else nobody",
    )
    retention_months: int = Field(
        12, ge=1, le=99, description="Months after which a case's personal data are deleted"
    )
    retention_photos_months: int = Field(
        0, ge=0, le=99, description="Months for which photos are kept; 0: as long as the case"
    )
    retention_messages_months: int = Field(
        0, ge=0, le=99, description="Months for numbers and texts of SMS sent; 0: as a case"
    )
    retention_texts_months: int = Field(
        0, ge=0, le=99, description="Months for numbers and texts of SMS that came; 0: as a case"
    )
    retention_sessions_months: int = Field(
        0, ge=0, le=99, description="Months for the ends of USSD sessions; 0: as a case"
    )
    retention_reports_months: int = Field(
        0, ge=0, le=99, description="Months for delivery reports; 0: as a case"
    )
    retention_audit_months: int = Field(
        60, ge=1, le=999, description="Months for what operators and officers did, but for a case's"
    )

    remind_hours: float = Field(
        4.0, gt=0, le=1000, description="Working hours after which an officer is reminded of a case"
    )
    pass_on_hours: float = Field(
        8.0, gt=0, le=1000, description="Working hours after which a colleague gets the case"
    )
    photo_limit: int = Field(
        5000, ge=1, description="Photos waiting above which uploads are asked to come later"
    )

    # Who is signed in
    operator_sign_in_hours: float = Field(
        8.0, gt=0, le=24 * 31, description="Hours after which an operator signs in anew"
    )
    operator_idle_minutes: float = Field(
        60.0,
        gt=1,
        le=60 * 24 * 31,
        description="Minutes of doing nothing that sign an operator out",
    )
    officer_sign_in_hours: float = Field(
        12.0, gt=0, le=24 * 31, description="Hours after which an officer signs in anew"
    )
    officer_idle_minutes: float = Field(
        240.0,
        gt=1,
        le=60 * 24 * 31,
        description="Minutes of doing nothing that sign an officer out",
    )

    # The outbox
    send_rate: float = Field(
        10.0, gt=0, le=1000, description="SMS parts a second handed to the network"
    )

    # Money: what may be sent in a day
    number_daily: int = Field(
        20, ge=0, description="SMS parts a day that one number may cause; 0: no ceiling"
    )
    officer_daily: int = Field(
        200, ge=0, description="SMS parts a day to one officer or the operator; 0: no ceiling"
    )
    kiosk_daily: int = Field(
        400, ge=0, description="SMS parts a day that one kiosk may cause; 0: no ceiling"
    )
    kiosk_photos_daily: int = Field(
        1000, ge=0, description="Photos a day that one kiosk may hand in; 0: no ceiling"
    )
    district_daily: int = Field(
        2000, ge=0, description="SMS parts a day that one district may cause; 0: no ceiling"
    )
    service_daily: int = Field(5000, ge=0, description="SMS parts a day in all; 0: no ceiling")
    service_daily_cost: str = Field(
        "", description="Most that a day's SMS may cost where the network names it: `RWF 50000`"
    )
    countries: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Comma-separated countries to which SMS go; empty: see the region"
    )

    outbox_limit: int = Field(
        10_000, ge=1, description="Messages waiting above which the doors take nothing new"
    )

    @field_validator(*PASTED, mode="before")
    @classmethod
    def _unwrap(cls, value: object) -> object:
        return unwrapped(value) if isinstance(value, str) else value

    @field_validator("at_api_key", "twilio_auth_token")
    @classmethod
    def _fits_a_header(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[!-~]*", value.get_secret_value()):
            raise ValueError("has a blank or a letter that no key has; copy it anew")
        return value

    @field_validator("public_url")
    @classmethod
    def _with_scheme(cls, value: str) -> str:
        if value and not re.match(r"https?://[^/\s]", value):
            raise ValueError("give https://leaf.example.org")
        return value

    @field_validator("redis_url")
    @classmethod
    def _one_redis(cls, value: str) -> str:
        scheme = value.partition("://")[0].lower() if "://" in value else ""
        if "sentinel" in scheme:
            raise ValueError("Sentinel is not asked; give redis:// of the one that takes writes")
        if value and scheme not in ("redis", "rediss", "unix"):
            raise ValueError("give redis://host:6379/0, rediss:// or unix:///path")
        return value

    @field_validator("sentry_dsn")
    @classmethod
    def _known_project(cls, value: SecretStr) -> SecretStr:
        dsn = value.get_secret_value()
        if dsn and not re.fullmatch(r"https?://[^/@\s]+@[^/@\s]+/(?:\S+/)?\d+", dsn):
            raise ValueError("give https://key@host/project")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _known_mail(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if url and not re.match(r"smtps?://[^/]*[^/@]", url):
            raise ValueError("give smtp://user:password@host:587 or smtps://...")
        return value

    @field_validator("channel_keys", *OF_CHANNELS, mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        if isinstance(value, str):
            keys = [key for part in value.split(",") if (key := unwrapped(part))]
            if any("/" in key for key in keys):
                raise ValueError("a key must not contain '/'")
            return tuple(keys)
        return value

    @field_validator("old_secret_keys", mode="before")
    @classmethod
    def _split_old_keys(cls, value: object) -> object:
        if isinstance(value, str):
            # One a line where there are lines, so that a key may hold a comma.
            parts = value.splitlines() if "\n" in value else value.split(",")
            return tuple(part.strip() for part in parts if part.strip())
        return value

    @field_validator("mms_media_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().lower() for part in value.split(",") if part.strip())
        return value

    @field_validator("channel_addresses", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("countries", mode="before")
    @classmethod
    def _split_countries(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().upper() for part in value.split(",") if part.strip())
        return value

    @field_validator("countries")
    @classmethod
    def _known_countries(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        from phonenumbers import SUPPORTED_REGIONS

        for country in value:
            if country not in SUPPORTED_REGIONS:
                raise ValueError(f"{country} is no country with phone numbers; give RW, KE, ...")
        return value

    @field_validator("service_daily_cost")
    @classmethod
    def _an_amount(cls, value: str) -> str:
        if value and not re.fullmatch(r"[A-Z]{3} \d{1,9}(\.\d{1,4})?", value):
            raise ValueError("give a currency and an amount, `RWF 50000`")
        return value

    @field_validator("providers", mode="before")
    @classmethod
    def _split_providers(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        names = tuple(part.strip().lower() for part in value.split(",") if part.strip())
        if len(set(names)) != len(names):
            raise ValueError("name each provider once")
        return names or ("africastalking",)

    @field_validator("region", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("region")
    @classmethod
    def _with_numbers(cls, value: str) -> str:
        from phonenumbers import SUPPORTED_REGIONS

        if value not in SUPPORTED_REGIONS:
            raise ValueError(f"{value} is no country with phone numbers; give one such as RW")
        return value

    @field_validator("language")
    @classmethod
    def _with_texts(cls, value: str, others: ValidationInfo) -> str:
        folder = others.data.get("templates", ROOT / "templates") / "messages"
        known = sorted(path.stem for path in folder.glob("*.po"))
        if known and value not in known:  # without any the catalogue says what is the matter
            raise ValueError(f"there are no texts in {value}; give one of {', '.join(known)}")
        return value

    @model_validator(mode="after")
    def _mail_has_an_address(self) -> Self:
        if self.smtp_url.get_secret_value() and "@" not in self.operator_email:
            raise ValueError("LEAFLINE_SMTP_URL needs LEAFLINE_OPERATOR_EMAIL, a mail address")
        return self

    @model_validator(mode="after")
    def _kept_no_longer_than_told(self) -> Self:
        for kind in ("photos", "messages", "texts", "sessions", "reports"):
            if self.months(kind) > self.retention_months:
                raise ValueError(
                    f"LEAFLINE_RETENTION_{kind.upper()}_MONTHS is longer than "
                    "LEAFLINE_RETENTION_MONTHS, which is what farmers are told"
                )
        return self

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
        if not self.database_url:
            return f"sqlite:///{quote(os.fsencode(self.home.resolve() / 'leafline.sqlite3'))}"
        scheme, _, rest = self.database_url.partition("://")
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

    def kept_secret(self, name: Literal["secret_key", "channel_key"]) -> str:
        """The secret kept in the home folder, made on first use. Raises: SettingsError."""
        return self.kept(self.home / name.replace("_", "-"), secrets.token_urlsafe(32))

    def kept(self, path: Path, fresh: str) -> str:
        """The secret in a file of the home folder (mode 0600), `fresh` on first use.

        Raises:
            SettingsError: the home folder cannot be written.
        """
        try:
            for folder in (self.home, path.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                # Written aside, then linked: of processes that start at once one makes the
                # secret, and none reads it half written.
                aside = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
                with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    file.write(fresh)
                    file.flush()
                    os.fsync(file.fileno())
                try:
                    os.link(aside, path)
                except FileExistsError:
                    pass
                finally:
                    aside.unlink()
        except OSError as error:
            raise SettingsError(
                f"cannot write {path}: {error.strerror}; set LEAFLINE_HOME elsewhere"
            ) from None
        value = path.read_text().strip()
        if not value:
            raise SettingsError(
                f"{path} is empty; restore it, or delete it if the store is new too"
            )
        return value

    @cached_property
    def encryption_key(self) -> str:
        return self.secret_key.get_secret_value() or self.kept_secret("secret_key")

    @cached_property
    def old_keys(self) -> tuple[str, ...]:
        """Secrets that are read beside `encryption_key`, newest first."""
        path = self.home / OLD_KEYS
        kept = path.read_text().split() if path.is_file() else []
        return (*(key.get_secret_value() for key in self.old_secret_keys), *kept)

    def new_key(self) -> None:
        """Make another secret in the home the one that writes; the one of so far is still read.

        Raises: SettingsError: the key is not kept in the home, or the home cannot be written.
        """
        if self.secret_key.get_secret_value():
            raise SettingsError(
                "the key is not kept in the home: move LEAFLINE_SECRET_KEY to "
                "LEAFLINE_OLD_SECRET_KEYS and set a new one"
            )
        before = self.kept_secret("secret_key")
        path = self.home / OLD_KEYS
        kept = path.read_text().split() if path.is_file() else []
        write_secret(path, "".join(f"{key}\n" for key in dict.fromkeys((before, *kept))))
        write_secret(self.home / "secret-key", secrets.token_urlsafe(32))

    def check_strength(self) -> None:
        """Raises: SettingsError when a secret of ours is easy to guess."""
        given = [("secret_key", [self.encryption_key])]
        for name in ("channel_keys", *OF_CHANNELS):
            given.append((name, [key.get_secret_value() for key in getattr(self, name)]))
        for name, values in given:
            for value in values:
                if reason := weakness(value, SHORTEST[kind := _kind(name)]):
                    raise SettingsError(f"setting {variable_of(name)}: {reason}; {STRONGER[kind]}")


def write_secret(path: Path, text: str) -> None:
    """A file of mode 0600 in place of another, whole or not at all. Raises: SettingsError."""
    aside = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except OSError as error:
        raise SettingsError(f"cannot write {path}: {error.strerror}") from None
