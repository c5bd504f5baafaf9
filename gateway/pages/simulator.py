"""The simulator as part of the web process: what comes to /simulator is passed on to it.

From this machine alone: whoever has it dials with any number and reads everybody's SMS.
"""

from __future__ import annotations

import requests
from flask import Blueprint, Response, abort, request

from gateway import health
from gateway.context import Context

SECONDS = 30.0
PASSED = ("Content-Type", "Cache-Control", "Location")


def blueprint(context: Context) -> Blueprint:
    """Routes at and below /simulator; register it only when `settings.simulator_on`."""
    routes = Blueprint("simulator", __name__)
    session = requests.Session()
    session.trust_env = False

    @routes.before_request
    def _of_this_machine() -> None:
        if not health.asked_here():
            abort(404)

    @routes.get("/simulator", strict_slashes=False)
    @routes.route("/simulator/<path:rest>", methods=["GET", "POST", "PUT", "DELETE"])
    def forward(rest: str = "") -> Response:
        try:
            answer = session.request(
                request.method,
                f"{context.settings.simulator_url}{request.path}",
                params=request.query_string,
                data=request.get_data(),
                headers={"Content-Type": request.content_type or ""},
                timeout=SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException:
            return Response(
                "The phone simulator does not run. Start it with: leafline simulator\n",
                503,
                mimetype="text/plain",
            )
        headers = {name: answer.headers[name] for name in PASSED if name in answer.headers}
        return Response(answer.content, answer.status_code, headers)

    return routes
