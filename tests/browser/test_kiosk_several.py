"""Several photos of a plant in one go: chosen, looked at, kept together, one case, one answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import select

from gateway.cases.intake import MAX_PHOTOS
from gateway.cases.triage import Finding
from gateway.context import Context
from gateway.store.models import Photo
from rig import things as house
from rig.agent import cases, correct_number, judge, photos, send_now, take_photo
from rig.browser import check, look
from rig.house import wait_until
from rig.wire import Wire


@pytest.fixture
def leaves(tmp_path: Path) -> list[Path]:
    """One more than a case takes."""
    return [drawn(tmp_path, seed) for seed in range(MAX_PHOTOS + 1)]


def drawn(folder: Path, seed: int) -> Path:
    path = folder / f"leaf-{seed}.jpg"
    path.write_bytes(house.detailed_photo(seed=20 + seed, size=(600, 800)))
    return path


@pytest.fixture
def house_url(wire: Wire) -> str:
    return wire.url


def order_of_arrival(context: Context) -> list[tuple[int, int]]:
    """(case, photos that were said to follow) of each photo, as they are kept now."""
    with context.store.reading() as session:
        rows = session.execute(select(Photo.case_id, Photo.following).order_by(Photo.id))
        return [(case, following) for case, following in rows]


def test_they_make_one_case_and_get_one_answer(
    paired: Page, context: Context, leaves: list[Path]
) -> None:
    take_photo(paired, leaves[:3])
    wait_until(lambda: photos(context) == 3, "three photos", 30)
    [case] = cases(context)
    assert order_of_arrival(context) == [(case.id, 0)] * 3
    expect(paired.locator("#queue-part")).to_be_hidden()
    result = paired.locator("#results article")
    expect(result).to_have_count(1)
    judge(context, Finding("advice", "maize_rust", 0.97))
    expect(result.locator("[data-part=message]")).to_contain_text("Maize common rust")
    expect(result.locator("[data-part=who]")).to_contain_text("3 photos")
    result.get_by_role("button", name="One more photo").click()
    expect(paired.locator("#photo-form")).to_contain_text("One more photo for")
    paired.locator("#gallery").set_input_files(leaves[3:])
    expect(paired.locator("#picked li")).to_have_count(3)
    expect(paired.locator("#photo-fault")).to_contain_text("No more than 3 photos")


def test_they_are_looked_at_and_taken_away_again(
    paired: Page, leaves: list[Path], tmp_path: Path
) -> None:
    dark = tmp_path / "dark.jpg"
    dark.write_bytes(house.photo(2))
    paired.locator("#gallery").set_input_files([leaves[0], dark, leaves[1]])
    chosen = paired.locator("#picked li")
    expect(chosen).to_have_count(3)
    expect(chosen.nth(1)).to_contain_text("The photo is dark")
    expect(paired.locator("#picked-count")).to_contain_text("3 of 6 photos")
    look(paired, "kiosk-several-en-360")
    paired.get_by_role("button", name="Remove 2").click()
    expect(chosen).to_have_count(2)
    expect(paired.get_by_text("The photo is dark")).to_be_hidden()
    paired.locator("#camera").set_input_files(leaves[0])
    expect(paired.locator("#photo-fault")).to_contain_text("here already")
    paired.locator("#gallery").set_input_files(leaves[2:])
    expect(paired.locator("#photo-fault")).to_contain_text("No more than 6 photos")
    expect(chosen).to_have_count(MAX_PHOTOS)
    expect(paired.get_by_role("button", name="Take a photo")).to_be_disabled()
    look(paired, "kiosk-six-en-360")


def test_cut_after_the_first_of_them_and_the_tab_closed(
    phone: BrowserContext, paired: Page, context: Context, wire: Wire, leaves: list[Path]
) -> None:
    sent: list[Route] = []

    def cut_after_the_first(route: Route) -> None:
        if sent:
            wire.cut()
        sent.append(route)
        route.continue_()

    paired.route("**/api/photos", cut_after_the_first)
    take_photo(paired, leaves[:3])
    wait_until(lambda: photos(context) == 1 or paired.wait_for_timeout(50), "the first photo", 30)
    [case] = cases(context)
    entry = paired.locator("#queue li")
    expect(entry.locator("img")).to_have_count(2)
    expect(entry).to_contain_text(case.code)
    wait_until(lambda: len(sent) > 1 or paired.wait_for_timeout(50), "the second to be tried")
    paired.close()
    assert order_of_arrival(context) == [(case.id, 2)]
    page = phone.new_page()
    page.goto("/kiosk")
    expect(page.locator("#queue li img")).to_have_count(2)
    look(page, "kiosk-several-offline-en-360")
    wire.mend()
    send_now(page)
    expect(page.locator("#queue-part")).to_be_hidden(timeout=30_000)
    expect(page.locator("#results article")).to_have_count(1)
    assert order_of_arrival(context) == [(case.id, 0)] * 3


def test_an_answer_lost_on_its_way_back_doubles_nothing(
    paired: Page, context: Context, wire: Wire, leaves: list[Path]
) -> None:
    paired.route("**/api/cases", lambda route: route.abort())
    wire.cut_after(down=0)
    take_photo(paired, leaves[:2])
    assert wire.was_cut.wait(30)
    wait_until(lambda: photos(context) == 1, "the first photo in the house")
    expect(paired.locator("#queue li img")).to_have_count(2)
    wire.mend()
    expect(paired.locator("#queue-part")).to_be_hidden(timeout=30_000)
    [case] = cases(context)
    assert order_of_arrival(context) == [(case.id, 0)] * 2


def test_a_refused_number_is_put_right_with_all_its_photos(
    paired: Page, context: Context, leaves: list[Path]
) -> None:
    take_photo(paired, leaves[:3], "+9990000000")
    entry = paired.locator("#queue li")
    expect(entry).to_contain_text("the phone number is wrong")
    entry.get_by_role("button", name="Correct").click()
    expect(paired.locator("#picked li")).to_have_count(3)
    paired.get_by_role("button", name="Remove 1").click()
    correct_number(paired, "0788000002")
    expect(paired.locator("#queue-part")).to_be_hidden()
    assert [case.farmer.phone for case in cases(context)] == ["+250788000002"]
    assert photos(context) == 2


def test_in_every_language(paired: Page, leaves: list[Path]) -> None:
    """The form with photos is gone on loading anew, so this looks at the queue."""
    paired.route("**/api/**", lambda route: route.abort())
    take_photo(paired, leaves[:4])
    check(paired, "kiosk-queue")
