"""The account page: a new password, a new authenticator, for admins and viewers alike."""

from __future__ import annotations

import re

import pyotp
import pytest
from flask import Flask

from gateway.context import Context
from gateway.people import operators
from gateway.people.operators import Enrolment
from gateway.store.models import Operator
from rig import admins
from rig.desk import Person

NEW = "another correct horse"


@pytest.fixture
def vera(context: Context) -> Enrolment:
    return admins.enrol(context, "vera", operators.VIEWER)


@pytest.fixture
def person(app: Flask, vera: Enrolment) -> Person:
    person = Person(app.test_client())
    admins.enter(person, vera)
    return person


def change(person: Person, **form: str) -> tuple[int, str]:
    person.get("/operator/account")
    answer = person.post("/operator/account/password", **form)
    return answer.status_code, person.page


def test_a_new_password_keeps_this_browser_and_ends_the_others(
    app: Flask, context: Context, person: Person, vera: Enrolment
) -> None:
    other = Person(app.test_client())
    with context.store.transaction() as session:  # a code can be used once
        session.get_one(Operator, vera.operator.id).totp_step = 0
    admins.enter(other, vera)
    status, page = change(person, password=admins.PASSWORD, new=NEW, again=NEW)
    assert (status, "The password is changed" in page) == (200, True)
    assert person.get("/operator/account").request.path == "/operator/account"
    assert other.get("/operator/account").request.path == "/operator/sign-in"


@pytest.mark.parametrize(
    ("form", "status", "says"),
    [
        ({"password": "wrong", "new": NEW, "again": NEW}, 403, "password is wrong"),
        ({"password": admins.PASSWORD, "new": NEW, "again": "x"}, 422, "two different ways"),
        ({"password": admins.PASSWORD, "new": "x", "again": "x"}, 422, "10 to 200 characters"),
        ({}, 403, "password is wrong"),
    ],
)
def test_what_does_not_fit_is_said(
    person: Person, form: dict[str, str], status: int, says: str
) -> None:
    answered, page = change(person, **form)
    assert (answered, says in page) == (status, True)


def test_a_new_authenticator(context: Context, person: Person, vera: Enrolment) -> None:
    person.get("/operator/account")
    assert person.post("/operator/account/authenticator", password="wrong").status_code == 403
    person.post("/operator/account/authenticator", password=admins.PASSWORD)
    secret = re.search(r'<p class="code">([A-Z2-7]{32})</p>', person.page)
    pending = re.search(r'name="pending" value="([^"]+)"', person.page)
    assert secret
    assert pending
    confirm = "/operator/account/authenticator/confirm"
    wrong = person.post(confirm, pending=pending[1], code="000000")
    assert (wrong.status_code, secret[1] in person.page) == (403, True)
    other_digits = person.post(confirm, pending=pending[1], code="١٢٣٤٥٦")
    assert (other_digits.status_code, secret[1] in person.page) == (403, True)
    code = pyotp.TOTP(secret[1]).now()
    assert person.post(confirm, pending="forged", code=code).status_code == 400
    person.get("/operator/account")
    person.post(confirm, pending=pending[1], code=code)
    recovery = re.findall(r'<li class="code">([2-9a-z]{5}-[2-9a-z]{5})<', person.page)
    assert len(recovery) == operators.RECOVERY_CODES
    signed_in = operators.sign_in(context.store, "vera", admins.PASSWORD, recovery[0])
    assert signed_in.id == vera.operator.id


def test_another_operators_secret_is_refused(app: Flask, context: Context, person: Person) -> None:
    other = Person(app.test_client())
    admins.enter(other, admins.enrol(context, "ines"))
    other.get("/operator/account")
    other.post("/operator/account/authenticator", password=admins.PASSWORD)
    pending = re.search(r'name="pending" value="([^"]+)"', other.page)
    assert pending
    person.get("/operator/account")
    confirm = "/operator/account/authenticator/confirm"
    assert person.post(confirm, pending=pending[1], code="123456").status_code == 403
