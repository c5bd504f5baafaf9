from __future__ import annotations

import xml.etree.ElementTree as ET
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest

from gateway.channels.mms import mm7
from gateway.people import msisdn

PICTURE = b"\xff\xd8\xff picture"
ENVELOPE = """<?xml version="1.0"?>{doctype}
<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header>
<t:TransactionID xmlns:t="{namespace}" e:mustUnderstand="1">{transaction}</t:TransactionID>
</e:Header><e:Body><DeliverReq xmlns="{namespace}"><MM7Version>5.3.0</MM7Version>
<LinkedID>1</LinkedID><Sender>{sender}</Sender><Subject>leaf &amp; stem</Subject>
<Content href="cid:mms"/></DeliverReq></e:Body></e:Envelope>"""
NUMBER = "<Number>250788000001</Number>"
OLD = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-5-MM7-1-5"


def request(
    envelope: str | None = None, *, photos: int = 2, doctype: str = "", sender: str = NUMBER,
    transaction: str = "T-1", namespace: str = mm7.NAMESPACE, kind: str = "image/jpeg",
) -> tuple[str, bytes]:  # fmt: skip
    """(content type, body) of a DeliverReq with nested content, as an MMSC sends it."""
    outer = MIMEMultipart("related", type="text/xml", start="<soap>")
    text = envelope or ENVELOPE.format(
        doctype=doctype, sender=sender, transaction=transaction, namespace=namespace
    )
    soap = MIMEText(text, "xml", "utf-8")
    soap["Content-ID"] = "<soap>"
    outer.attach(soap)
    inner = MIMEMultipart("mixed")
    inner.attach(MIMEText("<smil/>", "smil"))
    inner.attach(MIMEText("my maize", "plain"))
    for _ in range(photos):
        picture = MIMEImage(PICTURE, "jpeg")
        picture.set_type(kind)
        inner.attach(picture)
    outer.attach(inner)
    raw = outer.as_bytes()
    header, _, body = raw.partition(b"\n\n")
    content_type = outer["Content-Type"].replace("\n", " ")
    assert b"Content-Type" in header
    return content_type, body


@pytest.mark.parametrize("namespace", [mm7.NAMESPACE, OLD])
@pytest.mark.parametrize("sender", [NUMBER, "<RFC2822Address/> <Number>250788000001</Number>"])
def test_a_request_is_read_whatever_its_version(namespace: str, sender: str) -> None:
    message = mm7.parse(*request(namespace=namespace, sender=sender))
    assert message == mm7.DeliverReq("T-1", "250788000001", (PICTURE, PICTURE))


@pytest.mark.parametrize(
    "sender",
    [
        "<RFC2822Address>+250788000001/TYPE=PLMN@mms.example.rw</RFC2822Address>",
        "<ShortCode>250788000001</ShortCode>",
        "<ShortCode>8080</ShortCode><Number>250788000001/TYPE=PLMN</Number>",
        "<RFC2822Address>jane@example.rw</RFC2822Address><Number>0788000001</Number>",
        "<Number/><Extended>+250788000001</Extended>",
        "+250788000001/TYPE=PLMN",
    ],
)
def test_a_number_is_found_wherever_the_vendor_puts_it(sender: str) -> None:
    message = mm7.parse(*request(sender=sender))
    assert msisdn.from_network(message.sender, "RW") == "+250788000001"


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'


@pytest.mark.parametrize(
    ("content_type", "body", "transaction"),
    [
        pytest.param(*request("<not-xml"), "", id="not well-formed"),
        pytest.param(*request(doctype=BOMB), "", id="a DTD"),
        pytest.param(*request(doctype='<!DOCTYPE x SYSTEM "file:///etc/passwd">'), "", id="XXE"),
        pytest.param(*request("<a>" + "x" * 300_000 + "</a>"), "", id="huge"),
        pytest.param(*request(sender=""), "T-1", id="no sender"),
        pytest.param(*request(transaction=""), "", id="no transaction"),
        pytest.param(*request(ENVELOPE.replace("DeliverReq", "SubmitReq").format(
            doctype="", sender=NUMBER, transaction="T-2", namespace=OLD)), "T-2",
            id="another request"),
        pytest.param("multipart/related; boundary=x", b"no parts at all", "", id="no parts"),
        pytest.param("text/plain", b"hello", "", id="no multipart"),
        pytest.param("", b"", "", id="nothing"),
        pytest.param(*request(photos=100), "", id="a hundred parts"),
    ],
)  # fmt: skip
def test_what_is_broken_is_refused_safely(content_type: str, body: bytes, transaction: str) -> None:
    with pytest.raises(mm7.Corrupt) as corrupt:
        mm7.parse(content_type, body)
    assert corrupt.value.transaction == transaction


def test_the_answer_carries_the_transaction_and_the_status() -> None:
    root = ET.fromstring(mm7.answer('T<"&>1', mm7.SUCCESS))
    texts = {element.tag.rpartition("}")[2]: element.text for element in root.iter()}
    assert texts["TransactionID"] == 'T<"&>1'
    assert texts["StatusCode"] == "1000"
