"""Every page's common ground: texts, language, static files, headers, forgery, errors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Blueprint, Flask, render_template_string
from flask.testing import FlaskClient

from gateway import sessions
from gateway.app import create_app
from gateway.dialogue.catalogue import CatalogueError
from gateway.pages.base import guard
from gateway.pages.base.install import page_above
from gateway.pages.base.texts import PageTexts
from gateway.settings import ROOT, Settings
from gateway.store import StoreError

PAGE = "{% extends 'base.html' %}{% block main %}<h1>{{ t('base_again') }}</h1>{% endblock %}"
HTML = {"Accept": "text/html"}
STATIC = ROOT / "templates" / "static"


@pytest.fixture
def app(settings: Settings) -> Flask:
    app = create_app(settings)
    pages = Blueprint("sample", __name__, url_prefix="/sample")

    @pages.route("/", methods=["GET", "POST"])
    def page() -> str:
        return render_template_string(PAGE)

    @pages.get("/broken")
    def broken() -> str:
        raise RuntimeError("secret detail")

    @pages.get("/away")
    def away() -> str:
        raise StoreError("the store cannot be reached")

    @pages.post("/things/<int:thing>/paint")
    def paint(thing: int) -> str:
        return f"{thing}"

    @pages.get("/things/<int:thing>")
    def thing(thing: int) -> str:
        return f"{thing}"

    app.register_blueprint(guard(pages))
    return app


@pytest.mark.parametrize(
    ("query", "accept", "expected"),
    [
        ("", "", "en"),
        ("?lang=rw", "sw", "rw"),
        ("?lang=xx", "", "en"),
        ("", "sw-TZ,fr;q=0.5", "sw"),
        ("", "de", "en"),
    ],
)
def test_the_language(client: FlaskClient, query: str, accept: str, expected: str) -> None:
    answer = client.get("/sample/" + query, headers={"Accept-Language": accept})
    assert f'<html lang="{expected}">' in answer.text


def test_a_chosen_language_stays(client: FlaskClient) -> None:
    client.get("/sample/?lang=fr")
    assert '<html lang="fr">' in client.get("/sample/", headers={"Accept-Language": "sw"}).text


def test_language_links_keep_the_query(client: FlaskClient) -> None:
    assert 'href="?page=2&amp;lang=rw"' in client.get("/sample/?page=2").text


def test_headers_forbid_inline_and_foreign_code(client: FlaskClient) -> None:
    answer = client.get("/sample/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


def test_static_files_are_kept_for_ever_under_their_version(app: Flask) -> None:
    client = app.test_client()
    address = app.extensions["leafline_assets"].url("base/base.css")
    answer = client.get(address, headers={"Accept-Encoding": "br"})
    assert "immutable" in answer.headers["Cache-Control"]
    assert "max-age=31536000" in answer.headers["Cache-Control"]
    assert "no-cache" not in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "br"
    assert client.get("/static/0123456789ab/base/base.css").status_code == 404
    assert client.get(f"{address}/../../../../pages/base.html").status_code == 404


def test_a_post_without_a_token_is_refused_in_words(client: FlaskClient) -> None:
    answer = client.post("/sample/", headers=HTML)
    assert answer.status_code == 400
    assert "Nothing was lost" in answer.text


def test_a_webhook_needs_no_token(client: FlaskClient) -> None:
    answer = client.post("/africastalking/channel-key-for-tests/ussd", data={})
    assert b"form was open" not in answer.data


@pytest.mark.parametrize("path", ["/nowhere", "/sample/nowhere", "/sample/broken"])
def test_errors_are_pages_that_tell_nothing(client: FlaskClient, path: str) -> None:
    answer = client.get(path + "?lang=fr", headers=HTML)
    assert answer.status_code in (404, 500)
    assert "Cela n’a pas marché" in answer.text
    assert "secret detail" not in answer.text


def test_a_store_that_is_away_is_one_line_and_an_answer_to_come_back(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.get("/sample/away", headers=HTML)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "15")
    assert "<h1>" in answer.text
    [line] = [record for record in caplog.records if record.name.startswith("gateway.pages")]
    assert line.getMessage() == "store_away endpoint=sample.away error=StoreError"
    assert line.exc_info is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/sample/things/7/paint", "/sample/things/7"),
        ("/sample/things/7/paint?lang=fr&page=2", "/sample/things/7?lang=fr"),
    ],
)
def test_a_forms_address_leads_to_the_page_above(
    client: FlaskClient, path: str, expected: str
) -> None:
    answer = client.get(path, headers=HTML)
    assert (answer.status_code, answer.location) == (302, expected)
    assert client.get(path, headers={"Accept": "application/json"}).status_code == 405
    assert client.put(path, headers=HTML).status_code == 405


def test_a_webhook_leads_nowhere(client: FlaskClient) -> None:
    assert client.get("/africastalking/channel-key-for-tests/ussd", headers=HTML).status_code == 405


@pytest.mark.parametrize(
    ("path", "readable", "expected"),
    [
        ("/a/b/c", {"/a", "/a/b"}, "/a/b"),
        ("/a/b/c", {"/a", "/a/b/c"}, "/a"),
        ("/a/b", {"/"}, None),
        ("/", set(), None),
    ],
)
def test_the_page_above(path: str, readable: set[str], expected: str | None) -> None:
    assert page_above(path, readable.__contains__) == expected


@pytest.mark.parametrize(
    ("number", "status"), [(10**18 - 1, 200), (10**18, 404), (2**64, 404), ("-1", 404)]
)
def test_a_number_that_no_store_holds_is_no_page(
    client: FlaskClient, number: object, status: int
) -> None:
    assert client.get(f"/sample/things/{number}", headers=HTML).status_code == status


def test_the_session_cookie_is_kept_from_scripts(app: Flask) -> None:
    @app.get("/enter")
    def enter() -> str:
        from datetime import timedelta

        sessions.sign_in("kiosk", 7, timedelta(hours=1))
        return str(sessions.signed_in("kiosk"))

    cookie = app.test_client().get("/enter").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize(
    ("other", "fault"),
    [
        ('msgid "a"\nmsgstr "x"\n', "placeholders differ"),
        ('msgid "b"\nmsgstr "x"\n', "no such key in English"),
    ],
)
def test_faulty_texts_do_not_start(tmp_path: Path, other: str, fault: str) -> None:
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    for code, text in (("en", 'msgid "a"\nmsgstr "{n} y"\n'), ("rw", other)):
        (tmp_path / code).mkdir()
        (tmp_path / code / "kiosk.po").write_text(head + text)
    with pytest.raises(CatalogueError, match=fault):
        PageTexts.load(tmp_path)


def test_the_texts_of_this_house_are_sound() -> None:
    texts = PageTexts.load(ROOT / "templates" / "pages" / "po")
    for code in ("sw", "rw", "fr"):
        for key, english in texts.starting_with("base_", "en").items():
            assert texts.text(key, code) != english, f"{key} is not translated into {code}"


def test_no_style_sheet_knows_a_language() -> None:
    """So contrasts are measured in one of them; `td[lang]`, whichever it is, may stand."""
    sheets = [path for path in STATIC.rglob("*.css") if "vendor" not in path.parts]
    assert len(sheets) >= 4
    named = re.compile(r":lang\(|\[lang\s*[~|^$*]?=")
    assert [str(path) for path in sheets if named.search(path.read_text())] == []
