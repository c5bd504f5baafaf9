"""Whether Redis takes what is written: one that only answers pings is of no use to the queue."""

from __future__ import annotations

import redis

CAUSE = "redis:refuses"
PROBE = "leafline:probe"
PROBE_SECONDS = 60
ADVICE = {
    "OOM": "its memory is full; raise maxmemory, or make room",
    "MISCONF": "it cannot write its file; make room on its disk",
    "READONLY": "it is a read-only replica; give the address of the one that takes writes",
    "NOREPLICAS": "too few of its replicas are there; look at them",
}


def refusal(client: redis.Redis) -> str:
    """Why Redis takes nothing just now, in a line; empty when it does.

    Raises: redis.RedisError when it cannot be asked.
    """
    try:
        client.set(PROBE, "1", ex=PROBE_SECONDS)
    except redis.exceptions.ResponseError as error:
        kinds = {
            redis.exceptions.OutOfMemoryError: "OOM",
            redis.exceptions.ReadOnlyError: "READONLY",
        }
        word = kinds.get(type(error)) or str(error).partition(" ")[0].upper()
        return ADVICE.get(word, f"it refuses writes ({word})")
    return ""
