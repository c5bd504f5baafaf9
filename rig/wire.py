"""The wire between a phone and the house: a TCP relay that can be cut, at once or in the middle."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PIECE = 8 * 1024


class Wire:
    """Relays connections to `port` until it is cut; then it ends them and refuses new ones."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._whole = threading.Event()
        self._whole.set()
        self._room: dict[str, int | None] = {"up": None, "down": None}
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self.was_cut = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._whole.clear()
        self.was_cut.set()
        with self._lock:
            ends, self._open = self._open, set()
        for end in ends:
            _end(end)

    def cut_after(self, *, up: int | None = None, down: int | None = None) -> None:
        """Cut as soon as so many more bytes have gone to the house, or want to come back."""
        self.was_cut.clear()
        self._room = {"up": up, "down": down}

    def mend(self) -> None:
        self._room = {"up": None, "down": None}
        self._whole.set()

    def close(self) -> None:
        self.cut()
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _address = self._server.accept()
            except OSError:
                return
            if not self._whole.is_set():
                _end(near)
                continue
            far = socket.create_connection(("127.0.0.1", self._port))
            with self._lock:
                self._open |= {near, far}
            for way, source, target in (("up", near, far), ("down", far, near)):
                threading.Thread(
                    target=self._relay, args=(way, source, target), daemon=True
                ).start()

    def _relay(self, way: str, source: socket.socket, target: socket.socket) -> None:
        try:
            while piece := source.recv(PIECE):
                room = self._room[way]
                if room is not None:
                    self._room[way] = room - len(piece)
                    if room < len(piece):
                        self.cut()
                        return
                target.sendall(piece)
        except OSError:
            pass
        finally:
            _end(source)
            _end(target)
            with self._lock:
                self._open -= {source, target}


def _end(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    finally:
        end.close()


@contextmanager
def wire_to(url: str) -> Iterator[Wire]:
    wire = Wire(int(url.rpartition(":")[2]))
    try:
        yield wire
    finally:
        wire.close()
