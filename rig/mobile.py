"""The simulated network on a real port, and a listener in the place of the web process."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask, Response, request

from simulator.callbacks import Addresses
from simulator.server import bind, create_app

CODE = "*384*123#"


@contextmanager
def serving(app: Flask, port: int = 0) -> Iterator[str]:
    """Serve an application on a free port of this machine; gives its address."""
    server = bind(app, port)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def simulator(base: str) -> Iterator[str]:
    """A simulated network that posts to addresses under `base`; gives its address."""
    with serving(create_app(Addresses.under(base), code=CODE)) as url:
        yield url


class Listener:
    """Hears all callbacks; `screen` answers USSD, `statuses` come first for the others."""

    def __init__(self) -> None:
        self.heard: queue.Queue[tuple[str, dict[str, str]]] = queue.Queue()
        self.statuses: list[int] = []
        self.labels: list[str] = []
        """What each request called the screen before."""
        self.screen: Callable[[dict[str, str]], Response | str] = lambda form: (
            f"END {form['text']}" if form["text"] else "CON Hello\n1. One"
        )
        self.app = Flask("listener")
        self.app.add_url_rule("/<name>", "hear", self._hear, methods=["POST"])

    def _hear(self, name: str) -> Response:
        form = dict(request.form)
        self.labels.append(request.headers.get("at-ussd-hop-metadata", ""))
        self.heard.put((name, form))
        if name == "ussd":
            answer = self.screen(form)
            return answer if isinstance(answer, Response) else Response(answer)
        return Response("ok", self.statuses.pop(0) if self.statuses else 200)

    def next(self, name: str, timeout: float = 10.0) -> dict[str, str]:
        """The next callback of this name; others are skipped."""
        while True:
            heard, form = self.heard.get(timeout=timeout)
            if heard == name:
                return form
