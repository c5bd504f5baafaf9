"""Our own Redis: found where it can be, durable, and reached by its socket alone."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
import redis

from gateway.running import own_redis
from gateway.settings import Settings, SettingsError


def settings(home: Path) -> Settings:
    return Settings.read(_env_file=None, home=home)


def test_the_one_on_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in own_redis.SERVERS[::-1]:
        server = tmp_path / name
        server.write_text("#!/bin/sh\n")
        server.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert own_redis.find_server() == str(server)


def test_without_any_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(SettingsError, match="install redis-server or valkey-server") as refusal:
        own_redis.find_server()
    assert "\n" not in str(refusal.value)


def test_what_it_was_told_outlives_a_kill(tmp_path: Path) -> None:
    here = settings(tmp_path)
    (tmp_path / "redis").mkdir()
    for told in (None, b"kept"):
        with subprocess.Popen(own_redis.command(here), stdout=subprocess.DEVNULL) as server:
            client = redis.Redis.from_url(here.queue_url)
            until = time.monotonic() + 20
            while True:
                try:
                    client.ping()
                    break
                except redis.RedisError:
                    assert time.monotonic() < until
                    time.sleep(0.02)
            assert client.get("told") == told
            client.set("told", "kept")
            assert client.config_get("port") == {"port": "0"}
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            client.close()
            server.kill()
