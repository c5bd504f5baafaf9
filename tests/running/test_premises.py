"""The home is one house's alone; a taken port is named with what to do."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.running.premises import LOCK, HomeLock, check_ports, house_is_running
from gateway.settings import Settings, SettingsError


def settings(home: Path, **more: object) -> Settings:
    return Settings.read(_env_file=None, home=home, **more)


def test_a_home_is_taken_once(tmp_path: Path) -> None:
    here = settings(tmp_path / "deep" / "home")
    assert not house_is_running(here)
    lock = HomeLock.take(here)
    assert house_is_running(here)
    with pytest.raises(SettingsError, match=rf"runs already in .*process {os.getpid()}.*stop"):
        HomeLock.take(here, wait=0)
    lock.release()
    assert not house_is_running(here)
    HomeLock.take(here, wait=0).release()


def test_a_home_stays_taken_until_the_last_process_is_gone(tmp_path: Path) -> None:
    here = settings(tmp_path)
    lock = HomeLock.take(here)
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"],
        stdin=subprocess.PIPE,
        pass_fds=(lock.descriptor,),
    ):
        lock.release()
        assert house_is_running(here)
    assert not house_is_running(here)


def test_it_waits_for_what_a_killed_supervisor_left(tmp_path: Path) -> None:
    here = settings(tmp_path)
    leftover = (
        "import fcntl, sys\n"
        "file = open(sys.argv[1], 'r+'); fcntl.flock(file, fcntl.LOCK_EX)\n"
        "print(flush=True); sys.stdin.readline()\n"
    )
    (tmp_path / LOCK).write_text('{"pid": 4194305}')  # above the highest possible process id
    with subprocess.Popen(
        [sys.executable, "-c", leftover, str(tmp_path / LOCK)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        child.stdout.readline()
        with pytest.raises(SettingsError, match="runs already"):
            HomeLock.take(here, wait=0)
        child.stdin.write(b"\n")
        child.stdin.flush()
        HomeLock.take(here, wait=20).release()


def test_a_file_in_place_of_the_home(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    with pytest.raises(SettingsError, match=r"cannot write .*LEAFLINE_HOME"):
        HomeLock.take(settings(tmp_path / "var"))


@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs setpriv from util-linux")
def test_a_read_only_home(tmp_path: Path) -> None:
    home = tmp_path / "var"
    home.mkdir(mode=0o555)
    program = (
        "from gateway.running.premises import HomeLock\n"
        "from gateway.settings import Settings, SettingsError\n"
        "try: HomeLock.take(Settings.read(_env_file=None))\n"
        "except SettingsError as error: print(error)\n"
    )
    # Root passes over permission bits unless it gives that capability up.
    bound = ["setpriv", "--inh-caps=-all", "--bounding-set=-dac_override"]
    command = [*(bound if os.geteuid() == 0 else []), sys.executable, "-c", program]
    environment = {**os.environ, "LEAFLINE_HOME": str(home)}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "Permission denied; make LEAFLINE_HOME a folder you may write to" in answer.stdout


def test_a_busy_port_is_named_with_its_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        cases = [
            ({"port": port}, "LEAFLINE_PORT"),
            ({"host": "0.0.0.0", "port": port}, "LEAFLINE_PORT"),
            ({"port": 1024, "simulator_port": port}, "LEAFLINE_SIMULATOR_PORT"),
        ]
        for given, setting in cases:
            with pytest.raises(SettingsError, match=rf"in use; free it, or set {setting} "):
                check_ports(settings(tmp_path, **given))
    check_ports(settings(tmp_path, port=port, simulator="off"))
