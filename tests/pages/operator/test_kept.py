"""A sign-in that ends while an operator writes: the words come through the sign-in."""

from __future__ import annotations

import re
from html import unescape

from flask import Flask

from gateway.context import Context
from rig import admins
from rig.desk import Person

WORDS = "Maize rust is near: look under the leaves & tell us"


def test_a_broadcast_comes_through_the_sign_in(app: Flask, context: Context) -> None:
    enrolment = admins.enrol(context)
    person = Person(app.test_client())
    admins.enter(person, enrolment)
    person.get("/operator/broadcasts")
    with person.client.session_transaction() as session:
        session["operator"] = session["operator"] | {"until": 0}  # as after a working day
    asked = person.post("/operator/broadcasts/dry-run", area="Rwamagana", text_en=WORDS)
    assert asked.status_code == 403
    kept = re.search(r'name="kept" value="([^"]+)"', person.page)
    assert kept is not None
    form = {"name": "ines", "password": admins.PASSWORD, "kept": kept[1]}
    assert person.post("/operator/sign-in", **form, code="1").status_code == 403
    again = re.search(r'name="kept" value="([^"]+)"', person.page)
    assert again is not None
    with context.store.transaction() as session:
        session.get_one(type(enrolment.operator), enrolment.operator.id).totp_step = 0
    person.post("/operator/sign-in", **form, code=admins.code(enrolment))
    back = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', person.page))
    assert unescape(back["text_en"]) == WORDS
    assert back["area"] == "Rwamagana"


def test_a_form_of_another_site_is_not_carried(app: Flask) -> None:
    answer = app.test_client().post("/operator/broadcasts/dry-run", data={"text_en": WORDS})
    assert answer.status_code == 400
    assert 'name="kept"' not in answer.text
