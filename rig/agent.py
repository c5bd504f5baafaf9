"""What a kiosk agent does in the browser, and what came of it in the house."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from gateway.cases import judgement
from gateway.cases.triage import Finding
from gateway.context import Context
from gateway.people import pairing
from gateway.store.models import Case, Photo
from rig import things as house


def pair(page: Page, context: Context, name: str = "Nyagasambu") -> None:
    """Pair the page's phone with a new kiosk, by the link in the QR code."""
    kiosk, _token = house.kiosk(context.store, name)
    with context.store.transaction() as session:
        code = pairing.new_code(session, kiosk)
    page.goto(pairing.link("", code))
    page.get_by_role("button", name="Pair this phone").click()
    ready(page)


def ready(page: Page) -> None:
    """Wait until the page can be worked with, and opens without a network from now on."""
    expect(page.locator("#photo-form")).to_be_visible()
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")


def fill_in(page: Page, photo: Path | list[Path], phone: str = "0788 000 001") -> None:
    """Several photos are chosen from the gallery, one comes from the camera."""
    several = isinstance(photo, list)
    page.locator("#gallery" if several else "#camera").set_input_files(photo)
    expect(page.locator("#picked img")).to_have_count(len(photo) if several else 1)
    page.get_by_text("maize", exact=True).click()
    page.get_by_label("Farmer’s phone number").fill(phone)
    page.get_by_label("Village").fill("Kabeza")
    page.get_by_text("The farmer agrees").click()
    page.get_by_role("button", name="Send", exact=True).click()


def take_photo(page: Page, photo: Path | list[Path], phone: str = "0788 000 001") -> None:
    fill_in(page, photo, phone)
    page.get_by_role("button", name="Right, send").click()
    expect(page.locator("#picked")).to_be_hidden()


def correct_number(page: Page, phone: str) -> None:
    """Send an upload again that was refused for the farmer's number; its form is open."""
    page.get_by_label("Farmer’s phone number").fill(phone)
    page.get_by_text("The farmer agrees").click()
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("button", name="Right, send").click()


def send_now(page: Page) -> None:
    """Press the button, also when the page was quicker and has hidden it."""
    page.evaluate("document.getElementById('send-now').click()")


def cases(context: Context) -> list[Case]:
    with context.store.reading() as session:
        return list(session.scalars(select(Case).order_by(Case.id)))


def photos(context: Context) -> int:
    with context.store.reading() as session:
        return session.scalar(select(func.count(Photo.id))) or 0


def judge(context: Context, finding: Finding) -> None:
    """The machine's word on the newest case, at once."""
    with context.store.transaction() as session:
        case = session.scalars(select(Case).order_by(Case.id.desc())).first()
        assert case is not None
        judgement.judge(session, context.desk, case, finding, photos(context))
