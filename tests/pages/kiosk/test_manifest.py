"""The web app manifest, read as Chromium reads it before it offers to install a page."""

from __future__ import annotations

import io
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from PIL import Image

STANDING_ALONE = {"standalone", "fullscreen", "minimal-ui"}


@pytest.mark.parametrize("language", ["en", "sw", "rw", "fr"])
def test_a_phone_offers_to_install_it(client: FlaskClient, language: str) -> None:
    answer = client.get(f"/kiosk/manifest.webmanifest?lang={language}")
    assert answer.mimetype == "application/manifest+json"
    manifest = answer.get_json(force=True)
    assert manifest["lang"] == language
    assert manifest["name"]
    assert len(manifest["short_name"]) <= 12, "a launcher cuts longer ones"
    assert manifest["display"] in STANDING_ALONE
    assert manifest["start_url"].startswith(manifest["scope"])
    assert manifest["id"].startswith(manifest["scope"])
    assert not manifest.get("prefer_related_applications")
    # A page is a member of its own scope only if the worker controls it too.
    assert client.get("/kiosk/worker.js").headers["Service-Worker-Allowed"] == manifest["scope"]


def test_its_icons_are_what_they_say(client: FlaskClient) -> None:
    icons = client.get("/kiosk/manifest.webmanifest").get_json(force=True)["icons"]
    offered = {(icon["sizes"], icon["type"], icon["purpose"]) for icon in icons}
    assert {
        ("192x192", "image/png", "any"),
        ("512x512", "image/png", "any"),
        ("512x512", "image/png", "maskable"),
    } <= offered
    for icon in icons:
        answer = client.get(urlsplit(icon["src"]).path)
        assert (answer.status_code, answer.mimetype) == (200, icon["type"])
        if icon["type"] == "image/png":
            picture = Image.open(io.BytesIO(answer.data))
            assert icon["sizes"] == f"{picture.width}x{picture.height}"
