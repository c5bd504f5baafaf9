"""Addresses of pages, typed, opened anew or read in another language, end in a page."""

from __future__ import annotations

import re

from flask import Flask

from rig.desk import Person

HTML = {"Accept": "text/html"}
ROOMS = ("operator", "officer", "kiosk")
TOO_LARGE = str(2**64)
EXAMPLES = {
    "decision": "approve",
    "code": "B7K2M9X",
    "farmer_id": "f",
    "kind": "full",
    "token": "x",
    "path": "y",
}


def paths(app: Flask, method: str, number: str = "1") -> set[str]:
    """Every page's path that takes the method, its ids filled with `number`."""
    found = set()
    for rule in app.url_map.iter_rules():
        if rule.endpoint.split(".")[0] in ROOMS and method in (rule.methods or ()):
            path = re.sub(r"<int:\w+>", number, rule.rule)
            found.add(re.sub(r"<(?:.*?:)?(\w+)>", lambda part: EXAMPLES[part[1]], path))
    return found


def test_no_page_that_answered_a_form_is_a_dead_end(app: Flask, admin: Person) -> None:
    only_forms = paths(app, "POST") - paths(app, "GET")
    assert {"/operator/kiosks/1/pair", "/operator/account/password"} <= only_forms
    for path in only_forms:
        answer = admin.client.get(f"{path}?lang=fr", headers=HTML)
        assert answer.status_code == 302, path
        above, _, query = answer.location.partition("?")
        assert path.startswith(f"{above}/"), path
        assert query == "lang=fr", path


def test_a_new_pin_in_another_language(admin: Person) -> None:
    admin.get("/operator/officers")
    form = {"name": "Keza", "phone": "0788000099", "area": "Rwamagana", "own": "rw"}
    admin.post("/operator/officers", **form)
    admin.get("/operator/officers/1")
    assert admin.post("/operator/officers/1/pin").status_code == 200
    seen = admin.get("/operator/officers/1/pin?lang=fr", headers=HTML)  # type: ignore[arg-type]
    assert (seen.request.path, seen.status_code) == ("/operator/officers/1", 200)
    assert '<html lang="fr">' in admin.page


def test_ids_beyond_the_store_are_no_pages(app: Flask, admin: Person) -> None:
    large = {p for p in paths(app, "GET", TOO_LARGE) if TOO_LARGE in p}
    assert len(large) > 3
    for path in large:
        assert admin.client.get(path, headers=HTML).status_code == 404, path
    forms = {p for p in paths(app, "POST", TOO_LARGE) if TOO_LARGE in p}
    admin.get("/operator/kiosks")
    for path in forms:
        assert admin.post(path).status_code == 404, path
