"""What parts are read from, and what is counted before it is read."""

from __future__ import annotations

import contextlib
import time
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart

import pytest

from gateway.channels.mms import mime, mm7
from tests.channels.mms import test_mm7

MIXED = 'multipart/mixed; boundary="B"'
MEGABYTES = 6_000_000
CPU_SECONDS = 1.5
"""Each of these took from four seconds to minutes, or grows with the square of its length."""


def message(*parts: bytes, end: bytes = b"\r\n") -> bytes:
    lines = b"".join(b"--B" + end + part + end for part in parts)
    return lines + b"--B--" + end


def nested(depth: int) -> bytes:
    head = b"--B%d\r\nContent-Type: multipart/mixed; boundary=B%d\r\n\r\n"
    return b"".join(head % (level, level + 1) for level in range(depth))


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (b"Content-Type: image/jpeg{}{}abc", mime.Part("image/jpeg", b"abc")),
        (b"content-TYPE:IMAGE/JPEG; name=a.jpg{}{}abc{}", mime.Part("image/jpeg", b"abc{}")),
        (b"Content-Type:{} image/jpeg{}{}abc", mime.Part("image/jpeg", b"abc")),
        (b"Content-Type: image/jpeg (a photo) ; x=y{}{}abc", mime.Part("image/jpeg", b"abc")),
        (b"{}abc", mime.Part("text/plain", b"abc")),
        (b"Content-Type: a/b{}{}--B-- no, --Bx{}--Bx", mime.Part("a/b", b"--B-- no, --Bx{}--Bx")),
        (b"Content-Transfer-Encoding: BASE64{}{}YW{}Jj", mime.Part("text/plain", b"abc")),
        (b"Content-Transfer-Encoding: base64{}{}YWI", mime.Part("text/plain", b"ab")),
        (b"Content-Transfer-Encoding: base64{}{}Y", mime.Part("text/plain", b"")),
        (b"Content-Transfer-Encoding: quoted-printable{}{}a=62=\n", mime.Part("text/plain", b"ab")),
        (b"Content-Transfer-Encoding: binary{}{}\x00\xff", mime.Part("text/plain", b"\x00\xff")),
        (b"Content-Type: image/jpeg", mime.Part("text/plain", b"")),
    ],
)  # fmt: skip
def test_a_part_is_read_as_it_was_written(part: bytes, expected: mime.Part, end: bytes) -> None:
    read = mime.parts(MIXED, message(part.replace(b"{}", end), end=end))
    assert read == [mime.Part(expected.kind, expected.content.replace(b"{}", end))]


def test_parts_in_parts_come_in_their_order() -> None:
    outer, inner = MIMEMultipart("related"), MIMEMultipart("mixed", boundary="=_(in, ner)")
    for number in range(3):
        inner.attach(MIMEImage(bytes([number]) * 1000, "jpeg"))
    outer.attach(inner)
    outer.attach(MIMEImage(b"last", "png"))
    outer["Subject"] = "no part's"
    _, _, body = outer.as_bytes().partition(b"\n\n")
    read = mime.parts(outer["Content-Type"], b"a preamble\n" + body + b"an epilogue")
    assert [part.kind for part in read] == ["image/jpeg"] * 3 + ["image/png"]
    assert [part.content for part in read] == [bytes([n]) * 1000 for n in range(3)] + [b"last"]


def test_a_message_that_was_cut_has_what_came() -> None:
    whole = message(b"Content-Type: image/jpeg\r\n\r\nabc", b"Content-Type: image/png\r\n\r\ndefgh")
    assert mime.parts(MIXED, whole[:-11])[1] == mime.Part("image/png", b"def")


@pytest.mark.parametrize(
    ("content_type", "body", "reason"),
    [
        (MIXED, message(b"Content-Type: a/b" + b";" * 10_000 + b"\r\n\r\n"), "head too long"),
        (MIXED, message(b"Content-Type: a/b" + b";" * 3_000 + b"\r\n\r\n"), "head too long"),
        (MIXED, message(b"Subject: " + b"=?utf-8?b?YQ==?= " * 16_000 + b"\r\n\r\n"), "head too"),
        (MIXED, message(b"To: a" + b"\r\n\tb" * 900 + b"\r\n\r\n"), "head too long"),
        (MIXED, message(b"A: b\r\n" * 400 + b"\r\n"), "head too long"),
        (MIXED, b"--B\r\nA: " + b"b" * MEGABYTES, "head too long"),
        (MIXED + ";a=b" * 60, b"", "head too long"),
        (MIXED + "(" * 30_000, b"", "head too long"),
        (MIXED, b"--B\r\n\r\n\r\n" * 3_000, "too many parts"),
        (MIXED, b"--B\n" * (MEGABYTES // 4), "too many parts"),
        ("multipart/mixed; boundary=B0", nested(6), "too deep"),
        ("multipart/mixed; boundary=B0", nested(50_000), "too deep"),
        (MIXED, (b"--B\r\nContent-Type: " + MIXED.encode() + b"\r\n\r\n") * 20_000, "too many"),
        ("multipart/mixed", b"--\r\n\r\n" * 1000, "no boundary"),
        ('multipart/mixed; boundary="  "', b"--  \r\n\r\n", "no boundary"),
        (f"multipart/mixed; boundary={'b' * 201}", b"", "no boundary"),
    ],
)  # fmt: skip
def test_too_much_of_anything_is_refused(content_type: str, body: bytes, reason: str) -> None:
    with pytest.raises(mime.Malformed, match=reason):
        mime.parts(content_type, body)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (MIXED, message(b"To: " + b"(" * 3_000 + b"\r\n\r\nabc")),
        (MIXED, message(b"Content-Type: image/jpeg" + b"(" * 3_000 + b"\r\n\r\nabc")),
        (MIXED, message(b'Content-Type: a/b; c="' + b'\\"' * 1_900 + b"\r\n\r\nabc")),
        (MIXED, message(b"Subject: " + b"=?utf-8?q?=41?= " * 240 + b"\r\n\r\nabc")),
        (MIXED, b"--B" + b" " * MEGABYTES),
        (MIXED, (b"\n--B" + b" " * 90 + b"x") * (MEGABYTES // 100)),
        (MIXED, b"--B\r\n\r\n" + b"\r" * MEGABYTES),
        (MIXED, b"--B\r\n\r\n" + b"\n--" * (MEGABYTES // 3)),
        (MIXED, b"--B\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"=" * MEGABYTES),
        (MIXED, b"--B\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=\n" * 10**6),
        ("multipart/mixed; boundary=-", b"-" * MEGABYTES),
        ("multipart/mixed; boundary=B0", nested(4) + b"\n--" * (MEGABYTES // 3)),
    ],
)  # fmt: skip
def test_what_would_cost_others_much_costs_little(content_type: str, body: bytes) -> None:
    began = time.process_time()
    with contextlib.suppress(mime.Malformed):
        mime.parts(content_type, body)
    assert time.process_time() - began < CPU_SECONDS


@pytest.mark.parametrize(
    "envelope",
    [
        "<a>" * 80_000,
        "<a>" * 10_000 + "</a>" * 10_000,
        "".join(f'<a xmlns:n{n}="u{n}">' for n in range(9_000)),
        "<a " + " ".join(f'a{n}=""' for n in range(15_000)) + "/>",
        '<!DOCTYPE a [<!ENTITY b "' + "c" * 9_000 + '">]><a>' + "&b;" * 9_000 + "</a>",
        '<!DOCTYPE a [<!ENTITY % b SYSTEM "http://127.0.0.1/"> %b;]><a/>',
        '<?xml version="1.0" encoding="UTF-16"?><a/>',
        '<?xml version="1.0" encoding="idna"?><a/>',
        '<?xml version="1.0" encoding="no-such"?><a/>',
        "\x00",
        "",
    ],
    ids=range(11),
)
def test_an_envelope_is_counted_before_it_is_read(envelope: str) -> None:
    began = time.process_time()
    with pytest.raises(mm7.Corrupt):
        mm7.parse(*test_mm7.request(envelope or " "))
    assert time.process_time() - began < CPU_SECONDS


def test_a_sender_in_thousand_elements_is_counted_before_it_is_read() -> None:
    with pytest.raises(mm7.Corrupt, match="envelope too large"):
        mm7.parse(*test_mm7.request(sender="<a>1</a>" * 2_500))
