"""What a photo, a hop and a message ask of store, disk and Redis, counted and held to a budget.

    python -m benchmarks.guard [--statements] [--write]

Counts are exact and the same on any machine, so they can be held in a test where times cannot: SQL
statements, transactions that wrote (each a sync of the disk on SQLite), other syncs, and round
trips to Redis. `--statements` prints each statement; `--write` writes docs/performance.md and the
budget, `benchmarks/guard.json`, anew.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from redis.connection import AbstractConnection
from sqlalchemy import event, select

from benchmarks.document import put, table
from gateway.app import create_app
from gateway.context import Context
from gateway.jobs import photos, worker
from gateway.outbox import claim, money
from gateway.outbox.network import Outcome, SendResult
from gateway.outbox.sender import Lane
from gateway.settings import ROOT, Settings
from gateway.store.base import now
from gateway.store.models import Photo
from rig import servers, things

BUDGET = Path(__file__).with_name("guard.json")
DOCUMENT = ROOT / "docs" / "performance.md"
KEY = "channel-key-for-counting"
ENDS = ("COMMIT", "ROLLBACK", "BEGIN", "PRAGMA")


@dataclass
class Counts:
    """Of one thing that was done."""

    statements: int = 0
    commits: int = 0
    syncs: int = 0
    """Beside those of the commits."""
    redis: int = 0
    """Round trips; a pipeline is one."""


class Meter:
    """Counts what happens in its blocks, in this process."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.told: list[str] = []

    @contextmanager
    def counting(self) -> Iterator[Counts]:
        counts, wrote = Counts(), [False]
        engine, fsync = self._context.store.engine, os.fsync
        packed = AbstractConnection.send_packed_command

        def statement(_c: Any, _cursor: Any, text: str, *_more: Any) -> None:
            if not text.startswith(ENDS):
                counts.statements += 1
                wrote[0] |= text.startswith(("INSERT", "UPDATE", "DELETE"))
                self.told.append(" ".join(text.split()))

        def commit(_connection: Any) -> None:
            counts.commits += wrote[0]
            wrote[0] = False

        def sync(descriptor: int) -> None:
            counts.syncs += 1
            fsync(descriptor)

        def send(connection: Any, *words: Any, **named: Any) -> Any:
            counts.redis += 1
            return packed(connection, *words, **named)

        event.listen(engine, "before_cursor_execute", statement)
        event.listen(engine, "commit", commit)
        os.fsync = sync
        AbstractConnection.send_packed_command = send  # type: ignore[method-assign]
        try:
            yield counts
        finally:
            AbstractConnection.send_packed_command = packed  # type: ignore[method-assign]
            os.fsync = fsync
            event.remove(engine, "commit", commit)
            event.remove(engine, "before_cursor_execute", statement)


class Nowhere:
    """A network that takes everything at once."""

    name, longest_request = "africastalking", 5.0

    def send(self, _to: str, _text: str) -> SendResult:
        return SendResult(Outcome.SENT, provider_id=f"ATXid_{os.urandom(8).hex()}")


def count(context: Context, client: FlaskClient, meter: Meter) -> dict[str, Counts]:
    """One of each, after one that is not counted: what is found out once is not a photo's."""
    found: dict[str, Counts] = {}
    _, token = things.kiosk(context.store)
    things.farmer(context.store)
    worker.sit_down(context)
    for shade in (60, 120):
        with meter.counting() as found["upload"]:
            hand_in(client, token, things.photo(shade), things.FARMER, language="en")
        photo = newest_photo(context)
        with meter.counting() as found["diagnosis"]:
            photos.diagnose(photo)
        with meter.counting() as found["hand-over"]:
            hand_over(context)
    for session_id in ("first", "second"):
        for text in ("", "1"):
            with meter.counting() as found["hop" if text else "first hop"]:
                hop(client, session_id, things.FARMER, text)
    return found


def hand_in(client: FlaskClient, token: str, picture: bytes, phone: str, **told: str) -> None:
    form = {"photo": (io.BytesIO(picture), "leaf.jpg"), "crop": "maize", "phone": phone} | told
    answer = client.post("/api/photos", data=form, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 202, answer.text


def newest_photo(context: Context) -> int:
    with context.store.reading() as session:
        return session.scalars(select(Photo.id).order_by(Photo.id.desc()).limit(1)).one()


def hop(client: FlaskClient, session_id: str, phone: str, text: str) -> None:
    form = {"sessionId": session_id, "phoneNumber": phone, "text": text,
            "serviceCode": "*384*123#", "networkCode": "99999"}  # fmt: skip
    assert client.post(f"/africastalking/{KEY}/ussd", data=form).status_code == 200


def hand_over(context: Context) -> None:
    """One message: claimed, sent and settled, as the sender does it."""
    lane = Lane(context, Nowhere(), 1, money.Limits.of(context.settings))
    with context.store.transaction() as session:
        (message, *_) = claim.claim(session, limit=1, lease=lane.lease, now=now())
    result = Nowhere().send(message.address, message.text or "")
    lane._settler._settle([(message, result)])


@contextmanager
def application(**settings: Any) -> Iterator[tuple[Context, FlaskClient]]:
    """One in this process, on an empty SQLite store and a Redis of its own."""
    with tempfile.TemporaryDirectory() as folder, servers.redis_server() as url:
        given = {"home": Path(folder) / "var", "redis_url": url, "channel_keys": KEY}
        given |= {"secret_key": "a secret for counting, long enough to be one"}
        read = Settings.read(**given, **settings)
        read.home.mkdir()
        app = create_app(read)
        context: Context = app.extensions["leafline"]
        context.store.migrate()
        try:
            yield context, app.test_client()
        finally:
            context.close()


def measure() -> tuple[dict[str, Counts], list[str]]:
    """Counts by thing, and every statement."""
    with application() as (context, client):
        meter = Meter(context)
        return count(context, client, meter), meter.told


def over(found: dict[str, Counts], budget: dict[str, dict[str, int]]) -> list[str]:
    """What costs more than its budget, a line each."""
    lines = []
    for thing, counts in found.items():
        for name, value in asdict(counts).items():
            allowed = budget[thing][name]
            if value > allowed:
                lines.append(f"{thing}: {value} {name}, {allowed} allowed")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statements", action="store_true")
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    found, told = measure()
    if chosen.statements:
        print("\n".join(told))
    names = ("statements", "commits", "syncs", "redis")
    rows = [
        [thing, *(str(asdict(counts)[name]) for name in names)] for thing, counts in found.items()
    ]
    lines = table(["", "statements", "writing commits", "other syncs", "Redis round trips"], rows)
    print("\n".join(lines))
    if chosen.write:
        BUDGET.write_text(json.dumps({k: asdict(v) for k, v in found.items()}, indent=1) + "\n")
        put(DOCUMENT, "guard", lines)
        return
    if lines := over(found, json.loads(BUDGET.read_text())):
        raise SystemExit("\n".join(lines))


if __name__ == "__main__":
    main()
