"""A phone changes hands: the page that is kept for offline never bears another kiosk's name."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from gateway.context import Context
from gateway.people import kiosks, pairing
from rig import agent
from rig import things as house
from rig.agent import take_photo
from rig.wire import Wire


@pytest.fixture
def house_url(wire: Wire) -> str:
    return wire.url


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()


def kept(page: Page) -> list[str]:
    """What the phone remembers of the kiosk: its list, cases to watch, the agent's habits."""
    keys: list[str] = page.evaluate(
        """() => new Promise((done) => {
          indexedDB.open("leafline-kiosk").onsuccess = ({ target: { result } }) => {
            result.transaction("kept").objectStore("kept").getAllKeys().onsuccess = (event) =>
              done(event.target.result);
          };
        })"""
    )
    return keys


def used(phone: BrowserContext, page: Page) -> Page:
    """The page opened anew under the hand of its worker, which keeps it from then on."""
    page.goto("/kiosk")
    page.wait_for_function("() => navigator.serviceWorker.controller")
    return page


def test_the_page_is_gone_with_the_sign_out(phone: BrowserContext, paired: Page) -> None:
    page = used(phone, paired)
    sign_out(page)
    expect(page.get_by_label("Pairing code")).to_be_visible()
    page.goto("/kiosk")
    expect(page.get_by_label("Pairing code")).to_be_visible()
    expect(page.get_by_text("Nyagasambu")).to_have_count(0)


def test_another_kiosks_code_brings_its_own_page(
    phone: BrowserContext, paired: Page, context: Context, leaf: Path
) -> None:
    take_photo(paired, leaf)
    expect(paired.locator("#today li")).to_have_count(1)
    page = used(phone, paired)
    assert "language" in kept(page)  # of the last farmer, as are the places and the agent's number
    other, _ = house.kiosk(context.store, "Kabeza")
    with context.store.transaction() as session:
        pairing.unpair(session, kiosks.find(session, "Nyagasambu"))
        code = pairing.new_code(session, other)
    page.goto(pairing.link("", code))
    page.get_by_role("button", name="Pair this phone").click()
    agent.ready(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Kabeza")
    assert "language" not in kept(page)


def test_nothing_is_forgotten_before_the_sign_out_is_done(
    phone: BrowserContext, paired: Page, wire: Wire, leaf: Path
) -> None:
    take_photo(paired, leaf)
    expect(paired.locator("#today li")).to_have_count(1)
    page = used(phone, paired)
    wire.cut()
    sign_out(page)
    expect(page.get_by_text("No network.")).to_be_visible()
    page.reload()
    expect(page.locator("#today li")).to_have_count(1)
    wire.mend()
    sign_out(page)
    expect(page.get_by_label("Pairing code")).to_be_visible()
    assert kept(page) == []
