"""The recipe of docs/adding-a-page.md, followed in a copy."""

from __future__ import annotations

from pathlib import Path

from rig.copy import Copy

VIEW = '''
"""How many farmers there are."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from gateway.context import Context
from gateway.store.models import Farmer


def add_to(pages: Blueprint, context: Context) -> None:
    @pages.get("/crowd", endpoint="crowd")
    def page() -> ResponseReturnValue:
        with context.store.reading() as session:
            count = session.scalar(select(func.count(Farmer.id)))
        return render_template("operator/crowd.html", here_is="crowd", count=count)
'''
TEMPLATE = """{% extends "operator/layout.html" %}
{% block main %}<h1>{{ t("operator_menu_crowd") }}</h1><p>{{ count }}</p>{% endblock %}
"""
VISIT = """
from gateway.app import create_app
from gateway.people import operators
from gateway.settings import Settings
import pyotp, re

app = create_app(Settings.read())
context = app.extensions["leafline"]
context.store.migrate()
with context.store.transaction() as session:
    made = operators.add(session, "ines", operators.VIEWER, "correct horse battery", issuer="L")
    secret = made.secret
client = app.test_client()
print("STRANGER", client.get("/operator/crowd").status_code)
form = client.get("/operator/sign-in").text
token = re.search(r'name="csrf_token" value="([^"]+)"', form)[1]
words = {"name": "ines", "password": "correct horse battery", "code": pyotp.TOTP(secret).now()}
client.post("/operator/sign-in", data=words | {"csrf_token": token})
print(client.get("/operator/crowd").text)
"""


def test_a_page_is_a_view_a_template_and_words(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    copy.add("gateway/pages/operator/crowd.py", VIEW)
    here = "gateway/pages/operator/__init__.py"
    copy.change(here, "    costs,\n    diseases,", "    costs,\n    crowd,\n    diseases,")
    copy.change(here, "incidents, now, cases,", "incidents, crowd, now, cases,")
    copy.change(
        "gateway/pages/operator/door.py",
        '    "now", "cases",',
        '    "crowd", "now", "cases",',
    )
    copy.add("templates/pages/operator/crowd.html", TEMPLATE)
    with (copy.folder / "templates/pages/po/en/operator.po").open("a", encoding="utf-8") as words:
        words.write('\nmsgid "operator_menu_crowd"\nmsgstr "The crowd"\n')
    seen = copy.python(VISIT)
    assert "STRANGER 302" in seen or "STRANGER 303" in seen  # the door asked who it is
    assert "<h1>The crowd</h1><p>0</p>" in seen
    assert 'aria-current="page">The crowd</a>' in seen
