"""Fuzz the reading of forms, with files and without, as every door reads them.

    nice -n 19 python -m benchmarks.fuzz.forms [--seconds 60] [--runs N] [--corpus FOLDER]

The first line of an input is the Content-Type, the second the query. Whatever the bytes: fields
and files, or 413; and none longer than what came.
"""

from __future__ import annotations

from io import BytesIO

import atheris

with atheris.instrument_imports(include=["gateway", "werkzeug"]):
    from werkzeug.exceptions import RequestEntityTooLarge
    from werkzeug.test import EnvironBuilder

    from gateway.app import PatientRequest
    from gateway.channels.africastalking import fields
    from gateway.channels.fields import moment
    from gateway.store.base import now

from benchmarks.fuzz.driver import fuzz

LONGEST = 6000


def one(data: bytes) -> None:
    """One execution. Raises: AssertionError, or whatever a stranger's form should not raise."""
    first, _, rest = data.partition(b"\n")
    query, _, body = rest.partition(b"\n")
    environ = EnvironBuilder(method="POST", path="/").get_environ()
    environ |= {
        "CONTENT_TYPE": first.decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }
    callback = PatientRequest(environ)
    kept = fields.form(callback)
    assert all("\0" not in name + value for name, value in kept.items())
    assert max(map(len, kept.values()), default=0) <= 4000
    assert fields.message_id(kept)
    moment(kept.get("date", ""), now())
    dict(callback.args)

    upload = PatientRequest(environ | {"wsgi.input": BytesIO(body)})
    try:
        files = upload.files
    except RequestEntityTooLarge:
        return
    assert sum(len(file.read()) for file in files.values()) <= len(body)


def seeds() -> list[bytes]:
    form = b"application/x-www-form-urlencoded\n"
    parts = b'--B\r\nContent-Disposition: form-data; name="phone"\r\n\r\n+250788000001\r\n'
    parts += b'--B\r\nContent-Disposition: form-data; name="photo"; filename="a b.jpg"\r\n'
    parts += b"Content-Type: image/jpeg\r\n\r\n\xff\xd8\xff\r\n--B--\r\n"
    return [
        form + b"\nfrom=%2B250788000001&to=1234&text=STOP&date=2026-01-02T03%3A04%3A05Z&id=1",
        form + b"a=b\nsessionId=1&phoneNumber=%2B250788000001&text=1*2*3&serviceCode=*384%23",
        b"multipart/form-data; boundary=B\n\n" + parts,
        b'multipart/form-data; boundary="B"\n\n' + parts.replace(b"\r\n", b"\n"),
        b"multipart/form-data; boundary=B\n\n" + parts.replace(b'"a b.jpg"', b"%C3%A9.jpg").replace(
            b"filename=", b"filename*=UTF-8''"
        ),
        b"application/json\n\n{}",
    ]  # fmt: skip


if __name__ == "__main__":
    fuzz("forms", __doc__ or "", one, seeds(), LONGEST)
