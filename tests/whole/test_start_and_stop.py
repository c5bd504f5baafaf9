"""The house as its operator sees it: how it starts, refuses, recovers and ends."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from gateway.settings import ROOT
from rig.house import House, house_in, wait_until

pytestmark = [pytest.mark.whole, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house_in(tmp_path_factory.mktemp("start"), LEAFLINE_WORKERS=2) as house:
        yield house


def test_it_says_what_to_open(house: House) -> None:
    for line in (f"{house.url}/simulator", f"{house.url}/africastalking/", str(house.home)):
        assert line in house.output
    assert "Traceback" not in house.output


def test_every_process_runs_once(house: House) -> None:
    names = sorted(house.processes().values())
    parts = {
        "redis",
        "scheduler",
        "sender",
        "simulator",
        "up",
        "web",
        "worker-1",
        "worker-2",
    }
    assert set(names) == parts
    assert names.count("web") == 2  # the minding process and the one that serves
    assert len(names) == len(parts) + 1


def test_the_doctor_finds_it_well(house: House) -> None:
    answer = house.command("doctor")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "fail" not in answer.stdout


def test_nobody_else_may_look_into_the_home(house: House) -> None:
    paths = [house.home, *house.home.rglob("*")]
    assert len(paths) > 10
    assert [path for path in paths if path.lstat().st_mode & 0o077] == []


def test_a_second_house_in_the_same_home_is_refused(house: House) -> None:
    answer = house.command("up")
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert f"process {house.pid}" in answer.stderr


@pytest.mark.parametrize("name", ["worker-1", "web", "redis", "sender", "simulator"])
def test_a_killed_process_comes_back(house: House, name: str) -> None:
    before = house.processes(name)
    os.kill(min(before), signal.SIGKILL)
    wait_until(
        lambda: (now := house.processes(name)) and not set(now) & set(before),
        f"{name} to be started again",
    )

    def is_ready() -> bool:
        try:
            with urlopen(f"{house.url}/health/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    wait_until(is_ready, "the house to be ready again")
    assert f"{name} ended (killed by SIGKILL); starting it again in 1 s" in house.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_whole(tmp_path: Path, number: signal.Signals) -> None:
    with house_in(tmp_path) as house:
        began = time.monotonic()
        assert house.stop(number) == 0
        assert time.monotonic() - began < 20
        assert house.processes() == {}
        assert house.ports_are_free()
        assert not (house.home / "redis.sock").exists()
        assert "did not stop" not in house.output


def test_ctrl_c_while_it_starts(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.launch("up")
    wait_until(lambda: house.processes("redis"), "the first process")
    assert house.stop(signal.SIGINT) == 0
    assert house.processes() == {}
    assert "Traceback" not in house.output


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    with house_in(tmp_path) as house:
        house.stop(signal.SIGKILL)
        house.start()  # waits for what the first one left, then runs beside nothing
        assert list(house.processes().values()).count("redis") == 1
        house.stop(signal.SIGKILL)
        wait_until(lambda: not house.processes(), "every process to end", 20)
        assert house.ports_are_free()


def refusal(house: House) -> str:
    """The one line with which `leafline up` refuses; nothing is left running."""
    answer = house.command("up")
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert house.processes() == {}
    lines = answer.stderr.splitlines()
    assert len(lines) == 1, answer.stderr
    return lines[0]


@pytest.mark.parametrize("which", ["LEAFLINE_PORT", "LEAFLINE_SIMULATOR_PORT"])
def test_a_busy_port(tmp_path: Path, which: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        house = House(tmp_path, **{which: busy.getsockname()[1]})
        assert f"free it, or set {which} to another port" in refusal(house)


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.home.write_text("")
    assert "LEAFLINE_HOME" in refusal(house)


@pytest.mark.parametrize("damage", ["missing", "truncated", "swapped", "no_card"])
def test_a_damaged_model(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(ROOT / "inference" / "model", folder)
    graph = folder / "leaf.onnx"
    if damage == "missing":
        graph.unlink()
    elif damage == "truncated":
        graph.write_bytes(graph.read_bytes()[:1000])
    elif damage == "swapped":
        data = bytearray(graph.read_bytes())
        data[len(data) // 2] ^= 0xFF
        graph.write_bytes(bytes(data))
    else:
        (folder / "leaf.json").write_text("{")
    line = refusal(House(tmp_path, LEAFLINE_MODEL=folder))
    assert str(folder) in line
    assert "set LEAFLINE_MODEL" in line


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("LEAFLINE_PORT", "eighty"),
        ("LEAFLINE_WORKERS", "0"),
        ("LEAFLINE_REGION", "Rwanda"),
        ("DATABASE_URL", "mysterious://somewhere"),
        ("LEAFLINE_SIMULATOR", "off"),
        ("LEAFLINE_TEMPLATES", "/nowhere"),
    ],
)
def test_a_bad_setting(tmp_path: Path, setting: str, value: str) -> None:
    assert refusal(House(tmp_path, **{setting: value}))


def test_no_simulator_needs_a_key(tmp_path: Path) -> None:
    answer = House(tmp_path).command("up", "--no-simulator")
    assert answer.returncode == 1
    assert "AT_API_KEY" in answer.stderr
    assert answer.stderr.count("\n") == 1
