"""Log lines of every process: one format, and nothing personal or secret in them."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal
from urllib.parse import quote, quote_plus

from gateway import trace
from gateway.channels import channel_keys, providers
from gateway.settings import Settings, SettingsError

PROCESS_VARIABLE = "LEAFLINE_PROCESS"
"""Environment variable by which the supervisor names a process: `web`, `worker-1`."""

# With a plus sign (or its form encoding) also when written in groups; without one only as a bare
# run of 9 to 15 digits, the lengths of E.164 numbers and of national ones with their zero.
_PHONE = re.compile(
    r"(?:\+|%2[Bb])\d(?:[ ().-]{0,2}\d){5,13}\d(?!\d)"
    r"|(?<![\w.%+-])\d{9,15}(?!\w|\.\d)"
)
_OURS = re.compile(r"\blf[ck]_[\w-]{20,}")
"""Keys of channels and tokens of kiosks."""
_SHORTEST_SECRET = 6
RESERVED = frozenset({"time", "process", "level", "logger", "text"})
_FIELD = re.compile(r"(?<!\S)([a-z][a-z_]*)=(\S+)")
_EVENT = re.compile(r"[a-z][a-z_]*")


class Mask:
    """Takes phone numbers and the given secrets out of a text."""

    def __init__(self, hidden: Iterable[str] = ()) -> None:
        forms = {form for text in hidden for form in (text, quote(text, safe=""), quote_plus(text))}
        known = sorted((f for f in forms if len(f) >= _SHORTEST_SECRET), key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        if self._secrets:
            text = self._secrets.sub("[secret]", text)
        text = _OURS.sub("[secret]", text)  # also made since this process started
        return _PHONE.sub("[phone]", text)


class Line(logging.Formatter):
    """`2026-01-31T12:00:00Z worker-1 INFO  gateway.jobs: text`, masked; UTC."""

    def __init__(self, process: str, mask: Mask) -> None:
        super().__init__()
        self._process = process
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        for more in (record.exc_text, record.stack_info):
            text = f"{text}\n{more}" if more else text
        return self._mask(self._compose(record, text))

    def _compose(self, record: logging.LogRecord, text: str) -> str:
        when = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        about = "".join(
            f" {name}={value}" for name, value in trace.fields().items() if f"{name}=" not in text
        )
        return f"{when} {self._process:<9} {record.levelname:<7} {record.name}: {text}{about}"


def _named(text: str) -> Mapping[str, str]:
    """Fields of a line: what the request or job is about, and its text's `event name=value ...`."""
    first, _, rest = text.partition("\n")[0].partition(" ")
    found = dict(_FIELD.findall(rest))
    event = {"event": first} if found and _EVENT.fullmatch(first) else {}
    return {**trace.fields(), **event, **found}


class JsonLine(Line):
    """The same as one JSON object a line, for a log collector, with a field for each name."""

    def _compose(self, record: logging.LogRecord, text: str) -> str:
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "process": self._process,
            "level": record.levelname.lower(),
            "logger": record.name,
            "text": text,
            **{name: value for name, value in _named(text).items() if name not in RESERVED},
        }
        return json.dumps(fields, ensure_ascii=False)


def secrets_of(settings: Settings) -> list[str]:
    """Every value of the settings that must not be seen in a log: secrets, passwords in URLs."""
    ours = [*channel_keys.every(settings), settings.encryption_key, *settings.old_keys]
    return [*ours, *settings.secrets()]


def _secrets_of_providers() -> list[str]:
    """Empty where their settings are wrong: what needs them says so and does not start."""
    try:
        return providers.secrets()
    except SettingsError:
        return []


def set_up(settings: Settings, process: str = "") -> None:
    """Send every log record of this process, uncaught errors too, to standard error.

    Errors are reported to Sentry too, if there is a SENTRY_DSN.
    """
    name = os.environ.get(PROCESS_VARIABLE) or process or "leafline"
    formats: dict[Literal["text", "json"], type[Line]] = {"text": Line, "json": JsonLine}
    handler = logging.StreamHandler(sys.stderr)
    mask = Mask([*secrets_of(settings), *_secrets_of_providers()])
    handler.setFormatter(formats[settings.log_format](name, mask))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    if dsn := settings.sentry_dsn.get_secret_value():
        from gateway.running import reports

        root.addHandler(reports.handler(dsn, name, mask))
    root.setLevel(logging.INFO)
    # These tell each request or job on INFO; the rooms log what matters in their own words.
    for chatty in ("werkzeug", "urllib3", "rq", "rq.worker", "alembic", "PIL"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("leafline").critical("stopped by an error", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)
