"""Photos on a bad network: cut in the middle, closed tabs, two tabs, a wrong clock."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, Playwright, Route, expect

from gateway.context import Context
from gateway.people import kiosks, pairing
from gateway.store.photos import PhotoStoreError
from rig import agent
from rig import things as house
from rig.agent import cases, photos, send_now, take_photo
from rig.browser import ARGUMENTS, chromium, look
from rig.house import wait_until
from rig.wire import Wire


@pytest.fixture
def house_url(wire: Wire) -> str:
    """The house at the far end of the wire."""
    return wire.url


@pytest.fixture
def uploads(app: Flask) -> list[str]:
    """Status of each upload that the house answered, in order."""
    answered: list[str] = []
    inner = app.wsgi_app

    def watched(environ, start_response):  # type: ignore[no-untyped-def]
        def start(status, *rest):  # type: ignore[no-untyped-def]
            if environ["PATH_INFO"] == "/api/photos":
                answered.append(status.split()[0])
            return start_response(status, *rest)

        return inner(environ, start)

    app.wsgi_app = watched  # type: ignore[method-assign]
    return answered


# Werkzeug leaves what it has of a broken upload to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_cut_in_the_middle_of_the_upload_and_the_tab_closed(
    phone: BrowserContext, paired: Page, context: Context, wire: Wire, leaf: Path
) -> None:
    wire.cut_after(up=60_000)
    take_photo(paired, leaf)
    assert wire.was_cut.wait(30)
    assert cases(context) == []
    paired.close()
    page = phone.new_page()
    page.goto("/kiosk")
    expect(page.locator("#queue li")).to_contain_text("0788 000 001")
    expect(page.get_by_text("No network.")).to_be_visible()
    look(page, "kiosk-offline-en-360")
    wire.mend()
    expect(page.locator("#queue-part")).to_be_hidden(timeout=30_000)
    assert (len(cases(context)), photos(context)) == (1, 1)


def test_the_answer_is_lost_on_its_way_back(
    paired: Page, context: Context, wire: Wire, leaf: Path, uploads: list[str]
) -> None:
    """The house has the photo, the phone does not know: it sends again, and nothing is new."""
    paired.route("**/api/cases", lambda route: route.abort())
    wire.cut_after(down=0)
    take_photo(paired, leaf)
    assert wire.was_cut.wait(30)
    wait_until(lambda: photos(context) == 1, "the photo in the house")
    expect(paired.locator("#queue li")).to_be_visible()
    wire.mend()
    expect(paired.locator("#queue-part")).to_be_hidden(timeout=30_000)
    assert uploads == ["202", "202"]
    assert (len(cases(context)), photos(context)) == (1, 1)


def test_the_browser_closed_without_a_network_and_opened_again(
    playwright: Playwright, context: Context, wire: Wire, leaf: Path, tmp_path: Path
) -> None:
    def opened() -> BrowserContext:
        return playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=chromium(), args=ARGUMENTS, base_url=wire.url
        )

    first = opened()
    page = first.new_page()
    agent.pair(page, context)
    wire.cut()
    take_photo(page, leaf)
    expect(page.locator("#queue li")).to_be_visible()
    first.close()
    second = opened()
    page = second.new_page()
    page.goto("/kiosk")
    expect(page.locator("#queue li")).to_contain_text("0788 000 001")
    wire.mend()
    expect(page.locator("#queue-part")).to_be_hidden(timeout=30_000)
    expect(page.locator("#results article")).to_be_visible()
    second.close()
    assert (len(cases(context)), photos(context)) == (1, 1)


def test_the_browser_hands_in_when_no_tab_is_open(
    phone: BrowserContext, paired: Page, context: Context, wire: Wire, leaf: Path
) -> None:
    """Background Sync: the network is back, and the browser wakes the service worker."""
    wire.cut()
    take_photo(paired, leaf)
    expect(paired.locator("#queue li")).to_be_visible()
    paired.close()
    wire.mend()
    elsewhere = phone.new_page()
    client = phone.new_cdp_session(elsewhere)
    known: list[dict[str, str]] = []
    client.on("ServiceWorker.workerRegistrationUpdated", lambda e: known.extend(e["registrations"]))
    client.send("ServiceWorker.enable")
    wait_until(lambda: known or elsewhere.wait_for_timeout(50), "the service worker")
    woken = {"origin": wire.url, "registrationId": known[0]["registrationId"], "lastChance": False}
    client.send("ServiceWorker.dispatchSyncEvent", woken | {"tag": "leafline-kiosk-queue"})
    wait_until(lambda: photos(context) == 1, "the photo in the house", 30)
    assert len(cases(context)) == 1


def test_two_tabs_send_each_photo_once(
    phone: BrowserContext,
    paired: Page,
    context: Context,
    wire: Wire,
    tmp_path: Path,
    uploads: list[str],
) -> None:
    other = phone.new_page()
    other.goto("/kiosk")
    agent.ready(other)
    wire.cut()
    for number, page in enumerate((paired, other, paired)):
        photo = tmp_path / f"{number}.jpg"
        photo.write_bytes(house.detailed_photo(seed=10 + number))
        take_photo(page, photo, f"078800000{number}")
    for page in (paired, other):
        expect(page.locator("#queue li")).to_have_count(3)
    wire.mend()
    for page in (paired, other):
        send_now(page)
    for page in (paired, other):
        expect(page.locator("#queue-part")).to_be_hidden(timeout=30_000)
        expect(page.locator("#results article")).to_have_count(3)
    assert (len(cases(context)), photos(context)) == (3, 3)
    assert uploads == ["202"] * 3


def test_a_closed_tab_hands_its_turn_to_the_other(
    phone: BrowserContext, paired: Page, context: Context, leaf: Path
) -> None:
    held: list[Route] = []
    paired.route(
        "**/api/photos", lambda route: held.append(route)
    )  # never answered: the tab stays in its turn
    take_photo(paired, leaf)
    wait_until(lambda: held or paired.wait_for_timeout(50), "the upload to begin")
    other = phone.new_page()
    other.goto("/kiosk")
    expect(other.locator("#queue li")).to_be_visible()
    paired.close()
    expect(other.locator("#queue-part")).to_be_hidden(timeout=30_000)
    assert (len(cases(context)), photos(context)) == (1, 1)


@pytest.mark.parametrize("moment", ["1980-01-06T00:00:00", "2055-01-01T00:00:00"])
def test_a_wrong_clock_changes_nothing(
    phone: BrowserContext, page: Page, context: Context, wire: Wire, leaf: Path, moment: str
) -> None:
    phone.clock.set_system_time(moment)
    agent.pair(page, context)
    wire.cut()
    take_photo(page, leaf)
    expect(page.locator("#queue li")).to_be_visible()
    wire.mend()
    send_now(page)
    expect(page.locator("#queue-part")).to_be_hidden(timeout=30_000)
    expect(page.locator("#today li")).to_have_count(1)
    assert (len(cases(context)), photos(context)) == (1, 1)


def test_a_foreign_wifi_that_answers_everything(paired: Page, context: Context, leaf: Path) -> None:
    welcome = {"status": 200, "content_type": "text/html", "body": "<h1>Buy our Wi-Fi</h1>"}
    paired.context.route("**/api/**", lambda route: route.fulfill(**welcome))
    take_photo(paired, leaf)
    expect(paired.locator("#queue li")).to_contain_text("waits for the network")
    paired.context.unroute_all()
    send_now(paired)
    expect(paired.locator("#queue-part")).to_be_hidden()
    assert (len(cases(context)), photos(context)) == (1, 1)


def test_a_house_in_trouble_is_asked_again(
    paired: Page, context: Context, leaf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_data: bytes) -> str:
        raise PhotoStoreError("disk full")

    monkeypatch.setattr(context.photos, "put", full)
    with paired.expect_response("**/api/photos") as answer:
        take_photo(paired, leaf)
    assert answer.value.status == 503
    expect(paired.locator("#queue li")).to_contain_text("waits for the network")
    monkeypatch.undo()
    send_now(paired)
    expect(paired.locator("#queue-part")).to_be_hidden()
    assert (len(cases(context)), photos(context)) == (1, 1)


def test_signed_out_meanwhile_nothing_is_lost(
    paired: Page, context: Context, wire: Wire, leaf: Path
) -> None:
    wire.cut()
    take_photo(paired, leaf)
    expect(paired.locator("#queue li")).to_be_visible()
    with context.store.transaction() as session:
        kiosk = kiosks.find(session, "Nyagasambu")
        pairing.unpair(session, kiosk)
        code = pairing.new_code(session, kiosk)
    wire.mend()
    send_now(paired)
    expect(paired.locator("#signed-out")).to_be_visible()
    look(paired, "kiosk-signed-out-en-360")
    paired.locator("#signed-out").get_by_role("link").click()
    paired.get_by_label("Pairing code").fill(code.lower())
    paired.get_by_role("button", name="Pair this phone").click()
    expect(paired.locator("#results article")).to_be_visible(timeout=30_000)
    assert (len(cases(context)), photos(context)) == (1, 1)


def test_progress_is_shown_on_a_slow_network(paired: Page, context: Context, leaf: Path) -> None:
    client = paired.context.new_cdp_session(paired)
    slow = {"offline": False, "latency": 300, "downloadThroughput": 30e3, "uploadThroughput": 30e3}
    client.send("Network.emulateNetworkConditions", slow)
    take_photo(paired, leaf)
    bar = paired.locator("#queue progress")
    paired.wait_for_function(
        "() => { const b = document.querySelector('#queue progress');"
        " return b && b.position > 0.1 && b.position < 1 }"
    )
    expect(bar).to_be_visible()
    expect(paired.locator("#queue-part")).to_be_hidden(timeout=30_000)
    assert photos(context) == 1
