"""From the operator's command to the words on the screen, with every process of the house."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from inference.drawn import draw_leaf
from rig import agent
from rig.house import House


def test_a_leaf_is_judged_and_its_words_appear(
    browser: Browser, whole_house: House, tmp_path: Path
) -> None:
    added = whole_house.command("kiosk", "add", "Nyagasambu", "--area", "Rwamagana").stdout
    link = re.search(r"/kiosk/pair\?code=\S+", added)
    assert link is not None
    leaf = tmp_path / "leaf.jpg"
    leaf.write_bytes(draw_leaf("maize_rust", seed=1))
    phone = browser.new_context(base_url=whole_house.url, locale="en")
    page = phone.new_page()
    page.goto(link[0])
    page.get_by_role("button", name="Pair this phone").click()
    agent.ready(page)
    agent.take_photo(page, leaf)
    message = page.locator("#results [data-part=message]")
    expect(message).to_be_visible(timeout=60_000)
    code = page.locator("#results [data-part=case]").inner_text()
    assert code in message.inner_text()
    token = added.split()[-1]
    shown = phone.request.get(
        f"/api/cases/{code}", headers={"Authorization": f"Bearer {token}"}
    ).json()
    assert shown["message"] == message.inner_text()

    page.goto("/simulator")
    page.locator("#kiosk summary").click()
    kiosk = page.frame_locator("#kiosk iframe")
    expect(kiosk.get_by_role("heading", name="Nyagasambu")).to_be_visible(timeout=30_000)
    phone.close()
