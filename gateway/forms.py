"""Forms as they come: parsed by Werkzeug, when there is no more of them than a form has.

Werkzeug bounds bytes and parts. What it does with a byte of a part's head or of an encoded field
costs a hundred times what it does with one of a photo, so those are counted before.
"""

from __future__ import annotations

import re
from io import BytesIO
from typing import IO, Any
from urllib.parse import quote_from_bytes

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

HEAD_BYTES = 4096
"""Of the head of one part: a browser's names a field, a file and a type."""
MAX_PARAMETERS = 50
ENCODED_BYTES = 128 * 1024
"""Of a form without files; the longest of ours has some paragraphs in four languages."""
MAX_FIELDS = 1000
ASCII = bytes(range(128))
BLANK = re.compile(rb"\r\n\r\n|\n\n|\r\r")


def quoted(data: bytes) -> bytes:
    """With percent signs for what is no ASCII, so that each field is read by itself."""
    return data if data.isascii() else quote_from_bytes(data, safe=ASCII).encode()


class BoundedForms(FormDataParser):
    """Refuses with RequestEntityTooLarge, as Werkzeug does."""

    def _parse_multipart(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str]
    ) -> Any:
        data = stream.read()
        self._count_heads(data, options.get("boundary", "").encode("ascii"))
        return super()._parse_multipart(BytesIO(data), mimetype, content_length, options)

    def _count_heads(self, data: bytes, boundary: bytes) -> None:
        """Wherever a boundary may be seen, by whatever rule for the ends of lines."""
        mark = b"--" + boundary
        at, seen = data.find(mark), 0
        while boundary and at >= 0:
            start = at + len(mark)
            if not seen or data[at - 1 : at] in (b"\r", b"\n"):
                seen += 1
                blank = BLANK.search(data, start, start + HEAD_BYTES)
                end = blank.start() if blank else start + HEAD_BYTES
                if (
                    seen > (self.max_form_parts or 0) + 1
                    or (blank is None and len(data) > end)
                    or data.count(b";", start, end) > MAX_PARAMETERS
                ):
                    raise RequestEntityTooLarge
            at = data.find(mark, start)

    def _parse_urlencoded(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str]
    ) -> Any:
        data = stream.read(ENCODED_BYTES + 1)
        if len(data) > ENCODED_BYTES or data.count(b"&") >= MAX_FIELDS:
            raise RequestEntityTooLarge
        try:
            data.decode()
        except UnicodeDecodeError:
            data = quoted(data)
        return super()._parse_urlencoded(BytesIO(data), mimetype, content_length, options)
