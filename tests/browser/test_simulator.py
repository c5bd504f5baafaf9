"""The page of phones in a browser: dialling, answering, reading, writing, trouble."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import requests
from playwright.sync_api import Browser, Locator, Page, Route, expect

from rig.browser import WIDTHS, look
from rig.mobile import CODE, Listener, serving, simulator
from simulator.phone import Phone

FIRST, SECOND = "+250720123001", "+250720123002"


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def network(listener: Listener) -> Iterator[str]:
    with serving(listener.app) as base, simulator(base) as url:
        yield url


@pytest.fixture
def phones(browser: Browser, network: str) -> Iterator[Page]:
    complaints: list[str] = []
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(10_000)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{network}/simulator")
    expect(page.locator(".phone")).to_have_count(2)
    yield page
    page.close()
    assert complaints == []


def handset(page: Page, number: str) -> Locator:
    return page.locator(".phone", has=page.get_by_text(number, exact=True))


def press(phone: Locator, keys: str) -> None:
    for key in keys:
        phone.locator(f'[data-key="{key}"]').click()


def test_a_session_on_the_keypad(phones: Page, listener: Listener) -> None:
    phone = handset(phones, FIRST)
    press(phone, CODE)
    phone.locator('[data-key="call"]').click()
    expect(phone.locator(".view")).to_have_text("Hello\n1. One")
    press(phone, "1")
    phone.get_by_label("Left key").click()
    expect(phone.locator(".view")).to_have_text("1")
    phone.locator('[data-key="end"]').click()
    expect(phone.locator(".view")).to_contain_text("Leafline")
    assert listener.next("ussd-events")["status"] == "Success"


def test_hanging_up_in_the_middle(phones: Page, listener: Listener) -> None:
    phone = handset(phones, FIRST)
    press(phone, CODE)
    phone.locator('[data-key="call"]').click()
    expect(phone.locator(".view")).to_contain_text("1. One")
    phone.get_by_label("Right key").click()
    assert listener.next("ussd-events")["status"] == "Incomplete"


def test_an_sms_is_shown_read_and_answered(phones: Page, network: str, listener: Listener) -> None:
    form = {"username": "x", "to": SECOND, "message": "Case K7QPX2M: what is it?"}
    requests.post(f"{network}/version1/messaging", form, headers={"apiKey": "k"}, timeout=5)
    phone = handset(phones, SECOND)
    expect(phone.locator(".new")).to_contain_text("1")
    phone.get_by_label("Left key").click()
    expect(phone.locator(".line.unread")).to_have_count(1)
    phone.get_by_label("Left key").click()
    expect(phone.locator(".view")).to_contain_text("what is it?")
    expect(phone.locator(".new")).to_be_hidden()
    phone.get_by_label("Left key").click()
    phone.get_by_label("Words to type").fill("K7QPX2M rust")
    phone.get_by_role("button", name="Type").click()
    phone.get_by_label("Left key").click()
    assert listener.next("sms")["text"] == "K7QPX2M rust"
    expect(phone.locator(".view")).to_contain_text("> K7QPX2M rust")


def test_the_keyboard_types_too(phones: Page) -> None:
    phone = handset(phones, FIRST)
    phone.focus()
    phones.keyboard.type(CODE)
    phones.keyboard.press("Enter")
    expect(phone.locator(".view")).to_contain_text("1. One")
    phones.keyboard.press("Escape")
    expect(phone.locator(".view")).to_contain_text("Dial")


def test_another_phone_and_one_that_somebody_else_dials_on(phones: Page, network: str) -> None:
    phones.get_by_label("Another phone").fill("+250788000009")
    phones.get_by_role("button", name="Add").click()
    expect(phones.locator(".phone")).to_have_count(3)
    Phone(network, "+250788000009").dial()
    expect(handset(phones, "+250788000009").locator(".view")).to_contain_text("1. One")
    phones.get_by_label("Another phone").fill("12")
    phones.get_by_role("button", name="Add").click()
    expect(phones.locator("#add-problem")).to_contain_text("+250788123456")


def hold_posts(held: list[Route]) -> Callable[[Route], None]:
    """Keeps POSTs back in `held`, so that what must wait for them can be seen to."""

    def handle(route: Route) -> None:
        if route.request.method == "POST":
            held.append(route)
        else:
            route.continue_()

    return handle


def test_an_operator_is_chosen_and_kept(phones: Page, network: str, listener: Listener) -> None:
    phone = handset(phones, FIRST)
    on_its_way: list[Route] = []
    phones.route("**/simulator/api/phones", hold_posts(on_its_way))
    phone.get_by_label("Operator").select_option("MTN Uganda")
    expect(phone.get_by_label("Operator")).to_have_value("mtn-ug")
    phone.focus()
    phones.keyboard.type(CODE)
    phones.keyboard.press("Enter")
    expect(phone.locator(".view")).to_have_text("Calling...")
    on_its_way.pop().continue_()
    expect(phone.locator(".view")).to_contain_text("1. One")
    assert listener.next("ussd")["networkCode"] == "64110"
    told = requests.get(f"{network}/simulator/api/phones/{FIRST}", timeout=5).json()
    assert told["operator"] == "mtn-ug"
    expect(phone.get_by_label("Operator")).to_have_value("mtn-ug")


def test_the_calls_so_far_are_copied_as_a_test(phones: Page) -> None:
    phones.context.grant_permissions(["clipboard-read", "clipboard-write"])
    phone = handset(phones, FIRST)
    phone.focus()
    phones.keyboard.type(CODE)
    phones.keyboard.press("Enter")
    expect(phone.locator(".view")).to_contain_text("1. One")
    phones.keyboard.type("7")
    phones.keyboard.press("Enter")
    expect(phone.locator(".view")).to_have_text("7")
    phone.get_by_role("button", name="Calls as a test").click()
    source = (
        "def test_recorded_session(dial: Dial) -> None:\n"
        f"    phone = dial('{FIRST}', operator='sandbox')\n"
        f"    phone.dial('{CODE}').expect('Hello')\n"
        "    phone.answer('7').expect('7')"
    )
    expect(phones.get_by_label("Source of the test")).to_have_value(source)
    look(phones, "simulator-test")
    phones.get_by_role("button", name="Copy").click()
    expect(phones.locator("#copied")).to_have_text("Copied.")
    assert phones.evaluate("navigator.clipboard.readText()") == source
    phones.get_by_role("button", name="Close").click()
    expect(phones.get_by_label("Source of the test")).to_be_hidden()


def test_trouble_is_switched_and_shown(phones: Page) -> None:
    phones.get_by_text("Trouble in the network").click()
    phones.get_by_label("Sending an SMS").select_option("http_500")
    phones.get_by_label("Delivery reports").select_option("never")
    phones.get_by_role("button", name="Set", exact=True).click()
    expect(phones.locator("#trouble-now")).to_have_text("- http_500, reports: never")
    phones.get_by_role("button", name="All works").click()
    expect(phones.locator("#trouble-now")).to_have_text("")


@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_and_everybody_can_use_it(phones: Page, width: int) -> None:
    phones.set_viewport_size({"width": width, "height": 800})
    phones.get_by_text("Trouble in the network").click()
    look(phones, f"simulator-{width}")
