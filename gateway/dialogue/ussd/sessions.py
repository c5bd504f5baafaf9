"""Session state in Redis: two round trips a hop, more where another process is at work on the
session; a lock that runs out lets one in at a time.

A session is a hash: `state` (JSON), `mark` (the path as it was), `who` (digest of the number) and a
reply for each path answered. A key of its own points from a number to its last unfinished
session, so that a redial can go on. Everything but digests is sealed: Redis writes it to disk.

The path is `text`: all answers typed so far, joined by `*`, with no turn number. A `*` that the
farmer typed looks like the separator, so a new answer is what follows the path as it was. Only
digests of earlier paths are kept: an officer's PIN is part of one.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any, cast

import redis

from gateway.store.vault import SealBroken, Vault

LONGEST = 1500
"""Characters of a path that we read; a session lasts 180 seconds, an answer 90 characters."""
LIFETIME = 15 * 60
"""Seconds that a session is kept: longer than any operator keeps it."""
RESUME_WITHIN = 10 * 60
"""Seconds after a hop during which a redial is offered to go on."""
LOCK_MS = 5000
"""A hop that takes longer was killed; another may then try."""
SCANNED = 500
PATIENCE = 2.0
"""Seconds that a repeated hop waits for the one at work."""

_OPEN = """
local reply = redis.call('HGET', KEYS[1], ARGV[1])
if reply then return {'reply', reply, redis.call('HGET', KEYS[1], 'who')} end
if not redis.call('SET', KEYS[2], ARGV[2], 'NX', 'PX', ARGV[3]) then return {'busy'} end
local kept = redis.call('HMGET', KEYS[1], 'state', 'mark', 'who')
local last = redis.call('GET', KEYS[3])
return {'mine', kept[1], kept[2], kept[3], last}
"""

_CLOSE = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[2], 'mark', ARGV[3], 'who', ARGV[4], ARGV[5], ARGV[6])
redis.call('EXPIRE', KEYS[1], ARGV[7])
if ARGV[8] == '' then redis.call('DEL', KEYS[3])
else redis.call('SET', KEYS[3], ARGV[8], 'EX', ARGV[9]) end
redis.call('DEL', KEYS[2])
return 1
"""

_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""


class Busy(Exception):
    """Another process was at work on this very hop for longer than we wait."""


@dataclass(frozen=True)
class Mark:
    """A path, remembered without its content."""

    length: int
    digest: str

    @classmethod
    def of(cls, text: str) -> Mark:
        return cls(len(text), digest(text))

    def answer_in(self, text: str) -> str | None:
        """What was typed since, or None when `text` does not go on from here."""
        if self.length == 0:
            return text
        head, tail = text[: self.length], text[self.length :]
        return tail[1:] if tail.startswith("*") and digest(head) == self.digest else None


def digest(text: str) -> str:
    """Names a path within its session."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def segments(text: str) -> list[str]:
    """The answers of a path of which nothing is known but itself."""
    return text.split("*") if text else []


@dataclass(frozen=True)
class Kept:
    """What Redis knew when a hop began."""

    reply: str | None = None
    """The stored answer, when this path was answered before."""
    who: str | None = None
    state: dict[str, Any] | None = None
    mark: Mark | None = None
    unfinished: dict[str, Any] | None = None
    """State of the same number's last session, when that was cut off."""
    lock: str = ""


class Sessions:
    """Opens and closes hops. Every method raises redis.RedisError when Redis cannot be reached."""

    def __init__(self, connection: redis.Redis, vault: Vault) -> None:
        self._vault = vault
        self._open = connection.register_script(_OPEN)
        self._close = connection.register_script(_CLOSE)
        self._release = connection.register_script(_RELEASE)

    def open(self, session_id: str, who: str, path: str) -> Kept:
        """Begin a hop, or find its stored reply.

        Args:
            who: digest of the caller's number.
            path: digest of the hop's path.

        Raises:
            Busy: the same session stayed in other hands.
        """
        token = secrets.token_hex(8)
        until = time.monotonic() + PATIENCE
        while True:
            found = self._open(keys=_keys(session_id, who), args=[path, token, LOCK_MS])
            kind, *rest = cast("list[bytes | None]", found)
            if kind == b"reply" and (reply := self._opened(rest[0])) is not None:
                return Kept(reply=reply, who=_text(rest[1]))
            if kind == b"reply":
                raise Busy  # sealed with a key that was taken away meanwhile
            if kind == b"mine":
                state, mark, owner, unfinished = rest
                return Kept(
                    state=self._object(state),
                    mark=Mark(**json.loads(mark)) if mark else None,
                    who=_text(owner),
                    unfinished=self._object(unfinished),
                    lock=token,
                )
            if time.monotonic() > until:
                raise Busy
            time.sleep(0.02)

    def close(
        self,
        session_id: str,
        who: str,
        kept: Kept,
        *,
        state: dict[str, Any],
        mark: Mark,
        path: str,
        reply: str,
        unfinished: dict[str, Any] | None,
    ) -> None:
        """End a hop: keep its state and its reply, and let the next one in."""
        self._close(
            keys=_keys(session_id, who),
            args=[
                kept.lock,
                self._sealed(state),
                json.dumps({"length": mark.length, "digest": mark.digest}),
                who,
                path,
                self._vault.seal_text(reply),
                LIFETIME,
                self._sealed(unfinished) if unfinished else b"",
                RESUME_WITHIN,
            ],
        )

    def release(self, session_id: str, kept: Kept) -> None:
        """Give up a hop, so that its repetition need not wait."""
        self._release(keys=[_keys(session_id, "")[1]], args=[kept.lock])

    def _sealed(self, value: dict[str, Any]) -> bytes:
        return self._vault.seal_text(json.dumps(value, separators=(",", ":")))

    def _object(self, kept: bytes | None) -> dict[str, Any] | None:
        text = self._opened(kept)
        return None if text is None else dict(json.loads(text))

    def _opened(self, kept: bytes | None) -> str | None:
        """None also for what does not open: a session of before a change of keys begins anew."""
        try:
            return self._vault.open_text(kept) if kept else None
        except SealBroken:
            return None


def forget(connection: redis.Redis, vault: Vault, phone: str) -> int:
    """Forget all sessions of a number (E.164); how many there were. Raises: redis.RedisError."""
    mine = {who.encode() for who in vault.numbers(phone)}
    connection.delete(*(_keys("", who.decode())[2] for who in mine))
    names = list(connection.scan_iter("ussd:*", count=SCANNED, _type="HASH"))
    with connection.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.hget(name, "who")
        owners = pipe.execute()
    hers = [name for name, who in zip(names, owners, strict=True) if who in mine]
    return connection.delete(*hers) if hers else 0


def _keys(session_id: str, who: str) -> list[str]:
    name = f"ussd:{session_id}"
    return [name, f"{name}:lock", f"ussd-last:{who}"]


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "surrogatepass")
