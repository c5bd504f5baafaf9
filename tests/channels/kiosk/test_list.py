"""`GET /api/cases` and the door for paired phones."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import event

from gateway.context import Context
from gateway.people import kiosks, pairing
from gateway.store.base import now
from gateway.store.models import Kiosk
from rig import things as house


@pytest.fixture
def context(client: FlaskClient) -> Context:
    found: Context = client.application.extensions["leafline"]
    return found


@pytest.fixture
def kiosk(context: Context) -> Kiosk:
    return house.kiosk(context.store)[0]


@pytest.fixture
def device(context: Context, kiosk: Kiosk, client: FlaskClient) -> int:
    """The client is a paired phone."""
    with context.store.transaction() as session:
        paired = pairing.pair(session, pairing.new_code(session, kiosk), "this one")
    with client.session_transaction() as cookie:
        cookie["kiosk"] = {"id": paired.id, "until": now().timestamp() + 3600}
    return paired.id


def _upload(client: FlaskClient, shade: int, **headers: str) -> int:
    form = {
        "photo": (io.BytesIO(house.photo(shade)), "a.jpg"),
        "phone": "0788000001",
        "crop": "maize",
    }
    return client.post("/api/photos", data=form, headers=headers).status_code


@pytest.mark.usefixtures("device")
def test_the_list_is_short_when_nothing_changed(client: FlaskClient) -> None:
    assert _upload(client, 100, **{"X-Kiosk-Page": "1"}) == 202
    first = client.get("/api/cases")
    assert [case["phone_last4"] for case in first.get_json()["cases"]] == ["0001"]
    again = client.get("/api/cases", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.usefixtures("device")
def test_yesterdays_cases_leave_the_list(client: FlaskClient) -> None:
    _upload(client, 100, **{"X-Kiosk-Page": "1"})
    with time_machine.travel(now() + timedelta(hours=25), tick=False):
        with client.session_transaction() as cookie:
            cookie["kiosk"]["until"] = now().timestamp() + 60
            cookie.modified = True
        assert client.get("/api/cases").get_json()["cases"] == []


@pytest.mark.usefixtures("device")
def test_the_number_of_queries_does_not_grow(client: FlaskClient, context: Context) -> None:
    asked: list[str] = []
    event.listen(
        context.store.engine, "before_cursor_execute", lambda *given: asked.append(given[2])
    )
    counts = []
    for shade in (60, 90, 120):
        _upload(client, shade, **{"X-Kiosk-Page": "1"})
        asked.clear()
        client.get("/api/cases")
        counts.append(sum(statement.startswith("SELECT") for statement in asked))
    assert len(set(counts)) == 1
    assert counts[0] <= 6


@pytest.mark.usefixtures("device")
def test_another_site_cannot_use_the_cookie(client: FlaskClient) -> None:
    assert _upload(client, 100) == 403


def test_a_phone_that_was_signed_out_is_told_so(
    client: FlaskClient, context: Context, kiosk: Kiosk, device: int
) -> None:
    with context.store.transaction() as session:
        pairing.unpair(session, kiosk, device)
    answer = client.get("/api/cases")
    assert (answer.status_code, answer.get_json()["code"]) == (401, "unpaired")


@pytest.mark.usefixtures("device")
def test_a_disabled_kiosk_is_told_so(client: FlaskClient, context: Context, kiosk: Kiosk) -> None:
    with context.store.transaction() as session:
        kiosks.disable(session, kiosk.name)
    answer = client.get("/api/cases")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "kiosk_disabled")


@pytest.mark.usefixtures("device")
def test_a_token_goes_before_the_cookie(client: FlaskClient) -> None:
    headers = {"Authorization": "Bearer lfk_wrong"}
    assert client.get("/api/cases", headers=headers).status_code == 401


def test_nobody_sees_nothing(client: FlaskClient) -> None:
    assert client.get("/api/cases").status_code == 401
