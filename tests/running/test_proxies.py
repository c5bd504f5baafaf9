"""The files in deploy/, with the real programs: nginx and Caddy in front of the real server."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests
from flask import Flask, request

from gateway.running.server import Limits, Server
from gateway.settings import ROOT
from rig.house import free_port, wait_until

PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
BODY_LIMIT = 10_000_000 + 64 * 1024


def application() -> Flask:
    app = Flask(__name__)

    @app.post("/<path:path>")
    @app.get("/<path:path>")
    def answer(path: str) -> dict[str, object]:
        return {
            "path": path,
            "bytes": len(request.get_data()),
            "from": request.remote_addr,
            "scheme": request.scheme,
            "host": request.host,
        }

    return app


@contextmanager
def leafline() -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    limits = Limits(body_bytes=BODY_LIMIT)
    server = Server(application(), listener, threads=2, limits=limits, proxies=1)
    port = int(listener.getsockname()[1])
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield port
    finally:
        server.drain(0, 0)
        thread.join(30)
        for channel in list(server.active_channels.values()):
            channel.close()
        server.trigger.close()
        server.task_dispatcher.shutdown()


def nginx(folder: Path, port: int, upstream: int) -> tuple[list[str], dict[str, str]]:
    written = (ROOT / "deploy" / "nginx.conf").read_text()
    ours = written.replace("listen 8080;", f"listen 127.0.0.1:{port};")
    ours = ours.replace("server 127.0.0.1:8000;", f"server 127.0.0.1:{upstream};")
    assert ours.count(str(port)) == ours.count(str(upstream)) == 1
    places = "".join(
        f"  {name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    ours = ours.replace("http {\n", f"http {{\n{places}", 1)
    whose = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{whose}daemon off;\npid {folder}/pid;\nerror_log {folder}/log;\n{ours}"
    )
    program = shutil.which("nginx", path=PATH) or "nginx"
    return [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "log"], {}


def caddy(folder: Path, port: int, upstream: int) -> tuple[list[str], dict[str, str]]:
    told = {
        "LEAFLINE_SITE": f"http://127.0.0.1:{port}",
        "LEAFLINE_UPSTREAM": f"127.0.0.1:{upstream}",
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    words = ["run", "--config", str(ROOT / "deploy" / "Caddyfile"), "--adapter", "caddyfile"]
    return ["caddy", *words], told


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"], scope="module")
def proxy(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """The port of the proxy."""
    if shutil.which(request.param.__name__, path=PATH) is None:
        pytest.skip(f"{request.param.__name__} is not installed")
    folder = tmp_path_factory.mktemp("proxy")
    port = free_port()
    with leafline() as upstream:
        words, told = request.param(folder, port, upstream)
        with subprocess.Popen(
            words,
            env=os.environ | told,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                wait_until(lambda: answers(port) or process.poll() is not None, "the proxy", 60)
                assert process.poll() is None
                yield port
            finally:
                process.terminate()


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/x", timeout=30).ok
    except requests.ConnectionError:
        return False


def test_the_client_is_who_it_is(proxy: int) -> None:
    lies = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https", "Forwarded": "for=6.6.6.6"}
    seen = requests.get(f"http://127.0.0.1:{proxy}/x", headers=lies, timeout=30).json()
    assert (seen["from"], seen["scheme"]) == ("127.0.0.1", "http")
    assert seen["host"].partition(":")[0] == "127.0.0.1"


def test_photos_of_the_largest_size_pass_and_larger_ones_are_refused(proxy: int) -> None:
    address = f"http://127.0.0.1:{proxy}/api/photos"
    assert requests.post(address, data=b"x" * 10_000_000, timeout=60).json()["bytes"] == 10_000_000
    assert requests.post(address, data=b"x" * 10_500_000, timeout=60).status_code == 413

    def pieces() -> Iterator[bytes]:
        for _ in range(60):
            yield b"x" * 200_000

    # Caddy closes on who goes on sending.
    with contextlib.suppress(requests.ConnectionError):
        assert requests.post(address, data=pieces(), timeout=60).status_code == 413


def test_a_body_that_drips_is_taken_in_by_the_proxy(proxy: int) -> None:
    head = b"POST /api/photos HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9000\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(60):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", proxy), 30))
            client.sendall(head + b"half")
        address = f"http://127.0.0.1:{proxy}/africastalking/k/ussd"
        for _ in range(5):
            assert requests.post(address, data={"text": ""}, timeout=60).ok
            client.sendall(b"x")
