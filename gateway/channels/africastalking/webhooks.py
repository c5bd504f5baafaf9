"""What Africa's Talking posts to us. Nothing is signed, so a secret path part is the key.

USSD is always answered 200 with `CON ` or `END `: the provider ends the session on anything else
and the farmer sees nothing. The others are answered 200 whatever their content, because an SMS
that is not answered 200 comes again every minute for twelve hours, and a delivery report never.
What cannot be stored now goes to the spool; 503 only when that cannot be written either.
"""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Blueprint, Response, request

from gateway.cases.pressure import Pressure
from gateway.channels import secret_path
from gateway.channels.africastalking import fields
from gateway.channels.africastalking.events import CALLBACKS, Fields
from gateway.channels.africastalking.provider import PROVIDER
from gateway.channels.takers import Door
from gateway.context import Context
from gateway.dialogue import ussd
from gateway.people import farmers, msisdn, officers
from gateway.store import patience

log = logging.getLogger("leafline.africastalking")

HOP_PATIENCE = 1.0
"""Seconds that the store has for one hop: the network ends a session that gets no answer."""
CALLBACK_PATIENCE = 3.0
"""Seconds that the store has for one callback before that goes to the spool."""

HOP_LABEL = "at-ussd-hop-metadata"
"""Reply header with a name for the step, for the provider's dashboard and its end event: at most 99
characters, no `|`, nothing personal."""

ADDRESS = f"/<any({', '.join(repr(kind) for kind in CALLBACKS)}):kind>"


def blueprint(context: Context) -> Blueprint:
    """Routes under /africastalking/KEY. Raises nothing; a wrong key is 404 before any parsing."""
    routes = Blueprint("africastalking", __name__, url_prefix="/africastalking/<key>")
    door = Door(context, PROVIDER, log)
    secret_path.guard(routes, context.settings.webhook_keys)

    pressure = Pressure(context.store, context.settings)

    @routes.post("/ussd")
    @patience(HOP_PATIENCE)
    def ussd_session() -> Response:
        reply = _hop(context, pressure, fields.form(request))
        return Response(reply.body, mimetype="text/plain", headers={HOP_LABEL: reply.label})

    @routes.post(ADDRESS)
    @patience(CALLBACK_PATIENCE)
    def receive(kind: str) -> Response:
        if door.take(kind, fields.form(request)):
            return Response("ok\n", mimetype="text/plain")
        return Response("try again\n", HTTPStatus.SERVICE_UNAVAILABLE, mimetype="text/plain")

    return routes


def _hop(context: Context, pressure: Pressure, form: Fields) -> ussd.Reply:
    session_id = fields.identity(form.get("sessionId", ""))
    try:
        phone = msisdn.from_network(form.get("phoneNumber", ""), context.settings.region)
        if not session_id:
            log.warning("ussd request without a session id")
            return _sorry(context)
        begins = not form.get("text")
        if begins and pressure.too_many_messages() and not _is_officer(context, phone):
            return ussd.ended(context.catalogue, "ussd_busy", _language(context, phone))
        return ussd.answer(
            context.ussd,
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
    except Exception as error:
        # Not log.exception through Flask: its line would hold the path, and so the key.
        log.error("ussd request failed: %s", type(error).__name__, exc_info=True)
    return _sorry(context)


def _is_officer(context: Context, phone: str) -> bool:
    """An officer who answers cases makes the pile smaller."""
    with context.store.reading() as session:
        return officers.by_phone(session, phone) is not None


def _language(context: Context, phone: str) -> str:
    with context.store.reading() as session:
        farmer = farmers.find(session, phone)
    return (farmer and farmer.language) or context.settings.language


def _sorry(context: Context) -> ussd.Reply:
    return ussd.ended(context.catalogue, "ussd_trouble", context.settings.language)
