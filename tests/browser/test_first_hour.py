"""The first hour of a new house: from the link that the terminal shows to a test message that
arrived, with every process and the simulated network."""

from __future__ import annotations

import re

import pyotp
from playwright.sync_api import Browser, expect

from rig import admins
from rig.house import House

FIRST = re.compile(r"/operator/first\?code=\S+")


def test_from_an_empty_store_to_a_delivered_test_message(
    browser: Browser, whole_house: House
) -> None:
    link = FIRST.search(whole_house.output)
    assert link is not None
    desk = browser.new_context(
        base_url=whole_house.url, locale="en", viewport={"width": 360, "height": 740}
    )
    page = desk.new_page()
    page.goto(link[0])
    page.get_by_label("Name").fill("amina")
    page.locator("#new").fill(admins.PASSWORD)
    page.locator("#again").fill(admins.PASSWORD)
    page.get_by_role("button", name="Go on").click()
    secret = page.locator("p.code").inner_text()
    page.get_by_label("code").fill(pyotp.TOTP(secret).now())
    page.locator("main form button").click()
    page.get_by_role("link", name="What is left to do").click()

    steps = page.locator(".steps > li")
    test = steps.filter(has_text="A test SMS was delivered")
    expect(test).to_contain_text("to do")
    test.get_by_role("link", name="Do it").click()
    page.locator("#phone").fill("0788000001")
    page.get_by_role("button", name="Send the test").click()
    expect(page.get_by_role("status")).to_contain_text("The test arrived", timeout=60_000)
    expect(page.get_by_text("Success").first).to_be_visible()

    page.goto("/operator/start")
    for name in ("A test SMS was delivered", "The provider reports back"):
        expect(steps.filter(has_text=name)).to_contain_text("done")
    officer = steps.filter(has_text="An officer is added")
    expect(officer).to_contain_text("to do")
    added = whole_house.command(
        "officer", "add", "+250788000099", "--name", "Keza", "--area", "Rwamagana",
        "--language", "rw",
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    expect(officer).to_contain_text("done", timeout=60_000)

    page.get_by_role("button", name="Look at every part").click()
    expect(page.locator("li", has_text="redis").first).to_contain_text("well", timeout=60_000)
    desk.close()
