"""What each page costs on a 2G network and a cheap phone: bytes, requests, time until usable.

    python -m benchmarks.pages [--write docs/pages.md]

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

import pyotp
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

from benchmarks.document import put, table
from rig import things
from rig.agent import take_photo
from rig.browser import ARGUMENTS, chromium
from rig.house import House, house_in

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
    Target("/operator/sign-in", "#code"),
    Target("/operator/", "main h1", "operator"),
    Target("/operator/cases", "main h1", "operator"),
    Target("/operator/account", "#password", "operator"),
    Target("/simulator", ".phone"),
)
HEAD = ("page", "visit", "kB", "requests", "usable, s", "of the budget")


def enter_kiosk(page: Page, house: House) -> None:
    answer = house.command(
        "kiosk", "add", f"Benchmark {time.monotonic_ns()}", "--area", "Huye"
    ).stdout
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


def enter_operator(page: Page, house: House) -> None:
    name = f"benchmark-{time.monotonic_ns()}"
    shown = house.command("operator", "add", name, "--role", "admin", "--generate").stdout
    told = dict(line.split(": ", 1) for line in shown.splitlines() if ": " in line)
    page.goto("/operator/sign-in")
    page.locator("#name").fill(name)
    page.locator("#password").fill(told["password"])
    page.locator("#code").fill(pyotp.TOTP(told["secret"]).now())
    page.locator("main form button").click()
    page.wait_for_url("**/operator/")


DOORS: dict[str, Callable[[Page, House], None]] = {
    "kiosk": enter_kiosk,
    "officer": enter_officer,
    "operator": enter_operator,
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


def measure(browser: Browser, house: House) -> list[tuple[str, ...]]:
    """Rows of HEAD, printed as they come."""
    rows = []
    print(f"{HEAD[0]:20} {HEAD[1]:6} {HEAD[2]:>7} {HEAD[3]:>9} {HEAD[4]:>10} {HEAD[5]:>26}")
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
                    size, seconds = f"{seen.size / 1000:.1f}", f"{seen.seconds:.1f}"
                    rows.append((target.path, name, size, str(seen.requests), seconds, share))
                    print(
                        f"{target.path:20} {name:6} {size:>7} {seen.requests:9} "
                        f"{seconds:>10} {share:>26}",
                        flush=True,
                    )
    return rows


def upload(browser: Browser, house: House) -> str:
    """From the agent's last tap to the case code and to the words, on the same line."""
    with phone(browser, house.url) as agent, tempfile.TemporaryDirectory() as folder:
        page = agent.new_page()
        enter_kiosk(page, house)
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
        return (
            f"photo of {megabytes:.1f} MB: made {size / 1000:.0f} kB and confirmed in "
            f"{began - took:.1f} s, case code after {code:.1f} s ({code / bare:.2f} x the bare "
            f"bytes' {bare:.1f} s), words after {words:.1f} s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", type=Path, help="document whose block gets the figures")
    asked = parser.parse_args()
    path = chromium()
    if path is None:
        sys.exit("no chromium on the PATH (Debian: apt install chromium)")
    profile = (
        f"2G: {DOWN * 8 / 1000:.0f} kbit/s down, {UP * 8 / 1000:.0f} up, {LATENCY_MS} ms; "
        f"processor {CPU_SLOWER} x slower; budget {BUDGET / 1000:.0f} kB, "
        f"which take {BUDGET_SECONDS:.1f} s"
    )
    print(profile)
    with (
        tempfile.TemporaryDirectory() as folder,
        house_in(Path(folder), shown=False) as house,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        rows = measure(browser, house)
        uploaded = upload(browser, house)
        print(uploaded)
        browser.close()
    if asked.write:
        lines = ["`python -m benchmarks.pages`", "", profile[0].upper() + profile[1:] + ".", ""]
        lines += [*table(HEAD, [(f"`{path}`", *row) for path, *row in rows]), ""]
        put(asked.write, "pages 2g", [*lines, uploaded[0].upper() + uploaded[1:] + "."])


if __name__ == "__main__":
    main()
