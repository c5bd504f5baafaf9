"""Fuzz the reading of MM7: MIME, its envelope, the sender's number, and the answer.

    nice -n 19 python -m benchmarks.fuzz.mm7 [--seconds 60] [--runs N] [--corpus FOLDER]

The first line of an input is the Content-Type. Whatever the bytes: a message or Corrupt, and an
answer that is XML.
"""

from __future__ import annotations

from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from xml.etree import ElementTree

import atheris

with atheris.instrument_imports(include=["gateway.channels.mms", "gateway.people.msisdn"]):
    from gateway.channels.mms import mime, mm7
    from gateway.people import msisdn

import contextlib

from benchmarks.fuzz.driver import fuzz

LONGEST = 8000
ENVELOPE = (
    '<e:Envelope xmlns:e="s"><e:Header><TransactionID>T-1</TransactionID></e:Header><e:Body>'
    "<DeliverReq><Sender>{}</Sender></DeliverReq></e:Body></e:Envelope>"
)
SENDERS = (
    "<Number>250788000001</Number>",
    "<RFC2822Address>+250788000001/TYPE=PLMN@mms.example</RFC2822Address>",
    "<ShortCode>8080</ShortCode><Number/>+250788000001",
    "jane@example.rw",
)


def one(data: bytes) -> None:
    """One execution. Raises: AssertionError, or whatever a stranger's message should not raise."""
    first, _, body = data.partition(b"\n")
    try:
        message = mm7.parse(first.decode("latin-1"), body)
    except mm7.Corrupt as corrupt:
        transaction = corrupt.transaction
    else:
        transaction = message.transaction
        assert message.transaction
        assert message.sender
        assert len(message.photos) <= mime.MAX_PARTS
        assert sum(map(len, message.photos)) <= len(body)
        with contextlib.suppress(msisdn.BadNumber):
            assert msisdn.from_network(message.sender, "RW").startswith("+")
    assert len(transaction) <= mm7.ID_LONGEST
    ElementTree.fromstring(mm7.answer(transaction, mm7.CORRUPT))


def seeds() -> list[bytes]:
    found = [b"text/xml\n" + ENVELOPE.format(sender).encode() for sender in SENDERS]
    for sender in SENDERS:
        outer, inner = MIMEMultipart("related", "=_outer"), MIMEMultipart("mixed", "(inner)")
        outer.attach(MIMEText(ENVELOPE.format(sender), "xml", "utf-8"))
        inner.attach(MIMEText("my maize = é", "plain", "utf-8"))
        inner.attach(MIMEImage(b"\xff\xd8\xff", "jpeg", name="a b.jpg"))
        outer.attach(inner)
        _, _, body = outer.as_bytes().partition(b"\n\n")
        kind = str(outer["Content-Type"]).replace("\n", " ").encode()
        found += [kind + b"\n" + body, kind + b"\n" + body.replace(b"\n", b"\r\n")]
    found.append(
        b'multipart/x;boundary="B"\n--B\nContent-Transfer-Encoding: quoted-printable\n\n=3D'
    )
    return found


if __name__ == "__main__":
    fuzz("mm7", __doc__ or "", one, seeds(), LONGEST)
