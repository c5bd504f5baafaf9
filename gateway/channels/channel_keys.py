"""A secret path part for each channel, so that one that leaks opens one door.

Where they come from, the first that there is:
* `LEAFLINE_USSD_KEYS` and its like, comma-separated;
* the file `channel-keys/CHANNEL` of the home, two lines at most, the newest first, the older with
  the instant until which it is taken, if there is one;
* the file `channel-key` of an older home, which opens every channel.

`LEAFLINE_CHANNEL_KEYS` opens every channel beside these, as long as it is set.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from gateway.settings import Settings, SettingsError, write_secret
from gateway.store.base import now

Channel = Literal["ussd", "sms", "reports", "mms", "mm7"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)
FOLDER, OF_ALL = "channel-keys", "channel-key"
PREFIX = "lfc_"
"""Lets a leaked key be recognised, and be taken out of a log that was begun before it was made."""
KEY_BYTES = 32
OF_KIND: dict[str, Channel] = {
    "ussd": "ussd", "ussd-events": "ussd", "sms": "sms", "opt-outs": "sms",
    "delivery-reports": "reports", "report": "reports",
}  # fmt: skip
"""The channel of a kind of callback, as the addresses name it."""


@dataclass(frozen=True)
class Key:
    value: str
    until: datetime | None = None
    """None: until it is dropped."""


def valid(settings: Settings, channel: Channel, moment: datetime | None = None) -> tuple[str, ...]:
    """The keys that open a channel now, the one to hand out first.

    The file is read anew each time, so that a rotation needs no restart.

    Raises: SettingsError: the home cannot be read or written.
    """
    moment = moment or now()
    own = _set(settings, channel) or [
        key.value for key in _kept(settings, channel) if key.until is None or key.until > moment
    ]
    everywhere = [key.get_secret_value() for key in settings.channel_keys]
    return tuple(dict.fromkeys((*own, *everywhere)))


def first(settings: Settings, channel: Channel) -> str:
    """The key of the address to hand out."""
    return valid(settings, channel)[0]


def every(settings: Settings) -> list[str]:
    """All that open anything now, once each."""
    return list(dict.fromkeys(key for channel in CHANNELS for key in valid(settings, channel)))


def rotate(settings: Settings, channel: Channel, until: datetime | None) -> str:
    """Make another key for a channel; the one of so far is taken too, until an instant or until it
    is dropped. Two are valid at most.

    Raises: SettingsError: the channel's keys are set, or the home cannot be written.
    """
    _ours(settings, channel)
    before = _kept(settings, channel)[0]
    made = Key(PREFIX + secrets.token_urlsafe(KEY_BYTES))
    _write(settings, channel, (made, Key(before.value, until)))
    return made.value


def drop_old(settings: Settings, channel: Channel) -> int:
    """Take only the newest key of a channel from now on; returns how many were dropped.

    Raises: SettingsError: as `rotate`.
    """
    _ours(settings, channel)
    newest, *older = _kept(settings, channel)
    _write(settings, channel, (newest,))
    return len(older)


def _ours(settings: Settings, channel: Channel) -> None:
    if _set(settings, channel):
        name = f"LEAFLINE_{channel.upper()}_KEYS"
        raise SettingsError(f"{name} is set: put another key first there, and restart")


def _set(settings: Settings, channel: Channel) -> list[str]:
    return [key.get_secret_value() for key in getattr(settings, f"{channel}_keys")]


def _kept(settings: Settings, channel: Channel) -> Sequence[Key]:
    """Keys of the home, made when there are none yet."""
    path = settings.home / FOLDER / channel
    if not path.is_file():
        if (settings.home / OF_ALL).is_file():
            return (Key(settings.kept_secret("channel_key")),)
        if settings.channel_keys:
            # Not made before it is asked for: the keys that are set open this channel.
            return (Key(settings.channel_keys[0].get_secret_value()),)
        return (Key(settings.kept(path, PREFIX + secrets.token_urlsafe(KEY_BYTES))),)
    try:
        return [_read(line) for line in path.read_text().splitlines() if line.strip()]
    except (OSError, ValueError):
        raise SettingsError(
            f"{path} cannot be read as a key a line; restore it, or delete it and set the "
            "provider's address anew"
        ) from None


def _read(line: str) -> Key:
    value, _, until = line.strip().partition(" ")
    return Key(value, datetime.fromisoformat(until) if until else None)


def _write(settings: Settings, channel: Channel, keys: Sequence[Key]) -> None:
    lines = (f"{key.value} {key.until.isoformat() if key.until else ''}".strip() for key in keys)
    write_secret(settings.home / FOLDER / channel, "".join(f"{line}\n" for line in lines))
