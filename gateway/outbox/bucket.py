"""A token bucket in Redis, one token an SMS part, shared by every sender of one sender ID."""

from __future__ import annotations

import math
import time

from redis import Redis
from redis.exceptions import RedisError

# Redis's own clock, so that senders on several machines agree; a clock that jumps back gives
# nothing for that moment. Only a correction takes the level below zero.
SPEND = """
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local want, correction = tonumber(ARGV[3]), ARGV[4] == '1'
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local kept = redis.call('HMGET', KEYS[1], 'level', 'at')
local elapsed = math.max(0, now - (tonumber(kept[2]) or now))
local level = math.min(burst, (tonumber(kept[1]) or burst) + elapsed * rate)
local granted = want
if not correction then granted = math.max(0, math.min(want, math.floor(level))) end
level = math.min(burst, level - granted)
redis.call('HSET', KEYS[1], 'level', tostring(level), 'at', tostring(now))
redis.call('EXPIRE', KEYS[1], 3600)
return {granted, tostring(level)}
"""


class Bucket:
    """`rate` tokens a second; at most one second's worth is saved up."""

    def __init__(self, redis: Redis, name: str, rate: float) -> None:
        self._script = redis.register_script(SPEND)
        self._key = f"leafline:outbox:bucket:{name}"
        self._rate = rate
        self._burst = max(rate, 1.0)
        self._level, self._at = self._burst, time.monotonic()

    def take(self, want: int) -> tuple[int, float]:
        """Take up to `want` tokens.

        Returns:
            (tokens granted, seconds until one is there when none was granted).
        """
        granted, level = self._spend(want, correction=False)
        return granted, max(0.0, (1 - level) / self._rate) if not granted else 0.0

    def settle(self, reserved: int, used: int) -> None:
        """Correct a reservation: give back what was not used, or owe what was used above it."""
        if used != reserved:
            self._spend(used - reserved, correction=True)

    def _spend(self, want: int, *, correction: bool) -> tuple[int, float]:
        args = [self._rate, self._burst, want, int(correction)]
        try:
            granted, level = self._script(keys=[self._key], args=args)
            return int(granted), float(level)
        except RedisError:
            return self._spend_here(want, correction)

    def _spend_here(self, want: int, correction: bool) -> tuple[int, float]:
        """The same for this process alone, while Redis is away."""
        now = time.monotonic()
        level = min(self._burst, self._level + (now - self._at) * self._rate)
        granted = want if correction else max(0, min(want, math.floor(level)))
        self._level, self._at = min(self._burst, level - granted), now
        return granted, self._level
