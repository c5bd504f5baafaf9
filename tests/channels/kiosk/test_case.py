"""`GET /api/cases/CODE` and the description for programs."""

from __future__ import annotations

import io

import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from gateway.cases import judgement
from gateway.cases.triage import Finding
from gateway.context import Context
from gateway.store.models import Case
from rig import things as house


@pytest.fixture
def context(client: FlaskClient) -> Context:
    found: Context = client.application.extensions["leafline"]
    return found


@pytest.fixture
def token(context: Context) -> str:
    return house.kiosk(context.store)[1]


@pytest.fixture
def code(client: FlaskClient, token: str) -> str:
    form = {"photo": (io.BytesIO(house.photo()), "a.jpg"), "phone": "0788000001", "crop": "maize"}
    answer = client.post("/api/photos", data=form, headers={"Authorization": f"Bearer {token}"})
    return str(answer.get_json()["case"])


def _show(client: FlaskClient, token: str, code: str) -> tuple[int, dict[str, object]]:
    answer = client.get(f"/api/cases/{code}", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, answer.get_json()


def test_a_case_shows_its_state_then_its_result(
    client: FlaskClient, context: Context, token: str, code: str
) -> None:
    status, shown = _show(client, token, code.lower())
    assert status == 200
    assert (shown["state"], shown["message"], shown["photos"]) == ("received", None, 1)
    with context.store.transaction() as session:
        case = session.query(Case).one()
        judgement.judge(session, context.desk, case, Finding("advice", "maize_rust", 0.9), 1)
    _, shown = _show(client, token, code)
    assert (shown["state"], shown["label"]) == ("answered", "maize_rust")
    assert "looks like" in str(shown["message"])
    assert "788000001" not in str(shown)


def test_another_kiosk_does_not_see_it(client: FlaskClient, context: Context, code: str) -> None:
    _, other = house.kiosk(context.store, "Elsewhere")
    assert _show(client, other, code)[0] == 404


def test_a_mistyped_code_is_named(client: FlaskClient, token: str, code: str) -> None:
    wrong = code[1] + code[0] + code[2:] if code[0] != code[1] else "2222222"
    status, shown = _show(client, token, wrong)
    assert (status, shown["code"]) == (404, "bad_case_code")


def test_the_description_is_valid_and_names_every_route(
    client: FlaskClient, token: str, code: str
) -> None:
    document = client.get("/api/openapi.json").get_json()
    validate(document)
    shown = _show(client, token, code)[1]
    assert set(document["components"]["schemas"]["Case"]["properties"]) == set(shown)
    served = {
        rule.rule.replace("<code>", "{code}")
        for rule in client.application.url_map.iter_rules()
        if rule.endpoint.startswith("kiosk_api.")
    }
    assert set(document["paths"]) | {"/api/openapi.json"} == served
