"""Fixtures for tests in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from gateway.context import Context
from rig import agent
from rig import things as house
from rig.browser import ARGUMENTS, chromium, served
from rig.house import House, house_in
from rig.wire import Wire, wire_to

PATIENCE_MS = 20_000
"""For what will come; a loaded machine must not decide a test."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):  # the hook is handed the items of all folders
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    if chromium() is None:
        pytest.skip("no chromium on the PATH (Debian: apt install chromium)")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture
def app_url(app: Flask) -> Iterator[str]:
    """URL of the real application, in this process; `context` is its inside."""
    with served(app) as url:
        yield url


@pytest.fixture
def wire(app_url: str) -> Iterator[Wire]:
    """A line to the house that can be cut; a module makes it the phone's by its `house_url`."""
    with wire_to(app_url) as wire:
        yield wire


@pytest.fixture
def house_url(app_url: str) -> str:
    """URL that the phone uses; a module may put something in between."""
    return app_url


@pytest.fixture
def context(app: Flask) -> Context:
    context: Context = app.extensions["leafline"]
    return context


@pytest.fixture(scope="module")
def whole_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Every process of Leafline: workers, sender, simulator."""
    with house_in(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture
def phone(browser: Browser, house_url: str) -> Iterator[BrowserContext]:
    """A small phone's browser profile; what a page complains of in the console fails the test."""
    complaints: list[str] = []
    phone = browser.new_context(
        base_url=house_url,
        viewport={"width": 360, "height": 740},
        has_touch=True,
        locale="en",
    )
    phone.set_default_timeout(PATIENCE_MS)
    phone.on("weberror", lambda error: complaints.append(str(error.error)))
    phone.on(
        "console",
        lambda line: (
            complaints.append(line.text)
            if line.type == "error" and "Failed to load resource" not in line.text
            else None
        ),
    )
    yield phone
    phone.close()
    assert complaints == []


@pytest.fixture
def page(phone: BrowserContext) -> Page:
    return phone.new_page()


@pytest.fixture
def paired(page: Page, context: Context) -> Page:
    """The page of a phone that is paired with a kiosk."""
    agent.pair(page, context)
    return page


@pytest.fixture
def leaf(tmp_path: Path) -> Path:
    """A photo as a phone takes it: large, with detail in it."""
    path = tmp_path / "leaf.jpg"
    path.write_bytes(house.detailed_photo(seed=1))
    return path
