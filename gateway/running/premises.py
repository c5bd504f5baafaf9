"""What must hold before anything starts: a home of our own, free ports."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from gateway.settings import Settings, SettingsError

LOCK = "leafline.lock"
LEFTOVER_SECONDS = 25.0
"""How long the processes of a supervisor that was killed may need to end by themselves."""


class HomeLock:
    """Holds the home folder for one house.

    The descriptor is handed on to every child, so the home stays taken until the last process of
    the house is gone, however it ended: two Redis servers never write one append-only file.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    @classmethod
    def take(cls, settings: Settings, wait: float = LEFTOVER_SECONDS) -> Self:
        """Raises: SettingsError when the home is in use or cannot be written."""
        path = settings.home.resolve() / LOCK
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SettingsError(
                f"cannot write {path}: {error.strerror}; "
                "make LEAFLINE_HOME a folder you may write to"
            ) from None
        until = time.monotonic() + wait
        while not _try_lock(descriptor):
            pid = _supervisor(path)
            if _alive(pid) or time.monotonic() > until:
                os.close(descriptor)
                raise SettingsError(
                    f"Leafline runs already in {path.parent} (process {pid}): "
                    "stop it first, or set LEAFLINE_HOME to another folder"
                )
            time.sleep(0.1)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid()}).encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        os.close(self.descriptor)


def house_is_running(settings: Settings) -> bool:
    """Whether a supervisor, or a process that it started, holds this home."""
    try:
        descriptor = os.open(settings.home.resolve() / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _try_lock(descriptor)
    finally:
        os.close(descriptor)


def check_ports(settings: Settings) -> None:
    """Raises: SettingsError when an address we need is taken or not ours."""
    _check_port(settings.host, settings.port, "LEAFLINE_PORT")
    if settings.simulator_on:
        simulator = urlsplit(settings.simulator_url)
        assert simulator.hostname
        assert simulator.port
        _check_port(simulator.hostname, simulator.port, "LEAFLINE_SIMULATOR_PORT")


def _check_port(host: str, port: int, setting: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As the servers do it: a port in TIME_WAIT is free, one that is listened on is not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"cannot listen on {host}:{port}: {error.strerror or error}; "
                f"free it, or set {setting} to another port"
            ) from None


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _supervisor(path: Path) -> int:
    try:
        return int(json.loads(path.read_text())["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
