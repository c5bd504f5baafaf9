"""The kiosk's pages as the server sends them; what they do in a browser is tests/browser."""

from __future__ import annotations

import io
import re

import pytest
from flask.testing import FlaskClient

from gateway.context import Context
from gateway.pages.kiosk import bounds
from gateway.people import kiosks, pairing
from gateway.store.models import Kiosk
from gateway.store.states import CaseState
from inference.picture import SUFFIXES
from rig import things as house

HTML = {"Accept": "text/html"}


@pytest.fixture
def context(client: FlaskClient) -> Context:
    found: Context = client.application.extensions["leafline"]
    return found


@pytest.fixture
def kiosk(context: Context) -> Kiosk:
    return house.kiosk(context.store)[0]


def _code(context: Context, kiosk: Kiosk) -> str:
    with context.store.transaction() as session:
        return pairing.new_code(session, kiosk)


def _post(client: FlaskClient, path: str, **fields: str) -> tuple[int, str]:
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/kiosk/pair").text)
    assert token is not None
    answer = client.post(path, data={"csrf_token": token[1], **fields}, headers=HTML)
    return answer.status_code, answer.headers.get("Location", answer.text)


@pytest.fixture
def paired(client: FlaskClient, context: Context, kiosk: Kiosk) -> FlaskClient:
    assert _post(client, "/kiosk/pair", code=_code(context, kiosk)) == (303, "/kiosk")
    return client


@pytest.fixture
def case(paired: FlaskClient) -> str:
    form = {"photo": (io.BytesIO(house.photo()), "a.jpg"), "phone": "0788000001", "crop": "maize"}
    answer = paired.post("/api/photos", data=form, headers={"X-Kiosk-Page": "1"})
    return str(answer.get_json()["case"])


@pytest.mark.parametrize("path", ["/kiosk", "/kiosk/cases", "/kiosk/cases/2345678"])
def test_strangers_are_sent_to_the_door(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["Location"] == "/kiosk/pair"


def test_opening_the_link_uses_nothing_up(
    client: FlaskClient, context: Context, kiosk: Kiosk
) -> None:
    code = _code(context, kiosk)
    link = pairing.link("", code)
    for _ in range(2):
        assert f'value="{pairing.written(code)}"' in client.get(link).text
    assert _post(client, "/kiosk/pair", code=code)[0] == 303
    assert client.get("/kiosk").status_code == 200


def test_the_page_knows_all_that_is_read(paired: FlaskClient) -> None:
    page = paired.get("/kiosk", headers=HTML).text
    accept = re.search(r'id="gallery" accept="([^"]+)"', page)
    assert accept is not None
    assert set(accept[1].split(",")) == {"image/*", *SUFFIXES}


def test_the_page_knows_every_state(context: Context) -> None:
    told = bounds.bounds(context.settings)["states"].values()
    named = [state for states in told for state in states]
    assert sorted([*named, CaseState.PHOTO_REQUESTED]) == sorted(CaseState)


def test_a_wrong_code_is_said_in_words(client: FlaskClient) -> None:
    status, page = _post(client, "/kiosk/pair?lang=fr", code="<script>alert(1)</script>")
    assert status == 422
    assert "Ce code ne marche pas" in page
    assert "<script>alert" not in page


def test_static_files_do_not_vary_by_who_asks(paired: FlaskClient) -> None:
    address = paired.application.extensions["leafline_assets"].url("base/base.css")
    answer = paired.get(address)
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")


@pytest.mark.parametrize("path", ["/kiosk/cases/{}", "/kiosk/cases/{}/slip", "/kiosk/cases"])
def test_a_case_is_shown_without_scripts(paired: FlaskClient, case: str, path: str) -> None:
    page = paired.get(path.format(case)).text
    assert case in page
    assert "788000001" not in page


@pytest.mark.parametrize("path", ["/kiosk/cases/nonsense", "/kiosk/cases/2345679/slip?paper=a4"])
def test_a_case_of_nobody_is_not_there(paired: FlaskClient, path: str) -> None:
    assert paired.get(path, headers=HTML).status_code == 404


def test_another_kiosks_case_is_not_there(client: FlaskClient, context: Context, case: str) -> None:
    other, _token = house.kiosk(context.store, name="Elsewhere")
    assert _post(client, "/kiosk/pair", code=_code(context, other))[0] == 303
    assert client.get(f"/kiosk/cases/{case}", headers=HTML).status_code == 404


@pytest.mark.parametrize("paper", ["80", "a4"])
def test_the_slip_brings_its_paper(paired: FlaskClient, case: str, paper: str) -> None:
    assert f"slip-{paper}.css" in paired.get(f"/kiosk/cases/{case}/slip?paper={paper}").text
    assert paired.get(f"/kiosk/cases/{case}/slip?paper=b5", headers=HTML).status_code == 404


def test_signing_out_ends_this_phone(paired: FlaskClient) -> None:
    assert _post(paired, "/kiosk/sign-out") == (303, "/kiosk/pair")
    assert paired.get("/kiosk").status_code == 302


def test_a_disabled_kiosk_is_out_at_once(
    paired: FlaskClient, context: Context, kiosk: Kiosk
) -> None:
    with context.store.transaction() as session:
        kiosks.disable(session, kiosk.name)
    assert paired.get("/kiosk").headers["Location"] == "/kiosk/pair?closed=1"


def test_the_worker_may_serve_the_page_and_names_files_that_exist(client: FlaskClient) -> None:
    answer = client.get("/kiosk/worker.js")
    assert answer.headers["Service-Worker-Allowed"] == "/kiosk"
    assert answer.headers["Cache-Control"] == "no-cache"
    files = re.findall(r'"(/static/[^"]+)"', answer.text)
    assert len(files) > 8
    assert all(client.get(file).status_code == 200 for file in files)


def test_the_manifest_speaks_the_language(client: FlaskClient) -> None:
    manifest = client.get("/kiosk/manifest.webmanifest?lang=sw").get_json(force=True)
    assert manifest["name"] == "Leafline Kioski"
    assert client.get(manifest["icons"][0]["src"]).status_code == 200


@pytest.mark.parametrize("size", range(60_000, 200_000, 20_000))
def test_a_photo_after_its_fields_is_taken_whatever_its_size(
    paired: FlaskClient, size: int
) -> None:
    photo = house.photo(shade=size // 1000) + b"\r" * size  # what follows a JPEG does not matter
    form = {"phone": "0788000001", "crop": "maize", "photo": (io.BytesIO(photo), "leaf.jpg")}
    answer = paired.post("/api/photos", data=form, headers={"X-Kiosk-Page": "1"})
    assert answer.status_code == 202
