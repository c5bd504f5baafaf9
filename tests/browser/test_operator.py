"""The operator's pages in a real browser: the door, every page, a broadcast by two people."""

from __future__ import annotations

from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from gateway.context import Context
from gateway.people import first_operator, operators
from gateway.people.operators import Enrolment
from gateway.store.models import Kiosk
from rig import admins, crowd
from rig.browser import check, look

TEXT = "Meeting on Friday at the sector office. Bring a sick leaf."


def sign_in(page: Page, enrolment: Enrolment, code: str | None = None) -> None:
    page.goto("/operator/?lang=en")
    page.get_by_label("Name").fill(enrolment.operator.name)
    page.get_by_label("Password").fill(admins.PASSWORD)
    page.get_by_label("Code of your authenticator").fill(code or admins.code(enrolment))
    page.get_by_role("button", name="Sign in").click()


@pytest.fixture
def ines(context: Context) -> Enrolment:
    return admins.enrol(context, "ines")


@pytest.fixture
def busy(context: Context) -> Context:
    crowd.fill(context.store, 300, days=120)
    return context


@pytest.fixture
def desk(page: Page, ines: Enrolment) -> Page:
    """An admin's page, signed in."""
    sign_in(page, ines)
    expect(page.get_by_role("heading", name="Now")).to_be_visible()
    return page


@pytest.fixture
def colleague(browser: Browser, app_url: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=app_url, locale="en")
    context.set_default_timeout(10_000)
    yield context
    context.close()


def test_the_door(page: Page, ines: Enrolment) -> None:
    page.goto("/operator/kiosks")
    check(page, "operator-sign-in")
    sign_in(page, ines, code="000000")
    expect(page.get_by_role("alert")).to_contain_text("do not fit together")
    look(page, "operator-refused")
    page.goto("/operator/kiosks")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page, ines)
    expect(page.get_by_role("heading", name="Now")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/operator/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.timeout(300)  # axe-core reads long tables eight times
@pytest.mark.parametrize(
    "path",
    [
        "", "cases", "model", "promises", "kiosks", "kiosks/1", "officers", "officers/1",
        "incidents", "messages", "broadcasts", "texts?of=rw", "audit?who=all", "account",
    ],
)  # fmt: skip
def test_every_page_in_every_language(desk: Page, busy: Context, path: str) -> None:
    desk.goto(f"/operator/{path}")
    check(desk, f"operator-{path.partition('?')[0].replace('/', '-') or 'now'}")


def test_front_door_and_first_operator(page: Page, context: Context) -> None:
    page.goto("/")
    check(page, "front")
    page.goto(f"/operator/first?code={first_operator.offer(context.store, context.settings.home)}")
    check(page, "operator-first")
    page.goto(page.url.partition("&")[0] + "&lang=en")
    page.get_by_label("Name").fill("Amina B")
    page.locator("#new").fill(admins.PASSWORD)
    page.locator("#again").fill(admins.PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#name")).to_be_focused()
    expect(page.locator("#name")).to_have_value("Amina B")
    look(page, "operator-first-refused")
    page.locator("#name").fill("amina")
    page.locator("#new").fill(admins.PASSWORD)
    page.locator("#again").fill(admins.PASSWORD)
    page.get_by_role("button", name="Go on").click()
    secret = page.locator("p.code").inner_text()
    page.get_by_label("code").fill(pyotp.TOTP(secret).now())
    page.locator("main form button").click()
    expect(page.locator("li.code")).to_have_count(8)
    page.goto("/operator/")
    expect(page.get_by_role("heading", name="Now")).to_be_visible()


def test_curve_and_map_are_drawn_from_the_tables(desk: Page, busy: Context) -> None:
    desk.set_viewport_size({"width": 1280, "height": 900})
    desk.goto("/operator/cases?weeks=26")
    expect(desk.locator(".chart canvas")).to_be_visible()
    expect(desk.locator(".map path.leaflet-interactive")).to_have_count(30)
    expect(desk.locator("#weekly tbody tr")).to_have_count(26)
    desk.emulate_media(color_scheme="dark")
    desk.reload()
    expect(desk.locator(".chart canvas")).to_be_visible()
    look(desk, "operator-cases-dark")
    desk.goto("/operator/model")
    expect(desk.locator(".chart canvas")).to_be_visible()


def test_without_scripts_the_tables_say_it_all(
    browser: Browser, app_url: str, busy: Context, ines: Enrolment
) -> None:
    context = browser.new_context(base_url=app_url, locale="en", java_script_enabled=False)
    page = context.new_page()
    sign_in(page, ines)
    page.goto("/operator/cases")
    expect(page.locator(".chart")).to_be_hidden()
    expect(page.locator("#places tbody tr").first).to_contain_text("District")
    context.close()


def test_districts_without_a_place_are_said_so(desk: Page, busy: Context) -> None:
    with busy.store.transaction() as session:
        session.query(Kiosk).filter(Kiosk.id > 3).update({"latitude": None, "longitude": None})
    desk.goto("/operator/cases?weeks=26")
    expect(desk.locator(".map path.leaflet-interactive")).to_have_count(3)
    expect(desk.get_by_text("Not on the map")).to_contain_text("District 30")


def test_a_viewer_is_offered_no_change(page: Page, busy: Context, context: Context) -> None:
    sign_in(page, admins.enrol(context, "vera", operators.VIEWER))
    expect(page.get_by_role("heading", name="Now")).to_be_visible()
    for path in ("kiosks", "kiosks/1", "officers", "officers/1", "messages", "broadcasts"):
        page.goto(f"/operator/{path}")
        expect(page.locator("main form[method=post] button")).to_have_count(0)


def test_a_kiosk_is_added_and_its_secrets_shown_once(desk: Page) -> None:
    desk.goto("/operator/kiosks")
    desk.get_by_label("Name").fill("Nyagasambu")
    desk.get_by_label("Area").fill("Rwamagana/Muhazi")
    desk.get_by_role("button", name="Add").click()
    expect(desk.get_by_alt_text("QR code")).to_be_visible()
    expect(desk.get_by_text("lfk_")).to_be_visible()
    look(desk, "operator-secrets")
    desk.get_by_role("link", name="Back").click()
    expect(desk.get_by_text("lfk_")).to_have_count(0)


def test_a_new_phone_takes_the_place_of_the_old(desk: Page, ines: Enrolment) -> None:
    desk.get_by_role("link", name="Account").click()
    desk.locator("#proof").fill(admins.PASSWORD)
    desk.get_by_role("button", name="Show the QR code").click()
    expect(desk.get_by_alt_text("QR code for the authenticator")).to_be_visible()
    look(desk, "operator-authenticator")
    code = desk.get_by_label("Code that it shows now")
    code.fill("000000")
    desk.get_by_role("button", name="Use this authenticator").click()
    expect(desk.get_by_role("alert")).to_contain_text("Check that the phone’s clock is right")
    code.fill(pyotp.TOTP(desk.locator("p.code").inner_text()).now())
    desk.get_by_role("button", name="Use this authenticator").click()
    recovery = desk.locator("li.code")
    expect(recovery).to_have_count(operators.RECOVERY_CODES)
    look(desk, "operator-recovery")
    code_once = recovery.first.inner_text()
    desk.get_by_role("button", name="Sign out").click()
    sign_in(desk, ines)  # by the old phone
    expect(desk.get_by_role("alert")).to_be_visible()
    sign_in(desk, ines, code=code_once)
    expect(desk.get_by_role("heading", name="Now")).to_be_visible()


def test_a_broadcast_by_two_people(
    desk: Page, busy: Context, context: Context, colleague: BrowserContext
) -> None:
    desk.goto("/operator/broadcasts")
    desk.get_by_label("District").fill("District 07")
    desk.get_by_label("English").fill(TEXT)
    desk.get_by_role("button", name="Dry run").click()
    expect(desk.get_by_role("heading", name="Dry run")).to_be_visible()
    expect(desk.get_by_text("RWF")).to_be_visible()
    look(desk, "operator-dry-run")
    desk.get_by_role("button", name="Keep as draft").click()
    expect(desk.get_by_text("You drafted it")).to_be_visible()
    expect(desk.get_by_role("button", name="Approve")).to_have_count(0)
    look(desk, "operator-draft")
    address = desk.url

    other = colleague.new_page()
    sign_in(other, admins.enrol(context, "jo"))
    expect(other.get_by_role("heading", name="Now")).to_be_visible()
    other.goto(address)
    other.get_by_role("button", name="Approve and send").click()
    expect(other.locator(".badge")).to_have_text("Being sent")


def test_the_queue_in_detail(desk: Page, context: Context) -> None:
    context.photo_queue.enqueue("gateway.jobs.photos.diagnose", 7, job_id="photo-7")
    desk.get_by_role("link", name="The queue in detail").click()
    expect(desk.locator("#queues")).to_contain_text("photos", timeout=30_000)
