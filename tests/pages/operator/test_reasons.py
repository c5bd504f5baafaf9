"""Why something was not saved is said in the language of the page."""

from __future__ import annotations

import html
from typing import get_args

import pytest
from flask import Flask

from gateway.context import Context
from gateway.pages.base.texts import PageTexts
from gateway.people import Code, kiosks, officers
from rig import things as house
from rig.desk import Person

OFFICER = {"name": "Keza", "area": "Huye", "own": "rw", "day": "1", "from": "08:00"}
PASSWORD = "/operator/account/password"


@pytest.mark.parametrize("language", ["en", "sw", "rw", "fr"])
def test_every_reason_is_told_in_every_language(app: Flask, language: str) -> None:
    texts: PageTexts = app.extensions["leafline_texts"]
    own = {code: texts.own(f"operator_why_{code}", language) for code in get_args(Code)}
    assert all(own.values()), own
    if language != "en":
        english = {code: texts.own(f"operator_why_{code}", "en") for code in own}
        assert [code for code in own if own[code] == english[code]] == []


@pytest.mark.parametrize(
    ("path", "form", "code", "values"),
    [
        ("kiosks", {"name": "", "area": "Huye"}, "kiosk_name", {}),
        ("kiosks", {"name": "Huye", "area": " "}, "kiosk_area", {}),
        ("kiosks", {"name": "Taken", "area": "Huye"}, "kiosk_taken", {"name": "Taken"}),
        ("kiosks/1", {"area": ""}, "kiosk_area", {}),
        ("kiosks/1", {"area": "Huye", "opening": "x" * 41}, "opening_long", {}),
        ("kiosks/1", {"area": "Huye", "latitude": "1"}, "position_numbers", {}),
        ("kiosks/1", {"area": "Huye", "latitude": "99", "longitude": "1"}, "position_range", {}),
        ("kiosks/2/pair", {}, "kiosk_disabled", {"name": "Gone"}),
        ("officers", {"phone": "12"}, "phone_number", {}),
        ("officers", {"phone": "0788000098"}, "officer_fields", {}),
        ("officers", OFFICER | {"phone": house.OFFICER}, "officer_taken", {}),
        ("officers/1", {"name": "Keza"}, "officer_fields", {}),
        ("officers/1", OFFICER | {"day": "", "until": "17:00"}, "no_work_day", {}),
        ("officers/1", OFFICER | {"until": "07:00"}, "work_hours", {}),
    ],
)
def test_no_english_on_a_swahili_page(
    admin: Person, context: Context, path: str, form: dict[str, str], code: str,
    values: dict[str, str],
) -> None:  # fmt: skip
    with context.store.transaction() as session:
        kiosks.add(session, "Taken", "Huye")
        kiosks.add(session, "Gone", "Huye")
        kiosks.disable(session, "Gone")
        officers.add(session, house.OFFICER, "Keza", "Huye", ["rw"])
    texts: PageTexts = admin.client.application.extensions["leafline_texts"]
    admin.get("/operator/kiosks?lang=sw")
    admin.post(f"/operator/{path}", **form)
    page = html.unescape(admin.page)
    assert texts.text(f"operator_why_{code}", "sw", **values) in page
    assert texts.text(f"operator_why_{code}", "en", **values) not in page
