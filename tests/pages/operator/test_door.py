"""Nothing of the operator's is seen without password and code, or changed by a viewer."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from gateway.context import Context
from gateway.pages.operator import door
from gateway.people import operators
from gateway.store.base import now
from gateway.store.models import Event
from rig import admins
from rig.desk import Person

EXAMPLES = {"decision": "approve"}


def routes(app: Flask) -> list[tuple[str, str]]:
    """(method, path) of every route below /operator but the door's own."""
    found = []
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/operator") or rule.endpoint in door.OUTSIDE:
            continue
        values = {name: EXAMPLES.get(name, 1) for name in rule.arguments}
        with app.test_request_context():
            path = app.url_map.bind("").build(rule.endpoint, values)
        found += [(method, path) for method in sorted((rule.methods or set()) - {"OPTIONS"})]
    return found


def test_every_route_is_behind_the_door(app: Flask, context: Context) -> None:
    ines = admins.enrol(context)
    client = app.test_client()
    token = _token(Person(client))
    everything = routes(app)
    assert len(everything) > 30
    right = {"name": "ines", "password": admins.PASSWORD, "code": admins.code(ines)}
    for wrong in ({"code": ""}, {"code": "123"}, {"password": ""}, {"name": "jo"}):
        answer = client.post("/operator/sign-in", data=right | wrong | {"csrf_token": token})
        assert answer.status_code == 403, wrong
    for method, path in everything:
        answer = client.open(path, method=method, data={"csrf_token": token})
        assert answer.status_code == 303, (method, path)
        assert answer.location.startswith("/operator/sign-in"), (method, path)


def test_a_viewer_sees_and_changes_nothing(app: Flask, viewer: Person, context: Context) -> None:
    token = _token(viewer)
    changes = [(m, p) for m, p in routes(app) if m not in door.READING]
    assert len(changes) > 10
    for method, path in changes:
        if path == "/operator/sign-out" or path.startswith("/operator/account/"):
            continue  # their own
        if path == "/operator/farmers":
            continue  # a look, by a form so that no number stands in an address
        answer = viewer.client.open(path, method=method, data={"csrf_token": token})
        assert answer.status_code == 403, (method, path)
    with context.store.reading() as session:
        assert set(session.scalars(select(Event.kind))) == {"operator_added", "signed_in"}


def test_no_form_of_another_site_is_taken(app: Flask, admin: Person) -> None:
    for method, path in routes(app):
        if method not in door.READING:
            assert admin.client.open(path, method=method, data={}).status_code == 400, path


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/operator/kiosks?after=1", "/operator/kiosks"),
        ("https://elsewhere.example/operator/", "/operator/"),
        ("//elsewhere.example", "/operator/"),
        ("/kiosk", "/operator/"),
        ("/operatorx", "/operator/"),
    ],
)
def test_sign_in_leads_to_what_was_wanted_here(
    app: Flask, context: Context, wanted: str, reached: str
) -> None:
    ines = admins.enrol(context)
    person = Person(app.test_client())
    person.get("/operator/sign-in")
    form = {"name": "ines", "password": admins.PASSWORD, "code": admins.code(ines)}
    assert person.post("/operator/sign-in", next=wanted, **form).request.path == reached


def test_the_session_ends(admin: Person) -> None:
    assert admin.get("/operator/").request.path == "/operator/"
    with time_machine.travel(now() + timedelta(hours=8, seconds=2)):
        assert admin.get("/operator/").request.path == "/operator/sign-in"


def test_who_is_disabled_is_out_at_once(admin: Person, context: Context) -> None:
    with context.store.transaction() as session:
        operators.disable(session, "ines")
    assert admin.get("/operator/kiosks").request.path == "/operator/sign-in"


def test_signing_out(viewer: Person) -> None:
    viewer.get("/operator/")
    viewer.post("/operator/sign-out")
    assert viewer.get("/operator/").request.path == "/operator/sign-in"


def test_too_many_tries_are_told_so(app: Flask, context: Context) -> None:
    admins.enrol(context)
    person = Person(app.test_client())
    person.get("/operator/sign-in?lang=en")
    for _ in range(5):
        answer = person.post("/operator/sign-in", name="ines", password="wrong", code="1")
        assert answer.status_code == 403
    answer = person.post("/operator/sign-in", name="ines", password="wrong", code="1")
    assert answer.status_code == 429
    assert "again in 1 min" in person.page


def _token(person: Person) -> str:
    person.get("/operator/sign-in")
    return person.page.split('name="csrf_token" value="')[1].split('"')[0]
