"""docker-compose.yml is valid, and what it starts runs: each command as a plain process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
import yaml

from gateway.settings import ROOT, Settings
from rig.house import LEAFLINE, OURS, free_port, wait_until
from rig.servers import redis_by

pytestmark = [pytest.mark.whole, pytest.mark.timeout(300)]

FILE = ROOT / "docker-compose.yml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text())["services"]
OUR_OWN = {name: service for name, service in SERVICES.items() if "build" in service}
LASTING = [name for name in OUR_OWN if name != "migrate"]


def test_it_is_what_the_specification_allows() -> None:
    program = Path(sys.executable).parent / "check-jsonschema"
    command = [program, "--builtin-schema", "vendor.compose-spec", FILE]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_runs_as_root_or_unpinned(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] not in ("root", "0")
    assert name in OUR_OWN or ":" in service["image"]


def test_every_process_of_the_house_is_there() -> None:
    commands = {tuple(service["command"]) for service in OUR_OWN.values()}
    assert commands == {
        ("db", "upgrade"),
        ("web",),
        ("worker",),
        ("worker", "--queue", "media"),
        ("sender",),
        ("scheduler",),
    }


@pytest.mark.parametrize("name", OUR_OWN)
def test_it_waits_for_what_it_needs(name: str) -> None:
    needed = OUR_OWN[name]["depends_on"]
    if name == "migrate":
        assert needed == {"postgres": {"condition": "service_healthy"}}
    else:
        assert needed["migrate"] == {"condition": "service_completed_successfully"}
        assert needed["redis"] == {"condition": "service_healthy"}
    assert all("healthcheck" in SERVICES[other] or other == "migrate" for other in needed)


def test_postgres_is_asked_where_its_clients_ask() -> None:
    """The image's first start has a server on the socket alone, before the real one."""
    program, *arguments = SERVICES["postgres"]["healthcheck"]["test"][1:]
    asked = dict(zip(arguments[::2], arguments[1::2], strict=True))
    assert (program, asked["--host"]) == ("pg_isready", "127.0.0.1")


def test_every_variable_is_a_setting() -> None:
    known = {f"LEAFLINE_{name.upper()}" for name in Settings.model_fields}
    known |= {"DATABASE_URL", "REDIS_URL"}
    for service in OUR_OWN.values():
        assert set(service["environment"]) <= known


WORD = "a-word-of-its-own"
PASSWORD = re.compile(r"\$\{REDIS_PASSWORD:\?[^}]+\}")


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    """A Redis as the file starts it, at the address that the file gives to the others."""
    _, *options = SERVICES["redis"]["command"]
    ours = urlsplit(PASSWORD.sub(WORD, OUR_OWN["web"]["environment"]["REDIS_URL"]))
    assert (ours.username, ours.password, ours.hostname) == ("leafline", WORD, "redis")
    with redis_by([PASSWORD.sub(WORD, option) for option in options], "leafline", WORD) as url:
        yield url


def test_redis_hears_nobody_without_a_word(redis_url: str) -> None:
    bare = urlsplit(redis_url)
    stranger = redis.Redis(str(bare.hostname), int(bare.port or 0))
    with pytest.raises(redis.AuthenticationError):
        stranger.ping()
    with pytest.raises(redis.AuthenticationError):
        stranger.execute_command("AUTH", "default", "")
    stranger.close()


@pytest.mark.parametrize(
    "command",
    ["FLUSHALL", "CONFIG GET dir", "CONFIG SET dir /tmp", "MODULE LIST", "SHUTDOWN", "KEYS *",
     "REPLICAOF 192.0.2.1 6379", "ACL LIST", "MONITOR", "CLIENT KILL TYPE normal"],
)  # fmt: skip
def test_the_service_cannot_harm_redis(redis_url: str, command: str) -> None:
    with redis.Redis.from_url(redis_url) as ours:
        assert ours.ping()
        with pytest.raises(redis.exceptions.NoPermissionError):
            ours.execute_command(*command.split())


def test_redis_is_asked_by_its_own_client(redis_url: str) -> None:
    service = SERVICES["redis"]
    program, *arguments = service["healthcheck"]["test"][1:]
    kept = {"PATH": os.environ["PATH"]}
    word = {k: PASSWORD.sub(WORD, v) for k, v in service["environment"].items()}
    port = ["-p", str(urlsplit(redis_url).port)]

    def healthy(environment: dict[str, str]) -> bool:
        command = [program, *port, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        return done.returncode == 0

    assert healthy(kept | word)
    assert not healthy(kept | dict.fromkeys(word, "another"))


def test_the_doctor_finds_it_closed(environment: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [LEAFLINE, "doctor", "redis"], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.startswith("ok"), done.stdout


@pytest.fixture
def environment(tmp_path: Path, postgres_url: str, redis_url: str) -> dict[str, str]:
    """The service's environment, with the test's servers in place of the containers."""
    kept = {name: value for name, value in os.environ.items() if not OURS.match(name)}
    given: dict[str, str] = {k: str(v) for k, v in OUR_OWN["web"]["environment"].items()}
    here = {
        "DATABASE_URL": postgres_url,
        "REDIS_URL": redis_url,
        "LEAFLINE_HOME": str(tmp_path / "home"),
        "LEAFLINE_HOST": "127.0.0.1",
        "LEAFLINE_PORT": str(free_port()),
        "LEAFLINE_WEB_PROCESSES": "2",
        "AT_API_KEY": "atsk_not_a_key",
    }
    return {**kept, **given, **here}


def test_the_migration_runs_to_its_end(environment: dict[str, str], tmp_path: Path) -> None:
    command = [LEAFLINE, *OUR_OWN["migrate"]["command"]]
    for _ in range(2):
        done = subprocess.run(command, env=environment, cwd=tmp_path, check=False)
        assert done.returncode == 0


@pytest.mark.parametrize("name", LASTING)
def test_its_command_runs_until_it_is_told_to_stop(
    environment: dict[str, str], tmp_path: Path, name: str
) -> None:
    service = OUR_OWN[name]
    output = tmp_path / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [LEAFLINE, *service["command"]],
            env=environment,
            cwd=tmp_path,
            stdout=file,
            stderr=file,
            process_group=0,
        )
    try:
        at_work = _health(service, environment) or _takes_sigterm(process.pid)
        wait_until(lambda: process.poll() is not None or at_work(), f"{name} to be at work")
        assert process.poll() is None, output.read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, output.read_text()
        assert "Traceback" not in output.read_text()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _health(service: dict[str, Any], environment: dict[str, str]) -> Callable[[], bool] | None:
    """The service's own health check, if it has one."""
    if "healthcheck" not in service:
        return None
    _, program, *arguments = service["healthcheck"]["test"]
    assert program == "python"
    here = f":{environment['LEAFLINE_PORT']}/"
    command = [sys.executable, *(argument.replace(":8000/", here) for argument in arguments)]
    return lambda: subprocess.run(command, capture_output=True, check=False).returncode == 0


def _takes_sigterm(pid: int) -> Callable[[], bool]:
    """Whether the process has taken SIGTERM into its own hands, the last thing before its work."""

    def taken() -> bool:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except FileNotFoundError:
            return False
        caught = int(status.partition("SigCgt:")[2].split()[0], 16)
        return bool(caught >> (signal.SIGTERM - 1) & 1)

    return taken
