"""Pictures of the pages for the documentation, with drawn leaves; `make pictures` renews them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from gateway.cases.triage import Finding
from gateway.context import Context
from gateway.settings import ROOT
from inference.drawn import draw_leaf
from rig import admins, crowd, desk
from rig.agent import judge, take_photo
from rig.browser import SCREENS
from tests.browser.test_officer import sign_in as officer_signs_in
from tests.browser.test_operator import sign_in as operator_signs_in

MOST_BYTES = 120_000
COLOURS = 128
NAMES = ("kiosk-answer", "kiosk-offline", "officer-case", "operator-cases")


def window(page: Page, height: int, width: int = 360) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(reduced_motion="reduce")  # else a picture catches it while it scrolls
    page.set_default_timeout(60_000)


def keep(page: Page, name: str) -> None:
    """What the window shows, as a small PNG."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    path = SCREENS / f"docs-{name}.png"
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shot.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    assert path.stat().st_size < MOST_BYTES


@pytest.fixture
def leaves(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{seed}.jpg" for seed in range(3)]
    for seed, path in enumerate(paths):
        path.write_bytes(draw_leaf("maize_rust", seed))
    return paths


def test_the_answer_at_the_kiosk(paired: Page, context: Context, leaves: list[Path]) -> None:
    window(paired, 740)
    take_photo(paired, leaves[:2])
    expect(paired.locator("#results article")).to_be_visible()
    expect(paired.locator("#queue-part")).to_be_hidden()
    judge(context, Finding("advice", "maize_rust", 0.97))
    expect(paired.locator("#results [data-part=message]")).to_be_visible()
    paired.evaluate("scrollTo(0, 0)")
    keep(paired, "kiosk-answer")


def test_the_queue_without_a_network(paired: Page, leaves: list[Path]) -> None:
    window(paired, 560)
    paired.route("**/api/**", lambda route: route.abort())
    paired.context.set_offline(True)
    take_photo(paired, leaves)
    take_photo(paired, leaves[0], "0788 000 002")
    expect(paired.locator("#queue li")).to_have_count(2)
    paired.evaluate("document.querySelector('#queue-part').scrollIntoView()")
    keep(paired, "kiosk-offline")


def test_the_officers_case(page: Page, context: Context) -> None:
    window(page, 1100)
    keza = desk.officer(context)
    code = desk.case(context, picture=desk.leaf("maize_rust", 4), language="en")
    officer_signs_in(page, keza)
    page.goto(f"/officer/case/{code}")
    page.get_by_label("Show what the model looked at").check()
    heat = page.locator(".heat-photo")
    expect(heat).to_be_visible()
    heat.evaluate("image => image.decode()")
    keep(page, "officer-case")


def test_the_operators_figures(page: Page, context: Context) -> None:
    crowd.fill(context.store, 3000, days=180)
    window(page, 1250, width=1280)
    operator_signs_in(page, admins.enrol(context))
    expect(page.get_by_role("heading", name="Now")).to_be_visible()
    page.goto("/operator/cases?weeks=26")
    expect(page.locator(".map path.leaflet-interactive")).to_have_count(30)
    keep(page, "operator-cases")


@pytest.mark.parametrize("name", NAMES)
def test_the_documentation_has_it(name: str) -> None:
    path = ROOT / "docs" / f"{name}.png"
    assert path.stat().st_size < MOST_BYTES
    assert f"({name}.png)" in (ROOT / "docs" / "pages.md").read_text()
