"""MM7 (3GPP TS 23.140): a DeliverReq in, a DeliverRsp out.

Namespaces differ from vendor to vendor, so elements are found by their local name. The envelope is
parsed with DTDs and entities refused; the content is MIME, often nested.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from gateway.channels.mms import mime

SUCCESS, REFUSED, CORRUPT, SERVER_ERROR, UNAVAILABLE = 1000, 2004, 2007, 3000, 4006
TEXT = {
    SUCCESS: "Success",
    REFUSED: "Multimedia content refused",
    CORRUPT: "Message format corrupt",
    SERVER_ERROR: "Server error",
    UNAVAILABLE: "Service unavailable",
}
NAMESPACE = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-6-MM7-1-4"
MAX_ENVELOPE = 256 * 1024
MAX_TAGS = 4000
"""Of the envelope; a message to a hundred receivers has some hundred."""
ID_LONGEST = 1000
"""Characters of a TransactionID that go back as they came."""
VERSION = "6.8.0"
ADDRESSES = ("Number", "RFC2822Address", "ShortCode")
"""Elements of an address, the one that is surely a number first."""
ADDRESS_LONGEST = 120
SHORTEST = 7
"""Digits of the shortest number that somebody may be answered at."""


class Corrupt(Exception):
    """Not a DeliverReq that can be read. `transaction` is its id, where that much was readable."""

    def __init__(self, reason: str, transaction: str = "") -> None:
        super().__init__(reason)
        self.transaction = transaction


@dataclass(frozen=True)
class DeliverReq:
    transaction: str
    sender: str
    """As the vendor writes it: often without `+`, or as an address (`.../TYPE=PLMN@...`)."""
    photos: tuple[bytes, ...]


def parse(content_type: str, body: bytes) -> DeliverReq:
    """Raises: Corrupt."""
    try:
        parts = mime.parts(content_type, body)
    except mime.Malformed as error:
        raise Corrupt(str(error)) from None
    envelope = next((part for part in parts if part.kind == "text/xml"), None)
    if envelope is None:
        raise Corrupt("no text/xml part")
    root = _xml(envelope.content)
    transaction = _text(root, "TransactionID", ID_LONGEST)
    if _find(root, "DeliverReq") is None:
        raise Corrupt("no DeliverReq", transaction)
    sender = _sender(root)
    if not transaction or not sender:
        raise Corrupt("no TransactionID or no Sender", transaction)
    photos = tuple(part.content for part in parts if _may_be_photo(part.kind))
    return DeliverReq(transaction, sender, photos)


def answer(transaction: str, status: int) -> bytes:
    """The DeliverRsp, with the TransactionID of the request."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soap-env:Envelope xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<soap-env:Header><mm7:TransactionID xmlns:mm7={quoteattr(NAMESPACE)} "
        f'soap-env:mustUnderstand="1">{escape(transaction)}</mm7:TransactionID></soap-env:Header>'
        f"<soap-env:Body><DeliverRsp xmlns={quoteattr(NAMESPACE)}>"
        f"<MM7Version>{VERSION}</MM7Version><Status><StatusCode>{status}</StatusCode>"
        f"<StatusText>{TEXT[status]}</StatusText></Status></DeliverRsp></soap-env:Body>"
        "</soap-env:Envelope>"
    ).encode()


def _xml(data: bytes) -> Element:
    if len(data) > MAX_ENVELOPE or data.count(b"<") > MAX_TAGS:
        raise Corrupt("envelope too large")
    try:
        root: Element = ElementTree.fromstring(data, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise Corrupt(f"envelope: {type(error).__name__}") from None
    return root


def _find(root: Element, name: str) -> Element | None:
    return next((e for e in root.iter() if e.tag.rpartition("}")[2] == name), None)


def _may_be_photo(kind: str) -> bool:
    """Some handsets and relays name no type; what it is, its bytes tell."""
    return kind.startswith("image/") or kind == "application/octet-stream"


def _text(root: Element, name: str, longest: int = 80) -> str:
    element = _find(root, name)
    return "" if element is None else (element.text or "").strip()[:longest]


def _sender(root: Element) -> str:
    """The number, address or short code of the sender, or the text beside them: the first of them
    that may be a number, for vendors put it into any."""
    sender = _find(root, "Sender")
    if sender is None:
        return ""
    named = [_text(sender, name, ADDRESS_LONGEST) for name in ADDRESSES]
    every = [text for text in (*named, *(_own_text(e) for e in sender.iter())) if text]
    return next((text for text in every if _may_be_number(text)), every[0] if every else "")


def _own_text(element: Element) -> str:
    return (element.text or "").strip()[:ADDRESS_LONGEST]


def _may_be_number(text: str) -> bool:
    number = text.partition("@")[0].partition("/")[0]
    return sum(char.isdecimal() for char in number) >= SHORTEST
