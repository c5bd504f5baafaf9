"""`leafline web`: the Flask application in gunicorn, by its embedding interface."""

from __future__ import annotations

import sys
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.config import Config
from gunicorn.glogging import Logger

from gateway.settings import Settings

GRACEFUL_SECONDS = 15
"""For requests in flight at SIGTERM; below the 17 s after which the supervisor kills."""


class _PlainLogger(Logger):
    """Leaves gunicorn's messages to our own log set-up, and writes no access log: the webhook
    paths hold the channel keys."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True

    def access(self, *_args: Any, **_kwargs: Any) -> None:
        pass


class WebServer(BaseApplication):
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__(prog="leafline web")

    def load_config(self) -> None:
        settings = self._settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        for name, value in {
            "bind": f"{host}:{settings.port}",
            "worker_class": "gthread",
            "workers": settings.web_processes,
            "threads": settings.web_threads,
            "graceful_timeout": GRACEFUL_SECONDS,
            "timeout": 60,
            "logger_class": _PlainLogger,
            "loglevel": "warning",
            "control_socket_disable": True,
            "proc_name": "leafline web",
            "umask": 0o077,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """In each gunicorn process, after the fork: connections are not shared, and ONNX Runtime
        makes a process hang at its exit when it was imported before the fork."""
        from gateway.app import create_app

        return create_app(self._settings)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    assert "onnxruntime" not in sys.modules, "imported before the fork"
    WebServer(settings).run()
