"""The settings of Leafline, a field each, under what they are about."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from gateway.settings.kinds import (
    Amount,
    Ceiling,
    ChannelKeys,
    Copied,
    Countries,
    HeaderSecret,
    Hosts,
    Idle,
    MailUrl,
    Networks,
    OldKeys,
    OwnMonths,
    Port,
    Providers,
    PublicUrl,
    RedisUrl,
    Region,
    Secret,
    SecretKey,
    SecretUrl,
    SentryDsn,
    SignIn,
    Switch,
    WorkingHours,
)
from gateway.settings.reading import Section

ROOT = Path(__file__).resolve().parents[2]


def _own(name: str) -> AliasChoices:
    """A name that everybody knows (`DATABASE_URL`), without our prefix."""
    return AliasChoices(name)


class Fields(Section):
    """Each setting of Leafline itself."""

    # Where things are
    home: Path = Field(Path("var"), description="Folder for everything Leafline writes")
    host: str = Field("127.0.0.1", description="Address on which the web process listens")
    port: int = Field(8000, ge=1, le=65535, description="Port on which the web process listens")
    public_url: PublicUrl = Field(
        "", description="Address under which people reach the web process, for links in messages"
    )
    database_url: SecretUrl = Field(
        "",
        validation_alias=_own("DATABASE_URL"),
        description="Store; empty: SQLite in the home",
    )
    redis_url: RedisUrl = Field(
        "",
        validation_alias=_own("REDIS_URL"),
        description="Redis; empty: one of our own",
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

    # Backups
    backups_url: SecretUrl = Field(
        "",
        description="Where backups go, as an fsspec URL or a folder on another disk; empty: no "
        "backups are made",
    )
    backup_hours: float = Field(
        24, ge=1, le=24 * 31, description="Hours between backups that are made by themselves"
    )
    backups_kept: int = Field(
        14, ge=1, le=1000, description="Backups that are kept; older ones are deleted"
    )

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
    sentry_dsn: SentryDsn = Field(
        SecretStr(""),
        validation_alias=_own("SENTRY_DSN"),
        description="Sentry project to which errors are reported, without personal data",
    )

    # Secrets; made and kept in the home folder when empty
    secret_key: SecretKey = Field(
        SecretStr(""),
        description="32 bytes, base64: encrypts numbers, texts and photos; losing it loses them",
    )
    old_secret_keys: OldKeys = Field(
        (),
        description="Keys that were in use before and are still read, newest first; comma-separated"
        " or one a line. `leafline keys rotate` makes them needless",
    )
    channel_keys: ChannelKeys = Field(
        (), description="Comma-separated secret path parts that open every channel"
    )
    ussd_keys: ChannelKeys = Field(
        (), description="Comma-separated secret path parts that open USSD alone"
    )
    sms_keys: ChannelKeys = Field(
        (), description="Comma-separated secret path parts that open SMS that come in alone"
    )
    reports_keys: ChannelKeys = Field(
        (), description="Comma-separated secret path parts that open delivery reports alone"
    )
    mms_keys: ChannelKeys = Field(
        (), description="Comma-separated secret path parts that open MMS as a form alone"
    )
    mm7_keys: ChannelKeys = Field(
        (), description="Comma-separated secret path parts that open MM7 alone"
    )
    channel_addresses: Networks = Field(
        (), description="Comma-separated networks (CIDR) from which callbacks are taken; empty: all"
    )
    metrics_token: Secret = Field(
        SecretStr(""), description="Bearer token of /metrics; empty: on this machine only"
    )

    # The mobile network. What a provider needs beyond this is in its folder, `channels/NAME/`;
    # that of Africa's Talking is here, for the simulator stands in for it.
    providers: Providers = Field(
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
    at_api_key: HeaderSecret = Field(
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
    simulator_port: Port = Field(
        0, description="Port of the simulator process; 0: the web port plus one"
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

    # What people read
    service_name: str = Field("Leafline", max_length=11, description="Name farmers see in messages")
    region: Region = Field("RW", description="Country in which national numbers are read")
    language: str = Field("en", pattern=r"^[a-z]{2}$", description="Language when none is known")
    farmer_sms_cost: str = Field(
        "",
        max_length=10,
        description="What an SMS to us costs a farmer, such as `10 RWF`; with the next it is said "
        "in the help",
    )
    farmer_dial_cost: str = Field(
        "", max_length=10, description="What dialling costs a farmer, such as `0 RWF`"
    )

    # Photos by MMS
    mms_media_hosts: Hosts = Field(
        (), description="Comma-separated hosts from which MMS photos may be fetched"
    )
    twilio_account_sid: Copied = Field("", description="Twilio account, for fetching its media")
    twilio_auth_token: HeaderSecret = Field(
        SecretStr(""), description="Twilio auth token: checks its signature, fetches its media"
    )

    # Whom incidents and unanswered cases go to
    operator_phone: str = Field(
        "", description="Number that gets cases when no officer is on duty, and incidents"
    )
    operator_email: str = Field("", description="Address that gets incidents by e-mail")
    smtp_url: MailUrl = Field(
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
    remind_hours: WorkingHours = Field(
        4.0, description="Working hours after which an officer is reminded of a case"
    )
    pass_on_hours: WorkingHours = Field(
        8.0, description="Working hours after which a colleague gets the case"
    )
    photo_limit: int = Field(
        5000, ge=1, description="Photos waiting above which uploads are asked to come later"
    )

    # For how long personal data are kept
    retention_months: int = Field(
        12, ge=1, le=99, description="Months after which a case's personal data are deleted"
    )
    retention_photos_months: OwnMonths = Field(
        0, description="Months for which photos are kept; 0: as long as the case"
    )
    retention_messages_months: OwnMonths = Field(
        0, description="Months for numbers and texts of SMS sent; 0: as a case"
    )
    retention_texts_months: OwnMonths = Field(
        0, description="Months for numbers and texts of SMS that came; 0: as a case"
    )
    retention_sessions_months: OwnMonths = Field(
        0, description="Months for the ends of USSD sessions; 0: as a case"
    )
    retention_reports_months: OwnMonths = Field(
        0, description="Months for delivery reports; 0: as a case"
    )
    retention_audit_months: int = Field(
        60, ge=1, le=999, description="Months for what operators and officers did, but for a case's"
    )

    # Who is signed in
    operator_sign_in_hours: SignIn = Field(
        8.0, description="Hours after which an operator signs in anew"
    )
    operator_idle_minutes: Idle = Field(
        60.0,
        description="Minutes of doing nothing that sign an operator out",
    )
    officer_sign_in_hours: SignIn = Field(
        12.0, description="Hours after which an officer signs in anew"
    )
    officer_idle_minutes: Idle = Field(
        240.0,
        description="Minutes of doing nothing that sign an officer out",
    )

    # The outbox
    send_rate: float = Field(
        10.0, gt=0, le=1000, description="SMS parts a second handed to the network"
    )
    outbox_limit: int = Field(
        10_000, ge=1, description="Messages waiting above which the doors take nothing new"
    )

    # Money: what may be sent in a day
    number_daily: Ceiling = Field(
        20, description="SMS parts a day that one number may cause; 0: no ceiling"
    )
    officer_daily: Ceiling = Field(
        200, description="SMS parts a day to one officer or the operator; 0: no ceiling"
    )
    kiosk_daily: Ceiling = Field(
        400, description="SMS parts a day that one kiosk may cause; 0: no ceiling"
    )
    kiosk_photos_daily: Ceiling = Field(
        1000, description="Photos a day that one kiosk may hand in; 0: no ceiling"
    )
    district_daily: Ceiling = Field(
        2000, description="SMS parts a day that one district may cause; 0: no ceiling"
    )
    service_daily: Ceiling = Field(5000, description="SMS parts a day in all; 0: no ceiling")
    monthly_budget: Amount = Field(
        "", description="What a month's SMS may cost before operators are warned: `RWF 500000`"
    )
    service_daily_cost: Amount = Field(
        "", description="Most that a day's SMS may cost where the network names it: `RWF 50000`"
    )
    countries: Countries = Field(
        (), description="Comma-separated countries to which SMS go; empty: see the region"
    )

    @field_validator("language")
    @classmethod
    def _with_texts(cls, value: str, others: ValidationInfo) -> str:
        folder = others.data.get("templates", ROOT / "templates") / "messages"
        known = sorted(path.stem for path in folder.glob("*.po"))
        if known and value not in known:  # without any the catalogue says what is the matter
            raise ValueError(f"there are no texts in {value}; give one of {', '.join(known)}")
        return value
