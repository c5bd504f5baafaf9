"""The JSON API of the phones, for the page, the demo and the tests, and the page itself."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, request, send_from_directory
from werkzeug.exceptions import HTTPException

from gateway.dialogue.ussd.networks import NETWORKS
from gateway.dialogue.ussd.phone import as_test
from simulator.faults import REPORTS, SEND, UnknownFault
from simulator.network import Network, NoSession, NotCarried

PAGE = Path(__file__).parent / "page"
NUMBER = re.compile(r"\+[1-9][0-9]{7,14}")
LONGEST_WAIT = 10.0
SHOWN = 12


class Refused(Exception):
    """What was asked cannot be done; the text says why."""


def blueprint(network: Network, code: str) -> Blueprint:
    """Everything under /simulator. `code`: the USSD code that the page offers to dial."""
    routes = Blueprint("control", __name__, url_prefix="/simulator")
    handsets = network.handsets

    @routes.get("")
    @routes.get("/")
    def page() -> Response:
        return send_from_directory(PAGE, "index.html")

    @routes.get("/page/<path:name>")
    def asset(name: str) -> Response:
        return send_from_directory(PAGE, name)

    @routes.get("/api/phones")
    def phones() -> Response:
        every = handsets.all()
        # The first ones and the newest: a load test makes thousands, a page shows a few.
        shown = every if len(every) <= SHOWN else every[:2] + every[2 - SHOWN :]
        found = [phone.to_json() for phone in shown]
        operators = {key: operator.name for key, operator in NETWORKS.items()}
        faults = network.faults.to_json()
        return jsonify(code=code, phones=found, operators=operators, faults=faults)

    @routes.post("/api/phones")
    def add() -> Response:
        body = _body()
        number = _number(_text(body, "number"))
        operator = _text(body, "operator")
        if operator not in ("", *NETWORKS):
            raise Refused(f"operator is one of: {', '.join(NETWORKS)}")
        return jsonify(handsets.add(number, _text(body, "name")[:30], operator).to_json())

    @routes.get("/api/phones/<number>")
    def phone(number: str) -> Response:
        return jsonify(handsets.get(_number(number)).to_json())

    @routes.get("/api/phones/<number>/test")
    def dump(number: str) -> Response:
        phone = handsets.get(_number(number))
        calls = [call for call in phone.calls if call]
        return jsonify(source=as_test(phone.number, phone.operator, calls))

    @routes.delete("/api/phones/<number>")
    def remove(number: str) -> Response:
        handsets.remove(_number(number))
        return jsonify(removed=True)

    @routes.post("/api/phones/<number>/dial")
    def dial(number: str) -> Response:
        return jsonify(network.dial(_number(number), _text(_body(), "code") or code).to_json())

    @routes.post("/api/phones/<number>/answer")
    def answer(number: str) -> Response:
        return jsonify(network.answer(_number(number), _text(_body(), "text")).to_json())

    @routes.post("/api/phones/<number>/drop")
    def drop(number: str) -> Response:
        return jsonify(network.drop(_number(number)).to_json())

    @routes.post("/api/phones/<number>/sms")
    def write(number: str) -> Response:
        body = _body()
        sms = network.write(_number(number), _text(body, "text"), _text(body, "to"))
        return jsonify(asdict(sms))

    @routes.post("/api/phones/<number>/opt-out")
    def opt_out(number: str) -> Response:
        network.stop_messages(_number(number))
        return jsonify(posted=True)

    @routes.get("/api/messages")
    def messages() -> Response:
        number = request.args.get("number")
        after = request.args.get("after", 0, type=int)
        wait = min(request.args.get("wait", 0.0, type=float), LONGEST_WAIT)
        found = handsets.messages(_number(number) if number else None, after, wait)
        return jsonify(messages=[asdict(sms) for sms in found])

    @routes.get("/api/faults")
    def faults() -> Response:
        return jsonify(now=network.faults.to_json(), send=list(SEND), reports=list(REPORTS))

    @routes.put("/api/faults")
    def set_faults() -> Response:
        network.faults.set(_body())
        return jsonify(network.faults.to_json())

    @routes.post("/api/reset")
    def reset() -> Response:
        network.callbacks.forget()
        network.faults.clear()
        handsets.reset()
        return jsonify(reset=True)

    @routes.errorhandler(Refused)
    @routes.errorhandler(UnknownFault)
    def refused(error: Exception) -> tuple[Response, int]:
        return jsonify(error=str(error)), 400

    @routes.errorhandler(NoSession)
    def no_session(_error: NoSession) -> tuple[Response, int]:
        return jsonify(error="no session is open: dial first"), 409

    @routes.errorhandler(NotCarried)
    def not_carried(error: NotCarried) -> tuple[Response, int]:
        return jsonify(error=str(error)), 409

    @routes.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> tuple[Response, int]:
        return jsonify(error=error.name), error.code or 500

    return routes


def _body() -> dict[str, Any]:
    """A JSON object. Asking for JSON keeps other web pages from posting here unseen."""
    try:
        body = request.get_json(silent=True)
    except RecursionError:  # brackets in brackets
        body = None
    if not isinstance(body, dict):
        raise Refused("send a JSON object, as application/json")
    return body


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise Refused(f"{name} must be a text")
    return value


def _number(value: str) -> str:
    number = value if value.startswith("+") else "+" + value.strip()
    if not NUMBER.fullmatch(number):
        raise Refused("give a number as +250788123456")
    return number
