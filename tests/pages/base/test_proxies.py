"""Forms behind proxies: with and without a Referer, with a Host that is not the browser's."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

HTTPS = {"wsgi.url_scheme": "https", "HTTP_HOST": "leaf.example.rw"}
REWRITTEN = {"wsgi.url_scheme": "https", "HTTP_HOST": "127.0.0.1:8000"}
PLAIN = {"wsgi.url_scheme": "http", "HTTP_HOST": "127.0.0.1:8000"}
FORMS = ["/officer/sign-in", "/operator/sign-in", "/kiosk/pair"]


@pytest.fixture
def browser(app: Flask) -> Iterator[FlaskClient]:
    app.config["SESSION_COOKIE_SECURE"] = False
    with app.test_client() as client:
        yield client


def send(
    browser: FlaskClient, path: str, world: dict[str, str], headers: dict[str, str], token: str = ""
) -> bool:
    """Whether the form was taken for one of ours."""
    page = browser.get(path, environ_overrides=world).text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    answer = browser.post(
        path, data={"csrf_token": token or found[1]}, environ_overrides=world, headers=headers
    )
    assert answer.status_code < 500
    return "open for too long" not in answer.text


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("world", [HTTPS, REWRITTEN, PLAIN], ids=["https", "rewritten", "plain"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Referer": "https://leaf.example.rw/officer/sign-in"},
        {"Referer": "https://leaf.example.rw/", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://leaf.example.rw", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "none"},
    ],
    ids=["nothing", "Referer", "both", "Origin", "privacy", "typed"],
)
def test_a_form_of_ours_is_taken(
    browser: FlaskClient, path: str, world: dict[str, str], headers: dict[str, str]
) -> None:
    assert send(browser, path, world, headers)


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_of_another_site_is_not(browser: FlaskClient, path: str, site: str) -> None:
    assert not send(browser, path, HTTPS, {"Sec-Fetch-Site": site})


@pytest.mark.parametrize("path", FORMS)
def test_a_form_without_our_token_is_not(browser: FlaskClient, path: str) -> None:
    assert not send(browser, path, HTTPS, {}, token="made up")
