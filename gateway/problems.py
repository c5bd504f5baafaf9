"""Refusals over HTTP: problem details (RFC 9457) with a stable code and a human sentence."""

from __future__ import annotations

import json
from typing import Any

from flask import Response


class Problem(Exception):
    """An answer that is a refusal.

    Args:
        status: HTTP status.
        code: stable word for programs, such as `bad_phone`.
        detail: one sentence for the person who sent the request; no personal data.
    """

    def __init__(
        self, status: int, code: str, detail: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers or {}

    def response(self) -> Response:
        body: dict[str, Any] = {
            "type": f"urn:leafline:problem:{self.code}",
            "title": self.code.replace("_", " ").capitalize(),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        return Response(
            json.dumps(body),
            self.status,
            headers=self.headers,
            content_type="application/problem+json",
        )
