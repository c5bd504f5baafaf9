"""A real browser for tests, Debian's Chromium by Playwright, and what every page must be."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page
from werkzeug.serving import make_server

from gateway.settings import ROOT

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LANGUAGES = ("en", "sw", "rw", "fr")
WIDTHS = (360, 1280)
SCREENS = ROOT / "build" / "screens"
SMALL_TARGETS = """() =>
  [...document.querySelectorAll('button, .button, nav a, select, input, .choices label')]
    .filter(e => !['checkbox', 'radio', 'hidden', 'file'].includes(e.type) && e.checkVisibility())
    .filter(e => e.getBoundingClientRect().height < 43.5)
    .map(e => e.outerHTML.slice(0, 160))"""
SERIOUS = ("serious", "critical")


def chromium() -> str | None:
    """Path of the browser, if there is one."""
    return next(
        (found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None
    )


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """URL of the application on a threaded WSGI server of this process."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def barriers(page: Page, *, colours: bool = True) -> list[str]:
    """What axe-core finds serious or critical on the page, a line each.

    `colours` measures contrasts too, which takes three times as long as everything else.
    """
    rules = {"color-contrast": {"enabled": colours}}
    options = {"resultTypes": ["violations"], "rules": rules}
    axe = Axe()
    if not page.evaluate("() => 'axe' in window"):  # half a megabyte, once a page
        page.evaluate(axe.axe_script)
    found = page.evaluate("options => axe.run(options)", options)["violations"]
    return [
        f"{fault['id']}: {fault['help']}: {node['html'][:160]}"
        for fault in found
        if fault["impact"] in SERIOUS
        for node in fault["nodes"]
    ]


def overhang(page: Page) -> int:
    """CSS pixels by which the page is wider than the window; 0 is right."""
    script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    return int(page.evaluate(script))


def small_targets(page: Page) -> list[str]:
    """Buttons, links in navigation and fields that a thumb would miss (below 44 CSS pixels)."""
    return list(page.evaluate(SMALL_TARGETS))


def check(page: Page, name: str) -> None:
    """Prove the page in four languages at two widths, and keep a picture of each.

    The page is loaded again in each language, so what a test has typed is lost. Contrasts are
    measured in the first one: a test proves that no style sheet knows a language's colours.
    """
    SCREENS.mkdir(parents=True, exist_ok=True)
    address = page.url.split("#")[0]
    glue = "&" if "?" in address else "?"
    for language in LANGUAGES:
        page.goto(f"{address}{glue}lang={language}")
        assert page.locator("html").get_attribute("lang") == language
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 740})
            look(page, f"{name}-{language}-{width}", colours=language == LANGUAGES[0])


def look(page: Page, name: str, *, colours: bool = True) -> None:
    """Prove the page as it stands now, and keep a picture of it."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"{name}.png", full_page=True)
    assert overhang(page) == 0, f"{name} is too wide"
    assert small_targets(page) == [], name
    assert barriers(page, colours=colours) == [], name
