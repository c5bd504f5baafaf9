"""Kiosks and officers: what an admin does to them, and that the history says so."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from gateway.context import Context
from gateway.people import hashing, kiosks, officers, pairing
from gateway.store.models import Event, Kiosk, Officer
from rig.desk import Person


def history(context: Context, prefix: str) -> list[tuple[str, str]]:
    with context.store.reading() as session:
        rows = session.execute(select(Event.kind, Event.actor).order_by(Event.id))
        return [(kind, actor) for kind, actor in rows if kind.startswith(prefix)]


def test_a_kiosk_from_the_first_to_the_last(admin: Person, context: Context) -> None:
    admin.get("/operator/kiosks")
    answer = admin.post("/operator/kiosks", name="Nyagasambu", area="Rwamagana/Muhazi")
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    token = re.search(r"lfk_[\w-]+", admin.page)
    code = re.search(r'class="big code">([\w-]+)<', admin.page)
    assert token
    assert code
    assert "data:image/svg+xml" in admin.page
    with context.store.transaction() as session:
        kiosk = kiosks.by_token(session, token[0])
        assert kiosk is not None
        assert pairing.pair(session, code[1], browser="b").kiosk_id == kiosk.id
    path = f"/operator/kiosks/{kiosk.id}"
    admin.get(path)
    admin.post(path, area="Huye/Ngoma", opening="Mon", latitude="-2,6", longitude="29.74")
    assert "Saved." in admin.page
    admin.post(f"{path}/pair")
    assert "lfk_" not in admin.page
    assert re.search(r'class="big code">[\w-]+<', admin.page)
    admin.get(path)
    admin.post(f"{path}/rotate")
    fresh = re.findall(r"lfk_[\w-]{43}", admin.page)
    assert fresh != token
    with context.store.reading() as session:
        for valid in (token[0], fresh[0]):
            assert kiosks.by_token(session, valid) is not None
    admin.get(path)
    admin.post(f"{path}/service")
    assert "Disabled since" in admin.page
    admin.post(f"{path}/service", on="1")
    with context.store.reading() as session:
        row = session.scalars(select(Kiosk)).one()
    assert (row.area, row.latitude, row.longitude, row.disabled_at) == (
        "Huye/Ngoma", -2.6, 29.74, None,
    )  # fmt: skip
    assert history(context, "kiosk_") == [
        ("kiosk_added", "operator:1"),
        ("kiosk_paired", "kiosk:1"),
        ("kiosk_changed", "operator:1"),
        ("kiosk_rotated", "operator:1"),
        ("kiosk_disabled", "operator:1"),
        ("kiosk_enabled", "operator:1"),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"area": " "},
        {"latitude": "1"},
        {"latitude": "x", "longitude": "y"},
        {"latitude": "99", "longitude": "1"},
    ],
)
def test_a_wrong_kiosk_changes_nothing(
    admin: Person, context: Context, wrong: dict[str, str]
) -> None:
    with context.store.transaction() as session:
        kiosk, _ = kiosks.add(session, "Nyagasambu", "Rwamagana")
    path = f"/operator/kiosks/{kiosk.id}"
    admin.get(path)
    admin.post(path, **({"area": "Huye"} | wrong))
    assert "Not saved" in admin.page
    with context.store.reading() as session:
        row = session.scalars(select(Kiosk)).one()
        assert (row.area, row.latitude) == ("Rwamagana", None)


def test_an_area_is_chosen_from_the_list(admin: Person, context: Context) -> None:
    with context.store.transaction() as session:
        kiosk, _ = kiosks.add(session, "Nyagasambu", "East of the lake")
    path = f"/operator/kiosks/{kiosk.id}"
    admin.get(path)
    assert 'value="East of the lake"' in admin.page  # what was typed before stays readable
    assert '<option value="Rwamagana/Muhazi">' in admin.page
    admin.post(path, area="East of the lake", opening="Tue")
    assert "Saved." in admin.page
    admin.post(path, area="West of the lake")
    assert "no district or sector of the list" in admin.page
    admin.post(path, area=" rwamagana/muhazi ")
    with context.store.reading() as session:
        assert session.scalars(select(Kiosk)).one().area == "Rwamagana/Muhazi"


def test_an_officer_from_the_first_to_the_last(admin: Person, context: Context) -> None:
    admin.get("/operator/officers")
    form = {"name": "Keza", "phone": "0788000099", "area": "Rwamagana", "own": "rw"}
    admin.post("/operator/officers", **form, language="en")
    pin = re.search(r'class="big code">(\d+)<', admin.page)
    assert pin
    with context.store.reading() as session:
        keza = session.scalars(select(Officer)).one()
    assert (keza.phone, keza.languages) == ("+250788000099", "rw,en")
    assert hashing.right(keza.pin_hash, pin[1])
    path = f"/operator/officers/{keza.id}"
    admin.get(path)
    assert keza.phone not in admin.page
    change = {"name": "Keza M.", "area": "*", "own": "fr", "from": "08:00", "until": "17:00"}
    admin.post(path, **change, day="5")
    assert "Saved." in admin.page
    admin.post(f"{path}/pin")
    assert re.search(r'class="big code">\d+<', admin.page)
    admin.get(path)
    admin.post(f"{path}/service")
    with context.store.reading() as session:
        row = session.scalars(select(Officer)).one()
    assert (row.name, row.area, row.languages, row.work_days, row.work_hours, row.on_duty) == (
        "Keza M.", "*", "fr", "5", "08:00-17:00", False,
    )  # fmt: skip
    assert row.disabled_at is not None
    kinds = [kind for kind, _ in history(context, "officer_")]
    assert kinds == ["officer_added", "officer_changed", "officer_new_pin", "officer_disabled"]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"phone": "12"}, "phone number"),
        ({"name": ""}, "needs a name"),
        ({"own": "xx"}, "a language"),
    ],
)
def test_a_wrong_officer_is_not_added(
    admin: Person, context: Context, wrong: dict[str, str], why: str
) -> None:
    form = {"name": "Keza", "phone": "0788000099", "area": "*", "own": "rw"} | wrong
    admin.get("/operator/officers")
    admin.post("/operator/officers", **form)
    assert "Not saved" in admin.page
    assert why in admin.page
    with context.store.reading() as session:
        assert session.scalars(select(Officer)).all() == []


KIOSK = {"name": "Musha market", "area": "Rwamagana/Musha"}
PLACE = {"area": "Huye/Ngoma", "opening": "Tue Thu", "latitude": "-2.6", "longitude": "29.7"}
OFFICER = {"name": "Ange", "phone": "0788000055", "area": "Huye", "own": "fr", "language": "sw"}
DUTY = {"name": "Ange", "area": "Huye", "own": "fr", "language": "sw"} | {
    "day": "2",
    "from": "07:30",
    "until": "16:00",
    "on_duty": "1",
}


@pytest.mark.parametrize(
    ("path", "form", "wrong", "field"),
    [
        ("/operator/kiosks", KIOSK, {"name": "K" * 81}, "name"),
        ("/operator/kiosks", KIOSK, {"name": "Nyagasambu"}, "name"),
        ("/operator/kiosks", KIOSK, {"area": " "}, "area"),
        ("/operator/kiosks/1", PLACE, {"opening": "x" * 41}, "opening"),
        ("/operator/kiosks/1", PLACE, {"latitude": "two"}, "latitude"),
        ("/operator/kiosks/1", PLACE, {"longitude": "east"}, "longitude"),
        ("/operator/kiosks/1", PLACE, {"longitude": "181"}, "longitude"),
        ("/operator/officers", OFFICER, {"phone": "12"}, "phone"),
        ("/operator/officers", OFFICER, {"phone": "0788000044"}, "phone"),
        ("/operator/officers", OFFICER, {"area": ""}, "area"),
        ("/operator/officers/1", DUTY, {"day": ""}, "day"),
        ("/operator/officers/1", DUTY, {"until": "07:00"}, "until"),
        ("/operator/officers/1", DUTY, {"from": "half eight"}, "from"),
        ("/operator/account/password", {}, {"password": "w", "new": "a", "again": "b"}, "again"),
        ("/operator/account/authenticator", {}, {"password": "w"}, "proof"),
        (
            "/operator/broadcasts/dry-run",
            {"area": "Huye", "text_en": "Rain is near.", "text_rw": "Imvura"},
            {"text_rw": "图"},
            "text_rw",
        ),
    ],
)
def test_what_was_typed_stays_and_the_notice_stands_at_the_field(
    admin: Person,
    context: Context,
    path: str,
    form: dict[str, str],
    wrong: dict[str, str],
    field: str,
) -> None:
    with context.store.transaction() as session:
        kiosks.add(session, "Nyagasambu", "Rwamagana")
        officers.add(session, "+250788000044", "Keza", "Rwamagana", ["rw"])
    admin.get("/operator/account" if "account" in path else path.removesuffix("/dry-run"))
    answer = admin.post(path, **(form | wrong))
    assert answer.status_code in (403, 422)
    marked = re.findall(r'<[^>]*\bid="([^"]+)"[^>]*aria-invalid="true"[^>]*>', admin.page)
    if field != "day":  # a group of boxes; its first has no id
        assert marked == [field]
    assert len(re.findall(r"\bautofocus\b", admin.page)) == 1
    assert f'id="{field}-fault"' in admin.page
    typed = {n: v for n, v in (form | wrong).items() if "password" not in path and n != "password"}
    for name in ("name", "area", "opening", "latitude", "longitude", "phone", "from", "until"):
        if name in typed:
            shown = re.search(f'name="{name}" type="[a-z]+" value="([^"]*)"', admin.page)
            assert shown
            assert shown[1] == typed[name]
    if "own" in typed:
        assert '<option value="fr" selected>' in admin.page
        assert 'value="sw" checked' in admin.page
    assert 'value="w"' not in admin.page


@pytest.mark.parametrize(
    "path", ["/operator/kiosks/9", "/operator/officers/9", "/operator/broadcasts/9"]
)
def test_what_is_not_there(admin: Person, path: str) -> None:
    assert admin.get(path).status_code == 404
