"""Forms that cost more than forms do are refused before they are parsed, at every door."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder

from gateway.app import PatientRequest
from gateway.channels.africastalking.sdk import parsed
from rig import things as house
from tests.conftest import CHANNEL_KEY

HEAD = b'--B\r\nContent-Disposition: form-data; name="phone"'
MULTIPART = "multipart/form-data; boundary=B"
FORM = "application/x-www-form-urlencoded"
DOORS = {
    "/api/photos": (413, 415),
    "/operator/sign-in": (413,),
    f"/mms/{CHANNEL_KEY}": (413,),
    f"/africastalking/{CHANNEL_KEY}/ussd": (200,),
    f"/africastalking/{CHANNEL_KEY}/sms": (200,),
}
"""With the status of a form that is none: callbacks are answered in the network's way."""
COSTLY = {
    "semicolons": (MULTIPART, HEAD + b";" * 3000 + b"\r\n\r\nx\r\n--B--"),
    "forty heads": (MULTIPART, (HEAD + b";" * 200_000 + b"\r\n\r\nx\r\n") * 39 + b"--B--"),
    "a long head": (MULTIPART, HEAD + b" " * 5000 + b"\r\n\r\nx\r\n--B--"),
    "lines": (MULTIPART, HEAD + b"\r\nA: b" * 9000 + b"\r\n\r\nx\r\n--B--"),
    "a head without an end": (MULTIPART, HEAD + b"\r\n " * 9000),
    "old ends of lines": (MULTIPART, (HEAD + b";" * 9000 + b"\r\n\r\nx").replace(b"\r\n", b"\r")),
    "no line before": (MULTIPART, b"x" + HEAD + b";" * 9000 + b"\r\n\r\nx\r\n--B--"),
    "boundaries": (MULTIPART, b"\n--B" * 900_000),
    "fields": (FORM, b"a&" * 5000),
    "bytes": (FORM, b"a=" + b"%f0" * 60_000),
}  # fmt: skip


def read(content_type: str, body: bytes) -> PatientRequest:
    builder = EnvironBuilder(method="POST", data=body, content_type=content_type)
    return PatientRequest(builder.get_environ())


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("costly", COSTLY)
def test_a_costly_form_is_refused(client: FlaskClient, path: str, costly: str) -> None:
    content_type, body = COSTLY[costly]
    token = house.kiosk(client.application.extensions["leafline"].store)[1]
    headers = {"Authorization": f"Bearer {token}"}
    answer = client.post(path, data=body, content_type=content_type, headers=headers)
    assert answer.status_code in DOORS[path]
    if answer.status_code == 413 and path.startswith("/api"):
        assert answer.get_json()["code"] == "too_large"


@pytest.mark.parametrize("costly", COSTLY)
def test_it_is_refused_before_it_is_parsed(costly: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from werkzeug import formparser
    from werkzeug.exceptions import RequestEntityTooLarge

    def never(*_: object, **__: object) -> None:
        pytest.fail("was parsed")

    monkeypatch.setattr(formparser.FormDataParser, "_parse_multipart", never)
    monkeypatch.setattr(formparser.FormDataParser, "_parse_urlencoded", never)
    with pytest.raises(RequestEntityTooLarge):
        _ = read(*COSTLY[costly]).form


def test_a_photo_in_which_a_boundary_seems_to_stand_is_taken() -> None:
    photo = b"\xff\xd8" + b"--B" * 3 + b"\xff" * 9000 + b"\n--Bx\n\n" + b"\x00" * 9000
    head = HEAD.replace(b"phone", b'photo"; filename="a.jpg') + b"\r\n\r\n"
    request = read(MULTIPART, b"\r\n" + head + photo + b"\r\n--B--\r\n")
    assert request.files["photo"].read() == photo


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("head", [b"form-data", b'form-data; nam="a"', b"; ;", b'x; filename="a"'])
def test_a_part_without_a_name_is_no_field(client: FlaskClient, path: str, head: bytes) -> None:
    body = b"--B\r\nContent-Disposition: " + head + b"\r\n\r\nx\r\n--B--\r\n"
    assert client.post(path, data=body, content_type=MULTIPART).status_code < 500
    assert list(read(MULTIPART, body).form) == list(read(MULTIPART, body).files) == []


@pytest.mark.parametrize(
    "query", [b"next=\xff", b"\xe9", "é=é".encode(), b"a=%ff&b=\xf0\x9f", b"%"]
)
@pytest.mark.parametrize(
    "path",
    [
        "/operator/sign-in",
        "/kiosk/pair",
        "/api/cases",
        f"/http-gateway/{CHANNEL_KEY}/report",
        "/o/x",
    ],
)
def test_an_address_of_any_letters_is_read(client: FlaskClient, path: str, query: bytes) -> None:
    overrides = {"QUERY_STRING": query.decode("latin-1")}
    assert client.get(path, environ_overrides=overrides).status_code < 500
    assert client.post(path, environ_overrides=overrides).status_code < 500


def test_a_field_of_other_letters_costs_no_other_field() -> None:
    assert read(FORM, b"a=caf\xe9&b=2").form["b"] == "2"
    assert read(FORM, "a=é&b=2".encode()).form["a"] == "é"


def test_an_answer_of_brackets_is_no_json() -> None:
    for body in ("[" * 100_000, '{"a":' * 5000 + "1" + "}" * 5000):
        with pytest.raises(ValueError, match="brackets"):
            parsed(body)
