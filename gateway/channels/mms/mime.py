"""MIME, as much of it as vendors' messages need: parts in parts, their types and encodings.

Everything is counted before it is looked at, and each byte is looked at once a level: a message
costs milliseconds, whatever it is made of. The standard library's parser, which reads addresses,
dates and comments too, takes minutes for some hundred kilobytes.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass

from werkzeug.http import parse_options_header

MAX_PARTS = 60
"""Parts of all levels together."""
MAX_DEPTH = 4
HEAD_BYTES = 4096
"""Of the head of one part; vendors' heads have some hundred."""
BOUNDARY_LONGEST = 200
"""Characters; the standard allows 70."""
BLANK = re.compile(rb"\n\r?\n")
FOLDED = re.compile(r"\r?\n[ \t]")
MAX_FIELDS = 50
"""Of one head, and parameters of a type."""
QUOTED_OR_COMMENT = re.compile(r'"(?:[^"\\]|\\.)*"?|\([^()]*\)?')


class Malformed(Exception):
    """Not MIME, or more of it than a message has."""


@dataclass(frozen=True)
class Part:
    """`kind`: the type in small letters, `text/plain` where none is named."""

    kind: str
    content: bytes


def parts(content_type: str, body: bytes) -> list[Part]:
    """The parts that hold no others, in their order. Raises: Malformed."""
    message = _Message(b"\n" + body, [])
    message.read({"content-type": content_type}, 1, len(message.data), 1)
    return message.found


@dataclass
class _Message:
    data: bytes
    """Begins with a line end, for a boundary stands after one."""
    found: list[Part]
    seen: int = 0

    def read(self, head: dict[str, str], start: int, end: int, depth: int) -> None:
        """One part, whose content lies between `start` and `end`."""
        self.seen += 1
        if self.seen > MAX_PARTS:
            raise Malformed("too many parts")
        kind, boundary = _type(head.get("content-type", ""))
        if not kind.startswith("multipart/"):
            encoding = head.get("content-transfer-encoding", "")
            self.found.append(Part(kind, _decoded(self.data[start:end], encoding)))
            return
        if depth > MAX_DEPTH:
            raise Malformed("parts too deep in one another")
        for inner_start, inner_end in self._between(boundary, start, end):
            inner, content = self._head(inner_start, inner_end)
            self.read(inner, content, inner_end, depth + 1)

    def _between(self, boundary: bytes, start: int, end: int) -> list[tuple[int, int]]:
        """Where the parts lie, from the line end after a boundary to the one before the next. Where
        the last boundary is missing, the last part goes to the end."""
        line = re.compile(rb"\n--" + re.escape(boundary) + rb"(--)?[ \t]*+(?=[\r\n]|\Z)")
        found: list[tuple[int, int]] = []
        begin: int | None = None
        for match in line.finditer(self.data, start - 1, end):
            if begin is not None:
                before = match.start() - (self.data[match.start() - 1 : match.start()] == b"\r")
                found.append((begin, max(begin, before)))
            if len(found) > MAX_PARTS:
                raise Malformed("too many parts")
            if match[1]:
                return found
            begin = match.end()
        return found if begin is None else [*found, (begin, end)]

    def _head(self, start: int, end: int) -> tuple[dict[str, str], int]:
        """The fields of a part, and where its content begins."""
        blank = BLANK.search(self.data, start, min(end, start + HEAD_BYTES))
        if blank is None:
            if end - start >= HEAD_BYTES:
                raise Malformed("a head too long")
            return {}, end
        lines = self.data[start : blank.start()].decode("latin-1")
        fields: dict[str, str] = {}
        if lines.count("\n") > MAX_FIELDS:
            raise Malformed("a head too long")
        for line in FOLDED.sub(" ", lines).splitlines():
            name, _, value = line.partition(":")
            fields.setdefault(name.strip().lower(), value.strip())
        return fields, blank.end()


def _type(value: str) -> tuple[str, bytes]:
    """(type, boundary) of a Content-Type. Raises: Malformed."""
    if len(value) > HEAD_BYTES or value.count(";") > MAX_FIELDS:
        raise Malformed("a head too long")
    named, options = parse_options_header(
        QUOTED_OR_COMMENT.sub(lambda found: found[0] if found[0][0] == '"' else "", value)
    )
    kind = named.strip().lower() or "text/plain"
    boundary = options.get("boundary", "").rstrip().encode("latin-1", "replace")
    if kind.startswith("multipart/") and not 0 < len(boundary) <= BOUNDARY_LONGEST:
        raise Malformed("no boundary")
    return kind, boundary


def _decoded(content: bytes, encoding: str) -> bytes:
    """Nothing, where the encoding is not kept to."""
    match encoding.strip().lower():
        case "base64":
            try:
                return binascii.a2b_base64(content)
            except binascii.Error:  # padding that somebody forgot
                return _padded(content)
        case "quoted-printable":
            return binascii.a2b_qp(content)
    return content


def _padded(content: bytes) -> bytes:
    for padding in (b"=", b"=="):
        try:
            return binascii.a2b_base64(content.rstrip(b"= \t\r\n") + padding)
        except binascii.Error:
            continue
    return b""
