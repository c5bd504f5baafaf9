"""RQ's own dashboard behind the operator's door, to look at: it changes nothing here.

What it would offer to change (requeue, delete, empty) is left out: the store is the truth, and the
sweeps queue what is missing. So it needs no protection against forged forms, of which it has none.
"""

from __future__ import annotations

from functools import cache

from flask import Blueprint, Flask, Response, abort, request
from flask.typing import ResponseReturnValue
from rq.serializers import JSONSerializer

from gateway.context import Context
from gateway.pages.base import headers

POLL_MS = 5000
CHANGES_BY_GET = "requeue/"
INLINE = headers.POLICY | {
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
}
"""The dashboard writes its scripts into the page and compiles its templates there. What it shows of
jobs are ids of photos, and only under this address."""


def add_to(pages: Blueprint, context: Context) -> None:
    url = context.settings.queue_url

    @pages.get("/rq/", defaults={"path": ""}, endpoint="jobs")
    @pages.get("/rq/<path:path>", endpoint="jobs")
    def dashboard(path: str) -> ResponseReturnValue:
        if path.startswith(CHANGES_BY_GET):
            abort(404)
        inside = request.environ | {
            "SCRIPT_NAME": f"{request.script_root}/operator/rq",
            "PATH_INFO": f"/{path}".encode().decode("latin-1"),  # as WSGI has it
        }
        response = Response.from_app(_dashboard(url).wsgi_app, inside, buffered=True)
        policy = "; ".join(f"{name} {value}" for name, value in INLINE.items())
        response.headers["Content-Security-Policy"] = policy
        return response


@cache
def _dashboard(redis_url: str) -> Flask:
    """The dashboard as an application of its own, made when somebody first looks."""
    from rq_dashboard import web

    web.config.serializer = JSONSerializer
    inner = Flask("rq_dashboard")
    inner.config.update(
        RQ_DASHBOARD_REDIS_URL=redis_url,
        RQ_DASHBOARD_POLL_INTERVAL=POLL_MS,
        RQ_DASHBOARD_DISABLE_DELETE=True,
    )
    web.setup_rq_connection(inner)
    inner.register_blueprint(web.blueprint)
    return inner
