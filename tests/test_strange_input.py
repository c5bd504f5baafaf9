"""What nobody types by hand, in every field of every door: an answer that is no fault of ours.

On PostgreSQL, which refuses what SQLite takes: NULs, halves of letters, numbers that are too large.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import cycle, product
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from gateway.app import create_app
from rig import admins, desk, things
from rig.desk import Person
from tests.conftest import CHANNEL_KEY, settings_for
from tests.test_routes import PLACES, ROUTES

STRANGE = {
    "nul": "a\0b",
    "nothing but nul": "\0",
    "line ends": "x\r\nSet-Cookie: y=1\r\n\r\n<b>",
    "half a letter": "\ud800x",
    "huge number": "9" * 400,
    "largest of the store and one": str(2**63),
    "exponent": "1e400",
    "not a number": "NaN",
    "formula": '=cmd|"/c calc"!A1',
    "path": "../../../../etc/passwd\0.jpg",
    "percent": "%00%0d%0a%s%n{0}{a}${b}",
    "other digits": "²٣๓",
    "turned round": "\u202e\u2066x\u2069",
    "blanks": " \u00a0\u3000\t\v\f\x1c\x85\u2028",
    "very long": "ab " * 600,
}
GOOD = {
    "phone": things.FARMER, "crop": "maize", "language": "en", "place": "Kabeza", "pin": "12345",
    "name": "ines", "password": admins.PASSWORD, "code": "123456", "area": things.AREA,
    "words": "Remove the worst leaves.", "label": "maize_rust", "choice": "maize_rust",
    "reason": "other", "on": "1", "on_duty": "1", "day": "1", "from": "08:00", "until": "17:00",
    "latitude": "-1.9", "longitude": "30.1", "opening": "Mon-Fri", "text_en": "Hello",
    "text_rw": "Muraho", "text_fr": "Bonjour", "text_sw": "Habari", "id": "1", "sessionId": "s1",
    "phoneNumber": things.FARMER, "text": "1*2", "to": "384", "date": "2026-03-01 10:00:00",
    "status": "Success", "networkCode": "63510", "hopsCount": "2", "durationInMillis": "900",
    "cost": "RWF 1", "From": things.FARMER, "MessageSid": "MM1",
    "MediaUrl0": "https://media.example.org/1", "NumMedia": "1", "link": "x",
    "new": "another long password", "again": "another long password", "pending": "x", "own": "1",
    "next": "/operator/", "case": "K7Q2M93", "weeks": "4", "who": "all", "district": "Rwamagana",
    "before": "1", "after": "1", "of": "en", "kept": "x", "client_id": "c1", "following": "0",
    "stage": "flowering", "username": "x", "page": "1", "paper": "a4", "show": "answered",
    "lang": "en", "safety": "1", "failureReason": "x", "errorMessage": "x", "hopsMetadata": "x",
    "serviceCode": "*384*123#", "ref": "r", "coding": "8", "binary": "00410042", "closed": "1",
}  # fmt: skip
"""Every field that any door reads, with a value that some of them take."""
OUT = re.compile(r"/sign-out|/sign-ins|/account/|/static/")
"""Doors after which nobody is inside any more, and files."""
FORM = "application/x-www-form-urlencoded"
STEP, TURN = 7, 4


@pytest.fixture
def app(postgres_url: str, redis_url: str, tmp_path: Path) -> Iterator[Flask]:
    app = create_app(settings_for(tmp_path, postgres_url, redis_url, simulator="off"))
    app.config["WTF_CSRF_METHODS"] = set()  # that is another lock, with tests of its own
    yield app
    app.extensions["leafline"].close()


class Doors:
    """Every door, for a stranger and for somebody who has every credential at once."""

    def __init__(self, app: Flask) -> None:
        context = app.extensions["leafline"]
        keza, self.code = desk.officer(context), desk.case(context)
        _, token = things.kiosk(context.store)
        self.bearer = {"Authorization": f"Bearer {token}"}
        inside = Person(app.test_client())
        inside.sign_in(keza)
        admins.enter(inside, admins.enrol(context))
        self.visitors = {"stranger": app.test_client(), "insider": inside.client}

    def paths(self, who: str, strange: str | None = None) -> Iterator[tuple[str, str]]:
        """(method, path) of each that is not merely shut, with a good value in each place, or a
        strange one."""
        for route, door in ROUTES.items():
            if who == "stranger" and door.credential not in ("none", "link"):
                continue
            method, _, path = route.partition(" ")
            if OUT.search(path) or (strange is not None and "<" not in path):
                continue
            for place, value in PLACES.items():
                good = {"<key>": CHANNEL_KEY, "<code>": self.code}.get(place, value)
                path = path.replace(place, good if strange is None else strange)
            yield method, path

    def ask(self, who: str, method: str, path: str, fields: str) -> TestResponse:
        as_form = {"data": fields, "content_type": FORM}
        if path in ("/api/photos", f"/mms/{CHANNEL_KEY}"):
            as_form = _in_parts(fields)
        how = {"query_string": fields} if method == "GET" else as_form
        headers = self.bearer if who == "insider" and path.startswith("/api/") else {}
        return self.visitors[who].open(path, method=method, headers=headers, **how)


@pytest.fixture
def doors(app: Flask) -> Doors:
    return Doors(app)


def encoded(fields: Iterable[tuple[str, str]]) -> str:
    return "&".join(f"{name}={percent(value)}" for name, value in fields)


def percent(value: str) -> str:
    return quote(value.encode("utf-8", "surrogatepass"), safe="")


def _in_parts(fields: str) -> dict[str, Any]:
    """The same fields as a form with files, the last of them in the file's name."""
    parts = [field.partition("=")[::2] for field in fields.split("&")]
    lines = [f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
             + unquote_to_bytes(value) for name, value in parts]  # fmt: skip
    name = parts[-1][1][:200].encode()
    lines += [b'--b\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\nGIF89a'
              % (file, name) for file in (b"photo", b"media")]  # fmt: skip
    body = b"\r\n".join([*lines, b"--b--\r\n"])
    return {"data": body, "content_type": "multipart/form-data; boundary=b"}


def faults(answer: TestResponse, asked: str) -> Iterator[str]:
    if answer.status_code >= 500:
        yield f"{asked}: {answer.status_code}"
    if "Set-Cookie: y" in str(answer.headers) or "y" in answer.headers:
        yield f"{asked}: a header of the sender's own"
    where = urlsplit(answer.headers.get("Location", ""))
    if where.netloc not in ("", "localhost"):
        yield f"{asked}: sent to {where.netloc}"


@pytest.mark.timeout(300)
def test_no_field_of_any_door_breaks_it(doors: Doors) -> None:
    found, values = list[str](), list(STRANGE.values())
    for turn in range(0, len(values), TURN):
        strange = dict(zip(sorted(GOOD), cycle(values[turn:] + values[:turn]), strict=False))
        for who in doors.visitors:
            for method, path in doors.paths(who):
                most = 150 if method == "GET" else 4000
                fields = encoded((field, value[:most]) for field, value in strange.items())
                answer = doors.ask(who, method, path, fields)
                found += faults(answer, f"{who} {method} {path} turn {turn}")
    assert found == []


@pytest.mark.timeout(300)
def test_no_part_of_an_address_breaks_its_door(doors: Doors) -> None:
    found = []
    for value in STRANGE.values():
        for method, path in doors.paths("insider", percent(value[:2000])):
            found += faults(doors.ask("insider", method, path, ""), f"{method} {path[:60]}")
    assert found == []


@pytest.mark.timeout(300)
def test_nor_does_one_strange_field_among_good_ones(doors: Doors) -> None:
    """Which passes checks that would stop it when all are strange."""
    found, values = list[str](), cycle(STRANGE.values())
    names = sorted(GOOD)
    for method, path in doors.paths("insider"):
        if method == "GET":
            continue
        for first in range(0, len(names), STEP):
            value = next(values)[:4000]
            strange = dict.fromkeys(names[first : first + STEP], value)
            answer = doors.ask("insider", method, path, encoded((GOOD | strange).items()))
            found += faults(answer, f"{method} {path} {value[:20]!r} in {sorted(strange)}")
    assert found == []


PARTS = {
    "no name": b'Content-Disposition: form-data; filename="x"',
    "no name, no file": b"Content-Disposition: form-data",
    "two names": b'Content-Disposition: form-data; name="phone"; name="pin"',
    "an endless name": b'Content-Disposition: form-data; name="' + b"x" * 5000 + b'"',
    "a name of bytes": b'Content-Disposition: form-data; name="\xff\xfe\0"; filename="\xff\0"',
    "a name in a charset": b"Content-Disposition: form-data; name*=utf-7''%2B; filename*=x'y'%FF",
    "a charset of its own": b'Content-Disposition: form-data; name="phone"\r\n'
    b"Content-Type: text/plain; charset=hex",
    "no disposition": b"X: y",
    "no headers": b"",
    "another encoding": b'Content-Disposition: form-data; name="phone"\r\n'
    b"Content-Transfer-Encoding: base64\r\nContent-Length: -1",
}


def test_no_part_of_a_form_breaks_a_door(doors: Doors) -> None:
    """Parts that no browser writes, alone, cut off, and among fields that are good."""
    found = []
    paths = [path for method, path in doors.paths("stranger") if method == "POST"]
    paths += ["/api/photos", f"/mms/{CHANNEL_KEY}", f"/africastalking/{CHANNEL_KEY}/sms"]
    for (name, head), path in product(PARTS.items(), paths):
        part = b"--b\r\n" + head + b"\r\n\r\n0788\r\n"
        good = _in_parts(encoded(GOOD.items()))["data"]
        for body in (part + b"--b--\r\n", part[:-9], part + good):
            kind = {"data": body, "content_type": "multipart/form-data; boundary=b"}
            headers = doors.bearer if path.startswith("/api/") else {}
            answer = doors.visitors["insider"].post(path, headers=headers, **kind)
            found += faults(answer, f"{path}: {name}")
    assert found == []


HEADERS = {
    "Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-For": "\xff, ::%x",
    "X-Forwarded-Proto": "javascript", "Forwarded": "host=evil.example", "Referer": "\xff",
    "X-Original-URL": "/operator/", "X-Rewrite-URL": "/operator/",
    "Cookie": "leafline=a.b.c; =;\xff", "User-Agent": "\xff" * 3000,
    "Accept-Language": "rw;q=nan, *;q=1e999," * 50, "Range": "bytes=0-,0-",
    "If-None-Match": "W/" + "x" * 500, "If-Modified-Since": "Mon, 99 Foo 99999",
    "Accept": "*/*;q=x", "Authorization": "Bearer \xff",
    "Content-Type": "multipart/form-data; boundary=" + "x" * 300, "Idempotency-Key": "\xff" * 200,
    "X-Twilio-Signature": "\xff", "X-Kiosk-Page": "\xff",
    "Accept-Encoding": "br;q=nan, gzip;q=9e9", "Transfer-Encoding": "x", "Origin": "null",
    "Content-Encoding": "gzip", "Expect": "x", "Connection": "x",
    "X-HTTP-Method-Override": "DELETE",
}  # fmt: skip


def test_no_header_breaks_a_door_or_sends_anybody_elsewhere(doors: Doors) -> None:
    found = []
    for who in doors.visitors:
        for headers in ({"Host": "evil.example"}, HEADERS, HEADERS | {"Host": "a..b:99999999"}):
            for method, path in doors.paths(who):
                answer = doors.visitors[who].open(path, method=method, headers=headers)
                asked = f"{who} {method} {path}"
                found += faults(answer, asked)
                if b"evil.example" in answer.data:
                    found.append(f"{asked}: the other name is believed")
    assert found == []


ASTRAY = (
    "//evil.example/officer/sign-out", "/%2f%2fevil.example/kiosk", "/\\evil.example",
    "//evil.example/..;/operator/", "/.//evil.example", "//kiosk",
    "/kiosk/cases/..%2f..%2f..%2fetc%2fpasswd/slip", "/static/x/..%2f..%2fpages%2ferror.html",
    "/static/x/%2e%2e/%2e%2e/secret-key", "/officer/photo/1/..%2f..%2fsecret-key.jpg",
)  # fmt: skip


def test_no_path_leads_out_of_the_house(doors: Doors) -> None:
    for client, path in product(doors.visitors.values(), ASTRAY):
        answer = client.get(path, headers={"Host": "evil.example", "Accept": "text/html"})
        assert answer.status_code in (301, 302, 303, 307, 308, 404), (path, answer.status_code)
        where = answer.headers.get("Location", "/")
        assert re.match(r"/(?![/\\])", where), (path, where)
