"""Static files under an address that changes with their content, so that they are fetched once.

The version stands in the path, in front of the file's own, so that modules and style sheets that
name each other by relative paths stay within one version.
"""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path

from flask import Blueprint, Response, abort

from gateway.pages.base import headers

FOREVER_SECONDS = 365 * 24 * 3600


class Assets:
    """The files below a folder, read once: together they are less than a megabyte."""

    def __init__(self, folder: Path) -> None:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        self._bodies = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        digest = hashlib.sha256()
        for name, body in self._bodies.items():
            digest.update(name.encode() + b"\0" + body)
        self.version = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        """Address of a file below `templates/static`, such as `base/base.css`.

        Raises: FileNotFoundError, so that a page with a dead link fails its first test.
        """
        if name not in self._bodies:
            raise FileNotFoundError(name)
        return f"/static/{self.version}/{name}"

    def blueprint(self) -> Blueprint:
        static = Blueprint("static_files", __name__, url_prefix="/static")

        @static.get("/<version>/<path:name>")
        def file(version: str, name: str) -> Response:
            body = self._bodies.get(name)
            if version != self.version or body is None:
                abort(404)
            mimetype = mimetypes.guess_type(name)[0] or "application/octet-stream"
            response = Response(body, mimetype=mimetype)
            response.cache_control.public = True
            response.cache_control.immutable = True
            response.cache_control.max_age = FOREVER_SECONDS
            return headers.harden(response)

        return static
