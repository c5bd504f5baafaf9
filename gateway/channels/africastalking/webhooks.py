"""What Africa's Talking posts to us. Nothing is signed, so a secret path part is the key.

USSD is always answered 200 with `CON ` or `END `: the provider ends the session on anything else
and the farmer sees nothing. The others are answered 200 whatever their content, because an SMS
that is not answered 200 comes again every minute for twelve hours; 503 only when it could not be
kept.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, Response, abort, request
from sqlalchemy.exc import SQLAlchemyError

from gateway.channels.africastalking import events, fields
from gateway.channels.africastalking.events import Fields
from gateway.context import Context
from gateway.dialogue import ussd
from gateway.people import msisdn

log = logging.getLogger("leafline.africastalking")

SORRY = "END Sorry, that did not work. Please dial again."
"""Said when nothing else can be, not even in the farmer's language."""


def blueprint(context: Context) -> Blueprint:
    """Routes under /africastalking/KEY. Raises nothing; a wrong key is 404 before any parsing."""
    routes = Blueprint("africastalking", __name__, url_prefix="/africastalking/<key>")

    @routes.url_value_preprocessor
    def check_key(_endpoint: str | None, values: dict[str, str] | None) -> None:
        given = (values or {}).pop("key", "").encode()
        valid = [hmac.compare_digest(given, k.encode()) for k in context.settings.webhook_keys]
        if not any(valid):
            abort(HTTPStatus.NOT_FOUND)

    @routes.post("/ussd")
    def ussd_session() -> Response:
        return Response(_hop(context, fields.form(request)), mimetype="text/plain")

    def receiver(path: str, take: Callable[[Context, Fields], None]) -> None:
        @routes.post(path, endpoint=path.strip("/"))
        def receive() -> Response:
            return _take(context, path, take)

    receiver("/ussd-events", events.session_ended)
    receiver("/sms", events.sms)
    receiver("/delivery-reports", events.delivery_report)
    receiver("/opt-outs", events.opt_out)
    return routes


def _hop(context: Context, form: Fields) -> str:
    session_id = fields.identity(form.get("sessionId", ""))
    try:
        phone = msisdn.from_network(form.get("phoneNumber", ""), context.settings.region)
        if not session_id:
            log.warning("ussd request without a session id")
            return SORRY
        screen = ussd.answer(
            context,
            ussd.UssdRequest(
                session_id=session_id,
                phone=phone,
                service_code=form.get("serviceCode", ""),
                network_code=form.get("networkCode", ""),
                text=form.get("text", ""),
            ),
        )
    except msisdn.BadNumber:
        log.warning("ussd request without a readable number")
        return SORRY
    except Exception as error:
        # Not log.exception through Flask: its line would hold the path, and so the key.
        log.error("ussd request failed: %s", _named(error), exc_info=_traced(error))
        return SORRY
    return screen


def _take(context: Context, path: str, take: Callable[[Context, Fields], None]) -> Response:
    try:
        take(context, fields.form(request))
    except Exception as error:
        log.error("%s could not be kept: %s", path, _named(error), exc_info=_traced(error))
        return Response("try again\n", HTTPStatus.SERVICE_UNAVAILABLE, mimetype="text/plain")
    return Response("ok\n", mimetype="text/plain")


def _named(error: Exception) -> str:
    return type(error).__name__


def _traced(error: Exception) -> bool:
    """The text of a store's error repeats the values of its statement: numbers among them."""
    return not isinstance(error, SQLAlchemyError)
