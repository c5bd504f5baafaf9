"""The messaging API as Africa's Talking documents it, with its failures."""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import time
from typing import Any

from flask import Blueprint, Response, request

from gateway.dialogue import gsm7
from simulator.faults import SEND, SendFault
from simulator.network import COST, Network

E164 = re.compile(r"\+[1-9][0-9]{7,14}")
STATUS = {
    100: "Processed",
    101: "Sent",
    102: "Queued",
    401: "RiskHold",
    402: "InvalidSenderId",
    403: "InvalidPhoneNumber",
    404: "UnsupportedNumberType",
    405: "InsufficientBalance",
    406: "UserInBlacklist",
    407: "CouldNotRoute",
    409: "DoNotDisturbRejection",
    500: "InternalServerError",
    501: "GatewayError",
    502: "RejectedByGateway",
    999: "SomethingNew",
}
WRONG_KEY = "The supplied authentication is invalid"


def blueprint(network: Network) -> Blueprint:
    routes = Blueprint("messaging", __name__, url_prefix="/version1")

    @routes.post("/messaging")
    def send() -> Response:
        if not request.headers.get("apiKey"):
            return _wrong_key()
        form = request.form
        missing = [name for name in ("username", "to", "message") if not form.get(name)]
        if missing:
            return Response(f"Missing: {', '.join(missing)}", 400, mimetype="text/plain")
        numbers = [number.strip() for number in form["to"].split(",")]
        fault = network.faults.next_for(numbers[0])
        accept = fault is None or SEND[fault.name]
        sender = form.get("from") or "AFRICASTKNG"
        code = _code(fault, queued=form.get("enqueue", "1") == "1")
        recipients = [
            _recipient(network, number, form["message"], sender, code, accept) for number in numbers
        ]
        return _answer(fault, recipients, _parts(form["message"]))

    @routes.get("/user")
    def user() -> Response:
        if not request.headers.get("apiKey"):
            return _wrong_key()
        return _json({"UserData": {"balance": "KES 1785.50"}}, 200)

    return routes


def _code(fault: SendFault | None, *, queued: bool) -> int:
    if fault and fault.name.startswith("status_"):
        return int(fault.name.removeprefix("status_"))
    if fault and fault.name == "do_not_disturb":
        return 409
    return 102 if queued else 101


def _recipient(
    network: Network, number: str, text: str, sender: str, code: int, accept: bool
) -> dict[str, Any]:
    if not E164.fullmatch(number):
        code, accept = 403, False
    message_id = network.deliver(number, text, sender) if accept else "None"
    return {
        "cost": COST if accept else "0",
        "messageId": message_id,
        "number": number,
        "status": "Success" if code <= 102 else STATUS[code],
        "statusCode": code,
    }


def _answer(fault: SendFault | None, recipients: list[dict[str, Any]], parts: int) -> Response:
    taken = sum(recipient["messageId"] != "None" for recipient in recipients)
    total = f"Total Cost: KES {0.8 * taken * parts:.4f}" if taken else "Total Cost: 0"
    summary = f"Sent to {taken}/{len(recipients)} {total} Message parts: {parts}"
    data = {"SMSMessageData": {"Message": summary, "Recipients": recipients}}
    text = json.dumps(data, separators=(",", ":"))
    match fault.name if fault else "":
        case "http_500" | "http_500_accepted":
            return Response("<html><h1>Internal Server Error</h1></html>", 500)
        case "http_502":
            return Response("<html><h1>Bad Gateway</h1></html>", 502)
        case "http_503":
            return Response("<html><h1>Service Unavailable</h1></html>", 503)
        case "throttled":
            return Response("Too Many Requests", 429, {"Retry-After": "1"}, mimetype="text/plain")
        case "slow":
            time.sleep(fault.seconds if fault else 0)
            return _json(data)
        case "timeout" | "timeout_accepted":
            time.sleep(fault.seconds if fault else 0)
            _reset()  # to whoever waits longer: this request gets no answer
        case "reset" | "reset_accepted":
            _reset()
        case "cut_json":
            return Response(text[: len(text) // 2], 201, content_type="application/json")
        case "wrong_json":
            return _json({"unexpected": [1, 2, 3]})
        case "charset":
            return Response(text, 201, content_type="application/json; charset=utf-8")
        case "text_plain":
            return Response(text, 201, mimetype="text/plain")
        case "not_json":
            return Response("Accepted", 201, mimetype="text/plain")
        case "empty_recipients":
            return _json({"SMSMessageData": {"Message": "InvalidSenderId", "Recipients": []}})
        case "redirect":
            return Response("", 302, {"Location": "/elsewhere"})
        case "wrong_key":
            return _wrong_key()
        case "do_not_disturb":
            return _json(data, 409)
    return _json(data)


def _json(data: dict[str, Any], status: int = 201) -> Response:
    return Response(
        json.dumps(data, separators=(",", ":")), status, content_type="application/json"
    )


def _wrong_key() -> Response:
    challenge = {"WWW-Authenticate": 'Basic realm="api",charset=UTF-8'}
    return Response(WRONG_KEY, 401, challenge, content_type="text/plain; charset=UTF-8")


def _reset() -> None:
    """Cut the connection with a TCP reset. Raises: ConnectionResetError, for the server to see."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())
    raise ConnectionResetError


def _parts(text: str) -> int:
    try:
        return len(gsm7.parts(text))
    except gsm7.NotGsm:
        units = len(text.encode("utf-16-le")) // 2
        return 1 if units <= 70 else -(-units // 67)
