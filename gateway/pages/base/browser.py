"""Officers and operators in this browser: a token in its cookie, a row in the store."""

from __future__ import annotations

from datetime import timedelta

from flask import request

from gateway import sessions
from gateway.context import Context
from gateway.people import officers, operators, sign_ins
from gateway.people.sign_ins import Limits, Person, Present, Role
from gateway.store.models import Operator


def present(context: Context, role: Role) -> Present | None:
    """Who is signed in here, in service and with the secrets they signed in with."""
    token = str(sessions.signed_in(role) or "")
    return sign_ins.present(context.store, role, token, limits(context, role))


def remember(context: Context, person: Person) -> None:
    """Signed in here from now on."""
    role = sign_ins.role_of(person)
    bounds, before = limits(context, role), str(sessions.signed_in(role) or "")
    with context.store.transaction() as session:
        agent = request.headers.get("User-Agent", "")
        token = sign_ins.begin(session, person, agent, bounds, instead=before)
    sessions.sign_in(role, token, bounds.longest)
    if isinstance(person, Operator):
        sessions.know(context, operators.who(person.name))
    else:
        sessions.know(context, officers.who(person.phone))


def limits(context: Context, role: Role) -> Limits:
    """How long one stays signed in."""
    settings = context.settings
    if role == "operator":
        hours, minutes = settings.operator_sign_in_hours, settings.operator_idle_minutes
    else:
        hours, minutes = settings.officer_sign_in_hours, settings.officer_idle_minutes
    return Limits(timedelta(hours=hours), timedelta(minutes=minutes))
