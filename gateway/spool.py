"""The spool: callbacks that could not be stored just now, kept on disk until they can.

A callback answered 200 is promised. When the store is away it becomes one sealed file, synced to
disk before the answer goes out; what was kept is taken in later, in the order in which it came.
Every taker is safe to run twice, so a crash between taking and deleting costs nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from gateway.settings import SettingsError
from gateway.store import away
from gateway.store.vault import SealBroken, Vault

log = logging.getLogger("leafline.spool")

RETRY_SECONDS = 1.0
Take = Callable[[str, Mapping[str, str]], None]
"""Takes one callback (its kind and its fields) into the store; raises when it cannot."""
Moot = Callable[[Mapping[str, str], datetime], bool]
"""Whether fields that came at an instant are to be dropped; raises as a `Take` does."""


class SpoolError(Exception):
    """The spool cannot be written either: the callback must be refused."""


class Spool:
    """One folder on this machine; several processes may use it at once."""

    def __init__(self, folder: Path, vault: Vault, moot: Moot | None = None) -> None:
        self._waiting = folder / "waiting"
        self._failed = folder / "failed"
        self._vault = vault
        self._moot = moot
        self._lock = threading.Lock()
        self._last = 0

    def check(self) -> None:
        """Prove that a callback could be kept now.

        Raises: SettingsError, for a start that must not go on.
        """
        probe = f".probe-{secrets.token_hex(4)}"
        try:
            self._write(probe, b"can this be written?")
            (self._waiting / probe).unlink()
        except (SpoolError, OSError) as error:
            raise SettingsError(
                f"{error}; make LEAFLINE_HOME a folder with room that you may write to"
            ) from None

    def keep(self, kind: str, fields: Mapping[str, str]) -> None:
        """Keep one callback; it is on disk when this returns. Raises: SpoolError."""
        data = json.dumps({"kind": kind, "fields": dict(fields)})
        name = f"{self._stamp():020d}-{secrets.token_hex(4)}"
        self._write(name, self._vault.seal_text(data))

    def waits(self) -> bool:
        """Whether anything is kept: what comes now must then wait behind it."""
        return next(self._entries(self._waiting), None) is not None

    def failed(self) -> int:
        """How many callbacks were set aside because taking them in failed for good."""
        return sum(1 for _ in self._entries(self._failed))

    def replay(self, take: Take) -> bool:
        """Take in what is kept, oldest first; one process at a time.

        A callback that fails while the store is there is set aside, so that it stops no other.

        Returns: True when nothing is kept any more.
        """
        if not self.waits():
            return True
        with self._alone() as alone:
            if not alone:
                return False
            for path in sorted(self._entries(self._waiting)):
                if not self._replay_one(path, take):
                    return False
        return not self.waits()

    def forget(self, mine: Callable[[Mapping[str, str]], bool]) -> int:
        """Delete what is kept, taken in or set aside, with fields of which `mine` is true.

        Returns: how many callbacks.
        """
        count = 0
        for path in (*self._entries(self._waiting), *self._entries(self._failed)):
            with contextlib.suppress(OSError, SealBroken, ValueError):
                kept = json.loads(self._vault.open_text(path.read_bytes()))
                if mine(kept["fields"]):
                    path.unlink()
                    count += 1
        return count

    def seal_anew(self) -> int:
        """Seal what waits with the key that writes now; how many callbacks it was."""
        count = 0
        for path in (*self._entries(self._waiting), *self._entries(self._failed)):
            aside = path.with_name(f".aside-{secrets.token_hex(4)}")
            with contextlib.suppress(FileNotFoundError, SealBroken):
                sealed = path.read_bytes()
                if self._vault.is_current(sealed):
                    continue
                _write_synced(aside, self._vault.seal_text(self._vault.open_text(sealed)))
                with self._alone(patient=True):
                    # Taken in meanwhile: then it must not come back.
                    if path.exists():
                        os.replace(aside, path)
                        count += 1
                aside.unlink(missing_ok=True)
        return count

    def _replay_one(self, path: Path, take: Take) -> bool:
        try:
            kept = json.loads(self._vault.open_text(path.read_bytes()))
            came = datetime.fromtimestamp(int(path.name[:20]) / 1e9, UTC)
            if self._moot is not None and self._moot(kept["fields"], came):
                log.info("spool dropped file=%s: its sender had everything deleted", path.name)
            else:
                take(kept["kind"], kept["fields"])
        except Exception as error:
            if away(error):
                return False
            # No text of the error: it may repeat what the callback holds.
            log.error("spool set_aside file=%s error=%s", path.name, type(error).__name__)
            self._failed.mkdir(exist_ok=True)
            os.replace(path, self._failed / path.name)
            return True
        path.unlink()
        return True

    def _write(self, name: str, data: bytes) -> None:
        aside = self._waiting / f".aside-{secrets.token_hex(4)}"
        try:
            self._waiting.mkdir(parents=True, exist_ok=True)
            _write_synced(aside, data)
            os.replace(aside, self._waiting / name)
            _sync(self._waiting)
        except OSError as error:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)
            raise SpoolError(
                f"cannot write to the spool {self._waiting}: {error.strerror}"
            ) from error

    def _stamp(self) -> int:
        """Nanoseconds, growing even when the clock jumps back: names are the order."""
        with self._lock:
            if not self._last:
                kept = (int(path.name[:20]) for path in self._entries(self._waiting))
                self._last = max(kept, default=0)
            self._last = max(time.time_ns(), self._last + 1)
            return self._last

    def _entries(self, folder: Path) -> Iterator[Path]:
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    yield Path(entry.path)

    @contextlib.contextmanager
    def _alone(self, *, patient: bool = False) -> Iterator[bool]:
        with open(self._waiting.parent / ".replaying", "wb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if patient else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
            else:
                yield True


class Replayer:
    """Replays in a thread of its own, from the first kept callback until none is left."""

    def __init__(self, spool: Spool, take: Take) -> None:
        self._spool, self._take = spool, take
        self._kept = threading.Event()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None
        if spool.waits():
            self.nudge()

    def keep(self, kind: str, fields: Mapping[str, str]) -> None:
        """Keep one callback, to be taken in as soon as that is possible. Raises: SpoolError."""
        self._spool.keep(kind, fields)
        self.nudge()

    def nudge(self) -> None:
        """Say that something is kept. Costs nothing when a replay is under way."""
        self._kept.set()
        with self._start:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="spool", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while self._kept.wait():
            self._kept.clear()
            while not self._replayed():
                time.sleep(RETRY_SECONDS)

    def _replayed(self) -> bool:
        try:
            done = self._spool.replay(self._take)
        except OSError as error:
            log.error("the spool cannot be read: %s", error.strerror)
            return False
        if done:
            log.warning("the spool is empty again")
        return done


def _write_synced(path: Path, data: bytes) -> None:
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
