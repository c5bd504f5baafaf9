"""What each page costs on a 2G network and a cheap phone: bytes, requests, time until usable.

    python -m benchmarks.pages

A whole house, and Debian's Chromium through the DevTools protocol. The network is WebPageTest's
profile "2G" (280 kbit/s down, 256 kbit/s up, 800 ms for each request), the processor is slowed four
times, as Lighthouse does for a mid-range phone. "First" is a browser that was never here, "again"
the second visit in the same one. A page can be used when its scripts have run and the element that
one works with is there.

The reference is the budget of 100 kB, and the time that 100 kB need on that line: one request and
the bare bytes.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

from tests.support import house as things
from tests.support.agent import take_photo
from tests.support.browser import ARGUMENTS, chromium
from tests.whole.house import House, house_in

DOWN, UP, LATENCY_MS = 280_000 / 8, 256_000 / 8, 800
CPU_SLOWER = 4
BUDGET = 100_000
BUDGET_SECONDS = LATENCY_MS / 1000 + BUDGET / DOWN
OFFICER = "+250788000099"


@dataclass(frozen=True)
class Target:
    """A page: who must have signed in (a key of `DOORS`), and what one works with."""

    path: str
    usable: str
    door: str = ""


TARGETS = (
    Target("/kiosk/pair", "#code"),
    Target("/kiosk", "#photo-form:not([hidden])", "kiosk"),
    Target("/kiosk/cases", "main h1", "kiosk"),
    Target("/officer/sign-in", "form button"),
    Target("/officer", "main h1", "officer"),
)


def enter_kiosk(page: Page, house: House) -> None:
    answer = house.command("kiosk", "add", f"Benchmark {time.monotonic_ns()}", "--area", "*").stdout
    link = re.search(r"(/kiosk/pair\?code=\S+)", answer)
    assert link is not None, answer
    page.goto(link[1])
    page.get_by_role("button").click()
    page.wait_for_url("**/kiosk")


def enter_officer(page: Page, house: House) -> None:
    words = ("officer", "add", OFFICER, "--name", "Keza", "--area", "*", "--language", "en")
    pin = re.search(r"PIN, shown only now: (\d+)", house.command(*words).stdout)
    assert pin is not None
    page.goto("/officer/sign-in")
    page.locator("[name=phone]").fill(OFFICER)
    page.locator("[name=pin]").fill(pin[1])
    page.locator("main form button").click()
    page.wait_for_url("**/officer*")


DOORS: dict[str, Callable[[Page, House], None]] = {
    "kiosk": enter_kiosk,
    "officer": enter_officer,
}


@dataclass
class Visit:
    size: int = 0
    """Bytes over the wire, headers and all."""
    requests: int = 0
    seconds: float = 0.0


def slow(page: Page) -> CDPSession:
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    conditions = {"latency": LATENCY_MS, "downloadThroughput": DOWN, "uploadThroughput": UP}
    client.send("Network.emulateNetworkConditions", {"offline": False, **conditions})
    client.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWER})
    return client


def visit(context: BrowserContext, target: Target) -> Visit:
    page = context.new_page()
    client = slow(page)
    seen = Visit()
    inside: set[str] = set()

    def answered(event: dict[str, dict[str, object]]) -> None:
        response = event["response"]
        if response.get("fromDiskCache") or response.get("fromServiceWorker"):
            inside.add(str(event["requestId"]))

    def loaded(event: dict[str, object]) -> None:
        if event["requestId"] not in inside:
            seen.requests += 1
            seen.size += int(str(event["encodedDataLength"]).partition(".")[0])

    client.on("Network.responseReceived", answered)
    client.on("Network.loadingFinished", loaded)
    began = time.monotonic()
    page.goto(target.path, wait_until="commit")
    page.locator(target.usable).first.wait_for(timeout=60_000)
    page.wait_for_load_state("domcontentloaded")
    seen.seconds = time.monotonic() - began
    page.wait_for_load_state("networkidle")
    page.close()
    return seen


@contextmanager
def phone(
    browser: Browser, url: str, cookies: BrowserContext | None = None
) -> Iterator[BrowserContext]:
    state = cookies.storage_state() if cookies else None
    context = browser.new_context(
        base_url=url, viewport={"width": 360, "height": 740}, locale="en", storage_state=state
    )
    context.set_default_timeout(60_000)
    yield context
    context.close()


def measure(browser: Browser, house: House) -> None:
    print(f"{'page':18} {'visit':6} {'kB':>7} {'requests':>9} {'usable, s':>10} {'of budget':>20}")
    with phone(browser, house.url) as everyone:
        for enter in DOORS.values():
            page = everyone.new_page()
            enter(page, house)
            page.close()
        for target in TARGETS:
            with phone(browser, house.url, everyone if target.door else None) as fresh:
                for name in ("first", "again"):
                    seen = visit(fresh, target)
                    share = f"{seen.size / BUDGET:.2f} x bytes"
                    share += f", {seen.seconds / BUDGET_SECONDS:.2f} x time"
                    print(
                        f"{target.path:18} {name:6} {seen.size / 1000:7.1f} {seen.requests:9} "
                        f"{seen.seconds:10.1f} {share:>26}"
                    )
        upload(browser, house, everyone)


def upload(browser: Browser, house: House, everyone: BrowserContext) -> None:
    """From the agent's last tap to the case code and to the words, on the same line."""
    with phone(browser, house.url, everyone) as agent, tempfile.TemporaryDirectory() as folder:
        page = agent.new_page()
        page.goto("/kiosk")
        page.locator("#photo-form:not([hidden])").wait_for()
        slow(page)
        photo = Path(folder) / "leaf.jpg"
        photo.write_bytes(things.detailed_photo(seed=5, size=(3000, 4000)))
        took = time.monotonic()
        with page.expect_request("**/api/photos") as sent:
            take_photo(page, photo)
        began = time.monotonic()
        page.locator("#results article").wait_for()
        code = time.monotonic() - began
        page.locator("#results [data-part=message]:not([hidden])").wait_for()
        words = time.monotonic() - began
        size = int(sent.value.all_headers()["content-length"])
        bare = size / UP + LATENCY_MS / 1000
        megabytes = photo.stat().st_size / 1e6
        print(
            f"photo of {megabytes:.1f} MB: made {size / 1000:.0f} kB and confirmed in "
            f"{began - took:.1f} s, case code after {code:.1f} s ({code / bare:.2f} x the bare "
            f"bytes' {bare:.1f} s), words after {words:.1f} s"
        )


def main() -> None:
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    path = chromium()
    if path is None:
        sys.exit("no chromium on the PATH (Debian: apt install chromium)")
    print(f"2G: {DOWN * 8 / 1000:.0f} kbit/s down, {UP * 8 / 1000:.0f} up, {LATENCY_MS} ms; "
          f"processor {CPU_SLOWER} x slower; budget {BUDGET / 1000:.0f} kB, "
          f"which take {BUDGET_SECONDS:.1f} s")  # fmt: skip
    with (
        tempfile.TemporaryDirectory() as folder,
        house_in(Path(folder), shown=False) as house,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        measure(browser, house)
        browser.close()


if __name__ == "__main__":
    main()
