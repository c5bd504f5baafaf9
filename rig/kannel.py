"""A real Kannel on free ports: bearerbox and smsbox, with fakesmsc in the place of a network."""

from __future__ import annotations

import queue
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rig.house import free_port, wait_until

FAKESMSC = Path("/usr/lib/kannel/test/fakesmsc")
USER, PASSWORD = "leafline", "kannel-password"
SHORT_CODE = "384"

CONFIG = """
group = core
admin-port = {admin}
admin-password = {password}
smsbox-port = {smsbox}
box-allow-ip = 127.0.0.1
log-level = 3

group = smsc
smsc = fake
smsc-id = fake
port = {smsc}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
global-sender = {short_code}
log-level = 3

group = sendsms-user
username = {user}
password = {password}

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "{callbacks}sms?id=%I&from=%p&to=%P&text=%a&date=%t"
"""


class Absent(Exception):
    """There is no Kannel on this machine."""


class Network:
    """The network's side: what arrives at phones, and a phone that writes."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.delivered: queue.Queue[str] = queue.Queue()
        self._children = ExitStack()

    def write(self, phone: str, word: str) -> None:
        """A phone writes one word to the short code; afterwards it stays on, and receives."""
        words = [str(FAKESMSC), "-H", "127.0.0.1", "-r", str(self._port), "-m", "1", "-i", "0.1",
                 f"{phone} {SHORT_CODE} text {word}"]  # fmt: skip
        process = _start(self._children, words, heard=True)
        listener = threading.Thread(target=self._listen, args=(process,))
        listener.start()
        self._children.callback(listener.join)
        self._children.callback(process.kill)

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        for line in process.stdout:
            if "Got message" in line:
                self.delivered.put(line.partition("<")[2].rpartition(">")[0])

    def close(self) -> None:
        self._children.close()


@contextmanager
def kannel(folder: Path, callbacks: str) -> Iterator[tuple[str, Network]]:
    """The address of sendsms, and the network behind it. `callbacks`: address of our routes.

    Raises: Absent.
    """
    boxes = [shutil.which(name, path="/usr/sbin:/usr/bin") for name in ("bearerbox", "smsbox")]
    if None in boxes or not FAKESMSC.exists():
        raise Absent("no Kannel: apt install kannel kannel-extras")
    ports = {name: free_port() for name in ("admin", "smsbox", "smsc", "sendsms")}
    config = folder / "kannel.conf"
    config.write_text(
        CONFIG.format(**ports, user=USER, password=PASSWORD, short_code=SHORT_CODE,
                      callbacks=callbacks)
    )  # fmt: skip
    network = Network(ports["smsc"])
    with ExitStack() as children:
        children.callback(network.close)
        _start(children, [str(boxes[0]), "-v", "4", str(config)])
        wait_until(lambda: _listens(ports["smsbox"]), "bearerbox to listen")
        wait_until(lambda: _listens(ports["smsc"]), "the fake network to listen")
        _start(children, [str(boxes[1]), "-v", "4", str(config)])
        wait_until(lambda: _listens(ports["sendsms"]), "smsbox to listen")
        yield f"http://127.0.0.1:{ports['sendsms']}/cgi-bin/sendsms", network


def _start(children: ExitStack, words: list[str], *, heard: bool = False) -> subprocess.Popen[str]:
    """`heard`: what it prints is read, and its input stays open."""
    ways = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE} if heard else {
        "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}  # fmt: skip
    process = subprocess.Popen(words, **ways, stderr=subprocess.STDOUT, text=True)
    children.enter_context(process)
    children.callback(process.kill)
    return process


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
