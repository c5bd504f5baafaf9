"""Decoders as a hostile photo finds them: what the guarded process does in tests."""

import os
import signal
import sys
import threading


def forever(_photo: bytes) -> tuple[list[int], bytes]:
    while True:
        pass


def hungry(photo: bytes) -> tuple[list[int], bytes]:
    return [1], photo * 100_000_000


def leaking(_photo: bytes) -> tuple[list[int], bytes]:
    kept.append(bytearray(40_000_000))
    return [os.getpid()], b""


kept: list[bytearray] = []


def crashing(_photo: bytes) -> tuple[list[int], bytes]:
    os.kill(os.getpid(), signal.SIGSEGV)
    return [], b""


def killed(_photo: bytes) -> tuple[list[int], bytes]:
    os.kill(os.getpid(), signal.SIGKILL)
    return [], b""


def writing(path: bytes) -> tuple[list[int], bytes]:
    with open(path, "wb") as file:
        file.write(path)
    return [], b""


def seen(_photo: bytes) -> tuple[list[int], bytes]:
    loaded = "onnxruntime" in sys.modules or "gateway" in sys.modules
    return [os.getpid(), threading.active_count(), int(loaded)], "\n".join(os.environ).encode()


TASKS = {
    task.__name__: task for task in (forever, hungry, leaking, crashing, killed, writing, seen)
}
