"""Reading the provider's forms, and whatever else is posted to an address that leaked."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask import Request
from werkzeug.exceptions import HTTPException

from gateway.channels.fields import as_key, cut, key_of

BODY_BYTES = 2 * 1024 * 1024
LONGEST = {"text": 4000, "hopsMetadata": 1000}
"""Letters kept of a message, which no phone joins of so many parts, and of a session's screens."""
ID_LONGEST = 80


def form(request: Request) -> dict[str, str]:
    """The fields of a form, the first of repeated ones, each cut to a length that we can keep.

    Empty when the body is no form, is not readable or is larger than 2 MiB: never an error.
    """
    request.max_content_length = request.max_form_memory_size = BODY_BYTES
    try:
        posted = request.form
    except HTTPException:
        return {}
    return cut(posted.items(), LONGEST)


def identity(value: str) -> str:
    """An id of the provider's as a key of ours."""
    return as_key(value.strip(), ID_LONGEST)


def message_id(fields: Mapping[str, str]) -> str:
    """The message's id; for one without, a digest of all of it, so that a repeat is known."""
    parts = (fields.get(name, "") for name in ("from", "to", "date", "text"))
    return key_of(fields.get("id", ""), parts, ID_LONGEST)


def number(value: str) -> int | None:
    """A whole number as text, within what a column holds."""
    return int(value) if re.fullmatch(r"[0-9]{1,9}", value) else None


def word(value: str) -> str:
    """A status or reason for look-up: letters only, small."""
    return re.sub(r"[^a-z]", "", value.lower())
