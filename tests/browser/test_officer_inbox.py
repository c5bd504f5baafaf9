"""A day's work of an officer on a small phone: few taps, errors in sight, light pages."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect
from sqlalchemy import func, select

from gateway.context import Context
from gateway.settings import Settings
from gateway.store.base import now
from gateway.store.models import Escalation, Event, Label, Message
from rig import desk
from rig.browser import check, look
from tests.browser.test_officer import sign_in
from tests.conftest import settings_for

CASES = 40
MOST_TAPS = 4
LIGHT = 30_000
"""Bytes of a page that an officer opens on 2G, without pictures."""
COUNTED = """
addEventListener("pointerdown", () => {
  const taps = Number(sessionStorage.getItem("taps") || 0);
  sessionStorage.setItem("taps", taps + 1);
}, true);
"""


@pytest.fixture
def settings(sqlite_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path, sqlite_url, redis_url)


@pytest.fixture
def keza(context: Context) -> desk.Officer:
    return desk.officer(context)


def _cases(context: Context, count: int) -> list[str]:
    return [
        desk.case(
            context,
            f"+25078830{number:04}",
            label=("maize_rust", "maize_blight")[number % 2],
            verdict="unknown" if number % 5 == 4 else "second_photo",
            opened_at=now() - timedelta(hours=count - number),
        )
        for number in range(count)
    ]


def _in_english(page: Page) -> None:
    page.goto(page.url.replace("lang=fr", "lang=en"))


def test_forty_cases_take_few_taps(page: Page, context: Context, keza: desk.Officer) -> None:
    codes = _cases(context, CASES)
    page.add_init_script(COUNTED)
    sign_in(page, keza)
    page.evaluate("sessionStorage.clear()")
    page.get_by_role("link", name=codes[0]).tap()
    seen = []
    for number in range(CASES):
        seen.append(page.locator("h1 .code").inner_text())
        page.locator(".diagnosis label", has_text="Agree:").tap()
        if number % 5 == 4:
            page.locator(".note", has_text=context.catalogue.text("note_healthy", "rw")).tap()
        send = page.get_by_role("button", name="Send to the farmer")
        expect(send).to_be_in_viewport(ratio=1)
        send.tap()
        expect(page.get_by_role("status")).to_contain_text("on its way")
        if number + 1 < CASES:
            page.get_by_role("link", name="Next case").tap()
    taps = int(page.evaluate("sessionStorage.getItem('taps')"))
    assert seen == codes, "the longest waiting first"
    assert taps / CASES < MOST_TAPS, f"{taps} taps for {CASES} cases"
    with context.store.reading() as session:
        sent = select(func.count()).where(Message.template == "officer_closing")
        assert session.scalar(sent) == CASES
        kinds = session.execute(select(Label.label, func.count()).group_by(Label.label)).all()
    assert sum(count for _, count in kinds) == CASES
    expect(page.get_by_role("link", name="Next case")).to_be_hidden()


def test_one_advice_for_several_and_one_of_them_taken_back(
    page: Page, context: Context, keza: desk.Officer
) -> None:
    codes = _cases(context, 4)
    sign_in(page, keza)
    expect(page.get_by_text("4 wait")).to_be_visible()
    several = page.get_by_role("button", name="One advice for the chosen cases")
    expect(several).to_be_hidden()
    for code in (codes[0], codes[2]):
        page.get_by_label(f"Choose {code}").check()
    several.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("One advice for 2 cases")
    check(page, "officer-several")
    _in_english(page)
    page.locator(".diagnosis").get_by_label("common rust").check()
    words = context.catalogue.text("note_maize_rust", "rw")
    expect(page.locator("#preview")).to_contain_text(words)
    page.get_by_role("button", name="Send to these farmers").click()
    expect(page.get_by_role("status")).to_contain_text("Answered: 2.")
    check(page, "officer-answered-several")
    _in_english(page)
    row = page.get_by_role("listitem").filter(has_text=codes[2])
    expect(row).to_contain_text(words)
    row.get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("status").first).to_contain_text("Nothing was sent")
    with context.store.reading() as session:
        states = session.execute(select(Message.state, Message.case_id).where(
            Message.template == "officer_closing"
        )).all()  # fmt: skip
        held = session.scalar(select(func.count()).where(Escalation.closed_at.is_(None)))
    assert sorted(state for state, _ in states) == ["cancelled", "queued"]
    assert held == 3


def test_an_error_is_in_sight_and_has_the_focus(
    page: Page, context: Context, keza: desk.Officer
) -> None:
    code = desk.case(context)
    sign_in(page, keza)
    page.goto(f"/officer/case/{code}")
    page.get_by_label("Write to the farmer").fill("Koresha 种 na 玉")
    page.get_by_role("button", name="Send to the farmer").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("cannot carry")
    own = page.get_by_label("Write to the farmer")
    expect(own).to_be_focused()
    for one in (alert, own):
        expect(one).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Show the number").click()
    call = page.get_by_role("link", name="Call the farmer")
    expect(call).to_be_focused()
    expect(call).to_be_in_viewport(ratio=1)


def test_pages_are_light_and_pictures_come_when_they_are_looked_at(
    page: Page, context: Context, keza: desk.Officer
) -> None:
    codes = _cases(context, 20)
    sign_in(page, keza)
    sizes: dict[str, int] = {}
    pictures: list[str] = []

    def note(request: Request) -> None:
        answer = request.response()
        assert answer is not None
        if request.resource_type == "image":
            pictures.append(request.url)
        else:
            sizes[request.url] = len(answer.body())

    page.on("requestfinished", note)
    for address in ("/officer", f"/officer/case/{codes[0]}"):
        sizes.clear()
        page.goto(address)
        page.wait_for_load_state("networkidle")
        assert 0 < sum(size for url, size in sizes.items() if address in url) < LIGHT, sizes
    thumbs = {url for url in pictures if "thumb" in url}
    assert 0 < len(thumbs) < 20


def test_finding_a_case(page: Page, context: Context, keza: desk.Officer) -> None:
    codes = _cases(context, 6)
    desk.case(context, "+250788307777", opened_at=now() - timedelta(hours=30))
    sign_in(page, keza)
    check(page, "officer-inbox")
    page.goto("/officer?lang=en")
    page.get_by_role("link", name="1 late").click()
    expect(page.locator(".inbox > li")).to_have_count(1)
    page.get_by_label("Late only").uncheck()
    page.get_by_role("searchbox").fill("0003")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".inbox > li")).to_have_count(1)
    expect(page.locator(".inbox > li")).to_contain_text(codes[3])
    check(page, "officer-inbox-found")


def test_a_farmers_own_words_are_read(page: Page, context: Context, keza: desk.Officer) -> None:
    code = desk.case(context)
    with context.store.transaction() as session:
        held = session.scalars(select(Escalation)).one()
        session.add(
            Message(
                key="in:1", direction="in", address="+250788000001", address_digest="x",
                case_id=held.case_id, text="Amababi yumye hejuru", state="received",
            )
        )  # fmt: skip
        session.add(Event(kind="farmer_wrote", case_id=held.case_id, actor="farmer"))
    sign_in(page, keza)
    page.goto(f"/officer/case/{code}")
    expect(page.get_by_text("Amababi yumye hejuru")).to_be_visible()
    look(page, "officer-farmer-writes-360")
