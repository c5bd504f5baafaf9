"""What is reported to Sentry, heard by a server in its place."""

from __future__ import annotations

import gzip
import json
import logging
import os
import queue
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli
import pytest
import sentry_sdk
from flask import Flask, request

from gateway.running import reports
from gateway.running.logs import Mask
from gateway.settings import ROOT
from rig.mobile import serving

KEY = "kB3-9xQ_channel"
PATIENCE_SECONDS = 30.0
Events = queue.Queue[dict[str, Any]]


@pytest.fixture
def events() -> Events:
    return queue.Queue()


@pytest.fixture
def dsn(events: Events) -> Iterator[str]:
    """Of a project whose events are heard."""
    app = Flask("sentry")

    def hear(project: int) -> str:
        unpack = {"br": brotli.decompress, "gzip": gzip.decompress}
        data = unpack[request.headers["Content-Encoding"]](request.get_data())
        _envelope, head, body = data.split(b"\n")[:3]
        if json.loads(head)["type"] == "event":
            events.put({"project": project} | json.loads(body))
        return "{}"

    app.add_url_rule("/api/<int:project>/envelope/", "hear", hear, methods=["POST"])
    with serving(app) as url:
        yield f"{url.replace('//', '//public@')}/7"


@pytest.fixture
def handler(dsn: str) -> Iterator[logging.Handler]:
    yield reports.handler(dsn, "worker-1", Mask([KEY]))
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)


def failing() -> tuple[Any, Any, Any]:
    try:
        raise ValueError(f"no reply from +250788000001 at /africastalking/{KEY}/sms")
    except ValueError:
        return sys.exc_info()


def record(level: int, exc_info: Any = None) -> logging.LogRecord:
    args = ("0788000001",)
    return logging.LogRecord("gateway.jobs", level, __file__, 1, "sms to %s", args, exc_info)


def test_an_error_without_anything_personal(handler: logging.Handler, events: Events) -> None:
    handler.handle(record(logging.ERROR, failing()))
    event = events.get(timeout=PATIENCE_SECONDS)
    assert (event["project"], event["logger"], event["level"]) == (7, "gateway.jobs", "error")
    assert event["tags"] == {"process": "worker-1"}
    [error] = event["exception"]["values"]
    assert error["type"] == "ValueError"
    assert error["value"] == "no reply from [phone] at /africastalking/[secret]/sms"
    assert error["stacktrace"]["frames"][-1]["function"] == "failing"
    assert event["logentry"]["message"] == "sms to %s"
    told = json.dumps(event)
    assert "788000001" not in told
    assert KEY not in told
    assert not any("vars" in frame for frame in error["stacktrace"]["frames"])
    assert not any(event.get(name) for name in ("request", "user", "modules", "extra"))
    assert event["breadcrumbs"]["values"] == []


def test_less_than_an_error_is_not_reported() -> None:
    assert reports.EventHandler(logging.ERROR).level == logging.ERROR


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ({"a": ["0788123456", 7, None]}, {"a": ["[phone]", 7, None]}),
        (("x", {"b": KEY}), ["x", {"b": "[secret]"}]),
        (0.5, 0.5),
    ],
)
def test_every_text_in_it_is_masked(value: object, clean: object) -> None:
    assert reports.masked(value, Mask([KEY])) == clean


def test_a_process_reports_what_it_logs_before_it_ends(
    dsn: str, events: Events, tmp_path: Path
) -> None:
    program = (
        "import logging; from gateway.running import logs; from gateway.settings import Settings;"
        "logs.set_up(Settings.read(), 'web'); log = logging.getLogger('gateway.app');"
        "log.warning('warned'); log.error('to %s', '+250788000001')"
    )
    environment = os.environ | {"SENTRY_DSN": dsn, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    event = events.get(timeout=PATIENCE_SECONDS)
    assert (event["logentry"]["message"], event["tags"]) == ("to %s", {"process": "web"})
    assert "788000001" not in json.dumps(event)
    assert events.empty()
    assert done.stderr.count("\n") == 2  # the two lines, and nothing of Sentry's own
