"""Fixtures for tests in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from gateway.context import Context
from tests.support.browser import ARGUMENTS, chromium, served
from tests.whole.house import House, house_in


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip("no chromium on the PATH (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def house_url(app: Flask) -> Iterator[str]:
    """URL of the real application, in this process; `context` is its inside."""
    with served(app) as url:
        yield url


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
    phone.set_default_timeout(10_000)
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
