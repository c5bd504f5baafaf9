"""The common ground of all pages, seen in a browser."""

from __future__ import annotations

from playwright.sync_api import Page

from rig.browser import check


def test_the_error_page(page: Page) -> None:
    page.goto("/nowhere")
    assert "nothing at this address" in page.locator("main").inner_text()
    check(page, "error")
