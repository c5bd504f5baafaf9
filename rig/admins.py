"""Operators for tests, and how they come in."""

from __future__ import annotations

import pyotp

from gateway.context import Context
from gateway.people import operators
from gateway.people.operators import Enrolment
from rig.desk import Person

PASSWORD = "correct horse battery"


def enrol(context: Context, name: str = "ines", role: str = operators.ADMIN) -> Enrolment:
    with context.store.transaction() as session:
        return operators.add(session, name, role, PASSWORD, issuer="Leafline")


def code(enrolment: Enrolment) -> str:
    """The code that the authenticator shows now. It can be used once."""
    return pyotp.TOTP(enrolment.secret).now()


def enter(person: Person, enrolment: Enrolment, *, lang: str = "en") -> None:
    person.get(f"/operator/sign-in?lang={lang}")
    form = {"name": enrolment.operator.name, "password": PASSWORD, "code": code(enrolment)}
    assert person.post("/operator/sign-in", **form).request.path == "/operator/"
