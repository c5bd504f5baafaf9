"""The kiosk agent's day in a browser: pairing, photo, bad network, answer, second photo, slip."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from gateway.cases.triage import Finding
from gateway.context import Context
from gateway.people import farmers
from gateway.privacy import consent
from gateway.store.models import Photo
from rig import things as house
from rig.agent import cases, correct_number, fill_in, judge, photos, take_photo
from rig.browser import check, look
from rig.house import wait_until


def test_from_the_photo_to_the_words(paired: Page, context: Context, leaf: Path) -> None:
    take_photo(paired, leaf)
    result = paired.locator("#results article")
    expect(result).to_contain_text("Waiting for the answer")
    [case] = cases(context)
    assert (case.crop, case.place, case.farmer.phone) == ("maize", "Kabeza", "+250788000001")
    judge(context, Finding("advice", "maize_rust", 0.97))
    expect(result.locator("[data-part=message]")).to_contain_text("Maize common rust")
    expect(paired.locator("#queue-part")).to_be_hidden()
    expect(paired.locator("#today")).to_contain_text(case.code)
    look(paired, "kiosk-answer-en-360")


def test_the_photo_is_made_small_on_the_phone(
    paired: Page, context: Context, tmp_path: Path
) -> None:
    huge = tmp_path / "noise.jpg"
    huge.write_bytes(house.detailed_photo(seed=2, size=(3000, 4000)))
    assert huge.stat().st_size > 1_000_000
    with paired.expect_response("**/api/photos") as sent:
        take_photo(paired, huge)
    size = int(sent.value.request.all_headers()["content-length"])
    assert 30_000 < size < 155_000
    with context.store.reading() as session:
        photo = session.scalars(select(Photo)).one()
        assert (photo.width, photo.height) == (768, 1024)


def test_a_second_photo_is_asked_for_and_joins_the_case(
    paired: Page, context: Context, leaf: Path, tmp_path: Path
) -> None:
    take_photo(paired, leaf)
    expect(paired.locator("#results article")).to_be_visible()
    judge(context, Finding("second_photo", "maize_rust", 0.5))
    expect(paired.locator("#results article[data-wanted]")).to_contain_text("Second photo needed")
    paired.get_by_role("button", name="One more photo").click()
    expect(paired.locator("#about")).to_be_hidden()
    look(paired, "kiosk-second-photo-en-360")
    other = tmp_path / "other.jpg"
    other.write_bytes(house.detailed_photo(seed=3))
    paired.locator("#camera").set_input_files(other)
    expect(paired.locator("#picked img")).to_be_visible()
    paired.get_by_role("button", name="Send", exact=True).click()
    wait_until(lambda: photos(context) == 2, "the second photo")
    assert len(cases(context)) == 1


@pytest.mark.parametrize(
    ("shade", "hint"), [(2, "The photo is dark"), (255, "The photo is too bright")]
)
def test_a_bad_photo_gets_a_hint_but_may_be_sent(
    paired: Page, context: Context, tmp_path: Path, shade: int, hint: str
) -> None:
    plain = tmp_path / "plain.jpg"
    plain.write_bytes(house.photo(shade))
    paired.locator("#camera").set_input_files(plain)
    expect(paired.locator("#picked .notice")).to_contain_text(hint)
    paired.get_by_role("button", name="Remove 1").click()
    take_photo(paired, plain)
    expect(paired.locator("#results article")).to_be_visible()
    assert photos(context) == 1


def test_what_is_missing_is_said_before_anything_is_kept(paired: Page, leaf: Path) -> None:
    paired.get_by_role("button", name="Send", exact=True).click()
    expect(paired.get_by_text("Take or choose a photo first.")).to_be_visible()
    paired.locator("#gallery").set_input_files(leaf)
    expect(paired.locator("#picked img")).to_be_visible()
    paired.get_by_label("Farmer’s phone number").fill("12345")
    paired.get_by_role("button", name="Send", exact=True).click()
    for text in ("Choose the crop.", "This is no mobile number.", "Ask the farmer first"):
        expect(paired.get_by_text(text)).to_be_visible()
    look(paired, "kiosk-missing-en-360")
    paired.locator("#camera").set_input_files(__file__)
    expect(paired.get_by_text("cannot read that file as a picture")).to_be_visible()


def test_the_number_is_echoed_before_it_is_kept(paired: Page, context: Context, leaf: Path) -> None:
    fill_in(paired, leaf)
    expect(paired.locator("#confirm-phone")).to_have_text("0788 000 001")
    look(paired, "kiosk-confirm-en-360")
    paired.get_by_role("button", name="Change").click()
    expect(paired.locator("#queue-part")).to_be_hidden()
    assert cases(context) == []


def test_a_number_that_the_server_refuses_can_be_put_right(
    paired: Page, context: Context, leaf: Path
) -> None:
    take_photo(paired, leaf, "+9990000000")
    entry = paired.locator("#queue li")
    expect(entry).to_contain_text("the phone number is wrong")
    look(paired, "kiosk-refused-en-360")
    entry.get_by_role("button", name="Correct").click()
    correct_number(paired, "0788000002")
    expect(paired.locator("#queue-part")).to_be_hidden()
    assert [case.farmer.phone for case in cases(context)] == ["+250788000002"]


def test_who_withdrew_their_consent_is_asked_again(
    paired: Page, context: Context, leaf: Path
) -> None:
    with context.store.transaction() as session:
        farmer = farmers.find_or_create(session, house.FARMER)
        consent.give(session, farmer, by="ussd")
        consent.withdraw(session, farmer, by="ussd")
    take_photo(paired, leaf)
    paired.locator("#queue li").get_by_role("button", name="Correct").click()
    again, fault = paired.locator("#consent-again"), paired.locator("#again [role=alert]")
    expect(fault).to_be_hidden()
    paired.get_by_text("The farmer agrees").click()
    paired.get_by_role("button", name="Send", exact=True).click()
    expect(fault).to_be_visible()
    expect(again).to_be_focused()
    again.check()
    expect(fault).to_be_hidden()
    paired.get_by_role("button", name="Send", exact=True).click()
    paired.get_by_role("button", name="Right, send").click()
    expect(paired.locator("#queue-part")).to_be_hidden()
    assert [case.farmer.phone for case in cases(context)] == [house.FARMER]


def test_a_farmer_without_a_phone_gets_a_slip(paired: Page, context: Context, leaf: Path) -> None:
    paired.get_by_text("The farmer has no phone").click()
    take_photo(paired, leaf, "0788000009")
    expect(paired.locator("#results article")).to_be_visible()
    judge(context, Finding("advice", "maize_rust", 0.97))
    paired.get_by_role("link", name="Slip to print").click()
    expect(paired.locator(".slip-words")).to_contain_text("Maize common rust")
    assert _page_size(paired.pdf(prefer_css_page_size=True)) == pytest.approx((80, 150), abs=1)
    paired.get_by_role("link", name="Sheet, A4").click()
    assert _page_size(paired.pdf(prefer_css_page_size=True)) == pytest.approx((210, 297), abs=1)
    check(paired, "kiosk-slip")
    paired.goto("/kiosk")
    paired.get_by_text("The farmer has no phone").click()
    expect(paired.get_by_label("Farmer’s phone number")).to_have_value("0788 000 009")


def _page_size(pdf: bytes) -> tuple[float, float]:
    """Width and height of the first page in millimetres."""
    box = re.search(rb"/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)", pdf)
    assert box is not None
    return float(box[1]) / 72 * 25.4, float(box[2]) / 72 * 25.4


@pytest.mark.parametrize("path", ["/kiosk", "/kiosk/cases", "/kiosk/cases/{case}", "/kiosk/pair"])
def test_every_page(paired: Page, context: Context, leaf: Path, path: str) -> None:
    take_photo(paired, leaf)
    expect(paired.locator("#results article")).to_be_visible()
    judge(context, Finding("second_photo", "maize_rust", 0.5))
    [case] = cases(context)
    paired.goto(path.format(case=case.code))
    check(paired, path.format(case="case").strip("/").replace("/", "-"))


def test_dark_and_on_paper(paired: Page) -> None:
    paired.emulate_media(color_scheme="dark")
    look(paired, "kiosk-dark-en-360")
    paired.emulate_media(color_scheme="light", media="print")
    expect(paired.locator("header.top")).to_be_hidden()


def test_without_scripts_there_is_still_the_door_and_the_list(
    phone: BrowserContext, paired: Page, house_url: str, leaf: Path
) -> None:
    take_photo(paired, leaf)
    expect(paired.locator("#results article")).to_be_visible()
    browser = phone.browser
    assert browser is not None
    plain = browser.new_context(
        base_url=house_url, java_script_enabled=False, storage_state=phone.storage_state()
    )
    page = plain.new_page()
    page.goto("/kiosk")
    expect(page.locator("#photo-form")).to_be_hidden()
    page.get_by_role("link", name="Today").click()
    page.get_by_role("link", name="maize").click()
    expect(page.get_by_text("Waiting for the answer")).to_be_visible()
    plain.close()


def test_it_can_be_installed(paired: Page) -> None:
    paired.evaluate("navigator.serviceWorker.ready.then(() => true)")
    client = paired.context.new_cdp_session(paired)
    errors = client.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # A profile without a window is incognito to Chromium, which installs nothing there.
    assert [error["errorId"] for error in errors] in ([], ["in-incognito"])
