"""A sign-in that ends while an officer writes: the words come through the sign-in."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine

from gateway.context import Context
from gateway.store.base import now
from rig import desk
from rig.desk import Person

WORDS = "Kuraho amababi arwaye & <uyatwike> \"vuba\"; 'subira' ejo"
LATER = timedelta(hours=12, minutes=1)


@pytest.fixture
def code(context: Context, keza: desk.Officer) -> str:
    return desk.case(context)


def carried(person: Person) -> str:
    found = re.search(r'name="kept" value="([^"]+)"', person.page)
    assert found is not None
    return found[1]


def hidden(page: str) -> dict[str, str]:
    from html import unescape

    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in found}


@pytest.mark.parametrize("tries", [0, 2])
@pytest.mark.parametrize("action", ["answer", "label"])
def test_words_come_through_the_sign_in(
    person: Person, keza: desk.Officer, code: str, action: str, tries: int
) -> None:
    written = {
        "answer": {"choice": "own", "own": WORDS},
        "label": {"label": "none", "words": WORDS},
    }[action]
    person.sign_in(keza, case=code)
    with time_machine.travel(now() + LATER, tick=True):
        asked = person.act(code, action, **written)
        assert asked.status_code == 403
        assert "what you wrote is kept" in person.page
        assert keza.pin not in person.page
        for _ in range(tries):
            form = {"phone": keza.phone, "pin": "00000", "kept": carried(person), "case": code}
            person.post("/officer/sign-in", **form)
        form = {"phone": keza.phone, "pin": keza.pin, "kept": carried(person), "case": code}
        person.post("/officer/sign-in", **form)
        back = hidden(person.page)
        assert written.items() <= back.items()
        to = re.search(r'<form method="post" action="(/officer/case/[^"]+)"', person.page)
        assert to is not None
        back.pop("csrf_token")
        assert person.post(to[1], **back).status_code in (200, 422)


def test_words_are_not_sent_before_their_writer_says_so(
    context: Context, person: Person, keza: desk.Officer, code: str
) -> None:
    person.sign_in(keza, case=code)
    with time_machine.travel(now() + LATER, tick=True):
        person.act(code, "answer", choice="own", own="Remove the leaves")
        form = {"phone": keza.phone, "pin": keza.pin, "kept": carried(person)}
        person.post("/officer/sign-in", **form)
        assert desk.held_by(context, code) == keza.id
        back = hidden(person.page)
        back.pop("csrf_token")
        person.post(f"/officer/case/{code}/answer", **back)
        assert desk.held_by(context, code) is None


def test_nobody_else_can_put_words_there(person: Person, keza: desk.Officer, code: str) -> None:
    person.get("/officer/sign-in?lang=en")
    form = {"phone": keza.phone, "pin": keza.pin, "case": code, "kept": "WyIvIixbXV0.forged.x"}
    assert person.post("/officer/sign-in", **form).request.path == f"/officer/case/{code}"


def test_without_the_cookie_the_words_are_shown_to_be_copied(
    person: Person, keza: desk.Officer, code: str
) -> None:
    person.sign_in(keza, case=code)
    person.client.delete_cookie("__Host-leafline")
    answer = person.act(code, "answer", choice="own", own="Remove the leaves and burn them")
    assert answer.status_code == 400
    assert "Remove the leaves and burn them" in person.page
