"""The officer's journey on a small phone: from the link in a message to the farmer's answer."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from gateway.context import Context
from gateway.dialogue import advice, gsm7
from gateway.settings import Settings
from gateway.store.base import now
from gateway.store.models import Label, Message
from rig import desk
from rig import things as house
from rig.browser import check, look
from tests.conftest import settings_for


@pytest.fixture
def settings(sqlite_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path, sqlite_url, redis_url, public_url="http://leaf.example.rw")


@pytest.fixture
def keza(context: Context) -> desk.Officer:
    return desk.officer(context)


@pytest.fixture
def code(context: Context, keza: desk.Officer) -> str:
    return desk.case(context)


def _link(context: Context) -> str:
    (text,) = _sent(context, "escalation_officer_link")
    found = re.search(r"example\.rw(/o/\w+)", text)
    assert found is not None
    return found[1]


def _sent(context: Context, template: str) -> list[str]:
    with context.store.reading() as session:
        rows = session.scalars(select(Message.text).where(Message.template == template))
        return [text or "" for text in rows]


def _labels(context: Context) -> list[tuple[str, bool, str | None]]:
    with context.store.reading() as session:
        return [(row.label, row.agreed, row.words) for row in session.scalars(select(Label))]


def sign_in(page: Page, officer: desk.Officer) -> None:
    page.goto("/officer/sign-in?lang=en")
    page.get_by_label("Your phone number").fill(officer.phone)
    page.get_by_label("Your PIN").fill(officer.pin)
    page.get_by_role("button", name="Sign in").click()


def test_from_the_link_to_the_answer(
    page: Page, context: Context, keza: desk.Officer, code: str
) -> None:
    page.goto(f"{_link(context)}?lang=en")
    page.get_by_label("Your PIN").fill(keza.pin)
    page.get_by_role("button", name="See the case").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(code)

    heat = page.get_by_role("img", name="The middle of the photo")
    expect(heat).to_be_hidden()
    page.get_by_label("Show what the model looked at").check()
    expect(heat).to_be_visible()
    heat.evaluate("image => image.decode()")
    assert heat.evaluate("image => image.naturalWidth") == 448
    expect(page.get_by_role("img", name="Photo of the leaf")).to_be_hidden()

    expect(page.get_by_text("counted much")).to_be_visible()

    page.get_by_label("Agree: common rust").check()
    preview = page.locator("#preview")
    expect(preview).to_contain_text(context.catalogue.text("note_maize_rust", "rw"))
    seen = preview.inner_text()
    page.get_by_role("button", name="Send to the farmer").click()
    expect(page.get_by_role("status")).to_contain_text("on its way")
    assert _sent(context, "officer_closing") == [seen]
    assert _labels(context) == [("maize_rust", True, None)]


def test_correcting_and_writing_in_own_words(
    page: Page, context: Context, keza: desk.Officer, code: str
) -> None:
    sign_in(page, keza)
    page.get_by_role("link", name=code).click()
    page.get_by_label("none of these").check()
    page.get_by_label("What it is instead").fill("grey leaf spot")
    page.get_by_label("Write to the farmer").fill("Look again on “Friday”… keep a leaf")
    expect(page.get_by_label("My own words")).to_be_checked()
    expect(page.locator("#preview")).to_contain_text('Look again on "Friday"... keep a leaf')
    seen = page.locator("#preview").inner_text()
    page.get_by_role("button", name="Send to the farmer").click()
    expect(page.get_by_role("status")).to_contain_text("on its way")
    assert _sent(context, "officer_closing") == [seen]
    assert _labels(context) == [("none", False, "grey leaf spot")]


OWN_WORDS = [
    "",
    "plain",
    "x" * 76,
    "x" * 80,
    "two parts of words " * 9,
    "x" * 324,
    "x" * 325,
    "a word that is cut at no border " * 11,
    "brackets [ ] and € {two}",
    "l’été à Noël, œuvre ç",
    "tabs\tand\n lines   folded",
    "Ishyirahamwe 种 🌽",
    "e\u0301 combined",
    "½ of ŋoma…",
    "$& $1 $$",
]


def test_the_page_counts_as_the_sender_does(
    page: Page, context: Context, keza: desk.Officer, code: str
) -> None:
    sign_in(page, keza)
    page.goto(f"/officer/case/{code}")
    own, count = page.get_by_label("Write to the farmer"), page.locator("#count")
    for text in OWN_WORDS:
        own.fill(text)
        own.dispatch_event("input")
        plain = " ".join(text.split())
        try:
            folded = gsm7.fold(plain)
        except gsm7.NotGsm as error:
            expect(count).to_have_text(f"An SMS cannot carry: {' '.join(error.letters)}")
            continue
        most = advice.MOST * context.catalogue.room("words")
        try:
            sent = advice.said(context.catalogue, folded) if folded else []
            said = f"{most - gsm7.septets(folded)} letters left"
        except advice.BadNote as fault:
            sent, said = [], f"{fault.detail} letters too many"
        expect(count).to_have_text(said if folded else f"At most {most} letters")
        if sent:
            known = {"case": code, "officer_phone": keza.phone}
            seen = "\n\n".join(
                context.catalogue.render(one.template, "rw", **known, **one.values) for one in sent
            )
            expect(page.locator("#preview")).to_have_text(seen)


def test_a_double_tap_sends_once(
    page: Page, context: Context, keza: desk.Officer, code: str
) -> None:
    sign_in(page, keza)
    page.goto(f"/officer/case/{code}")
    page.locator("[value=note_maize_rust]").check()
    page.get_by_role("button", name="Send to the farmer").dblclick()
    expect(page.get_by_role("status")).to_contain_text("on its way")
    assert len(_sent(context, "officer_closing")) == 1


def test_two_tabs_and_a_colleague(
    phone: BrowserContext, page: Page, context: Context, keza: desk.Officer, code: str
) -> None:
    sign_in(page, keza)
    page.goto(f"/officer/case/{code}")
    second = phone.new_page()
    second.goto(f"/officer/case/{code}")
    page.locator("[value=note_maize_rust]").check()
    page.get_by_role("button", name="Send to the farmer").click()
    expect(page.get_by_role("status")).to_contain_text("on its way")
    second.locator("[value=note_maize_blight]").check()
    second.get_by_role("button", name="Send to the farmer").click()
    expect(second.get_by_role("status")).to_contain_text("You answered before; this was not sent")
    assert len(_sent(context, "officer_closing")) == 1


def test_without_scripts_the_server_shows_it_first(
    browser: Browser, house_url: str, context: Context, keza: desk.Officer, code: str
) -> None:
    plain = browser.new_context(base_url=house_url, java_script_enabled=False, locale="en")
    page = plain.new_page()
    sign_in(page, keza)
    page.goto(f"/officer/case/{code}")
    page.locator("[value=own]").check()
    page.get_by_label("Write to the farmer").fill("Look again on “Friday”")
    page.get_by_role("button", name="See it first").click()
    seen = page.locator("#preview").inner_text()
    assert 'Look again on "Friday"' in seen
    page.get_by_role("button", name="Send to the farmer").click()
    assert _sent(context, "officer_closing") == [seen]
    plain.close()


def test_a_link_opened_twice_late_and_by_somebody_else(
    page: Page, context: Context, keza: desk.Officer, code: str, browser: Browser, house_url: str
) -> None:
    link = _link(context)
    with time_machine.travel(now() + timedelta(days=4), tick=True):
        page.goto(f"{link}?lang=en")
        expect(page.get_by_role("alert")).to_contain_text("has expired")
    page.goto(link)
    check(page, "officer-link")
    page.goto(f"{link}?lang=en")
    page.get_by_label("Your PIN").fill(keza.pin)
    page.get_by_role("button", name="See the case").click()

    somebody = browser.new_context(base_url=house_url, locale="en").new_page()
    somebody.goto(link)
    expect(somebody.get_by_role("alert")).to_contain_text("used before")
    check(somebody, "officer-link-used")
    sign_in(somebody, desk.officer(context, desk.COLLEAGUE, "Uwase"))
    somebody.goto(link)
    expect(somebody.get_by_role("heading", level=1)).to_contain_text("for another officer")
    check(somebody, "officer-link-other")
    somebody.goto(f"/officer/case/{code}")
    check(somebody, "officer-gone")
    somebody.context.close()


def test_every_page_in_four_languages(page: Page, context: Context, keza: desk.Officer) -> None:
    page.goto("/officer/sign-in")
    check(page, "officer-sign-in")
    sign_in(page, keza)
    check(page, "officer-list-empty")
    desk.case(context, "+250788000002", label="maize_blight")
    code = desk.case(context, opened_at=now() - timedelta(hours=30))
    page.goto("/officer")
    check(page, "officer-list")
    page.goto(f"/officer/case/{code}")
    check(page, "officer-case")
    page.goto(f"/officer/case/{code}?lang=en")
    for closed in page.locator("details:not([open]) > summary").all():
        if closed.is_visible():
            closed.click()
    page.set_viewport_size({"width": 360, "height": 740})
    look(page, "officer-case-open-360")
    page.get_by_role("button", name="Show the number").click()
    expect(page.get_by_role("link", name="Call the farmer")).to_have_attribute(
        "href", f"tel:{house.FARMER}"
    )
    look(page, "officer-number-360")
    page.locator("[value=note_maize_rust]").check()
    page.get_by_role("button", name="Send to the farmer").click()
    check(page, "officer-case-answered")
    page.goto("/officer?show=answered")
    check(page, "officer-answered")
