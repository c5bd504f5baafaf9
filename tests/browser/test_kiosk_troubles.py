"""The kiosk's page where something is in its way: proxies, storage, old browsers, odd files."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Dialog, Page, Route, expect
from sqlalchemy import update

from gateway.cases import kiosk_list, life
from gateway.cases.triage import Finding
from gateway.context import Context
from gateway.store.models import Case
from rig import agent
from rig import things as house
from rig.agent import cases, fill_in, judge, photos, send_now, take_photo
from rig.house import wait_until
from rig.wire import Wire

PROXY = {"status": 413, "content_type": "text/html", "body": "<h1>413 Too Large</h1>"}


@pytest.fixture
def leaves(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"leaf-{seed}.jpg" for seed in range(3)]
    for seed, path in enumerate(paths):
        path.write_bytes(house.detailed_photo(seed=70 + seed, size=(600, 800)))
    return paths


@pytest.fixture
def house_url(wire: Wire) -> str:
    return wire.url


def of_phone(route: Route, number: str) -> bool:
    return number.encode() in (route.request.post_data_buffer or b"")


@pytest.mark.parametrize(
    "answer", [PROXY, {"status": 403, "body": "Blocked by policy"}, {"status": 400, "json": {}}]
)
def test_a_proxy_that_refuses_one_plant_stops_no_other(
    paired: Page, context: Context, wire: Wire, leaves: list[Path], answer: dict[str, object]
) -> None:
    def refuse(route: Route) -> None:
        if of_phone(route, "0788 000 001"):
            route.fulfill(**answer)  # type: ignore[arg-type]
        else:
            route.continue_()

    wire.cut()
    for number, leaf in enumerate(leaves):
        take_photo(paired, leaf, f"0788 000 00{number + 1}")
    expect(paired.locator("#queue li")).to_have_count(3)
    paired.context.route("**/api/photos", refuse)
    wire.mend()
    send_now(paired)
    expect(paired.locator("#queue li")).to_have_count(1)
    assert photos(context) == 2
    entry = paired.locator("#queue li")
    keep = entry.get_by_role("button", name="Keep and try on")

    def tried() -> bool:
        send_now(paired)
        paired.wait_for_timeout(50)
        return keep.is_visible()

    wait_until(tried, "the entry offered for repair", 30)
    expect(entry.get_by_role("button", name="Throw away")).to_be_visible()
    expect(entry.get_by_role("button", name="Correct")).to_be_visible()
    keep.click()
    expect(entry).to_contain_text("waits for the network")
    paired.context.unroute_all()
    send_now(paired)
    expect(paired.locator("#queue-part")).to_be_hidden()
    assert photos(context) == 3


def test_a_plant_whose_line_always_breaks_lets_others_pass(
    paired: Page, context: Context, wire: Wire, leaves: list[Path]
) -> None:
    def breaks(route: Route) -> None:
        route.abort() if of_phone(route, "0788 000 001") else route.continue_()

    wire.cut()
    for number, leaf in enumerate(leaves[:2]):
        take_photo(paired, leaf, f"0788 000 00{number + 1}")
    paired.context.route("**/api/photos", breaks)
    wire.mend()

    def tried() -> bool:
        send_now(paired)
        paired.wait_for_timeout(50)
        return photos(context) == 1

    wait_until(tried, "the other plant", 30)


@pytest.mark.parametrize(
    "typed",
    [
        "\u2066+250\u2011788\u2011000\u2011001\u2069",
        "\u202a0788 000\u200b 001\u202c",
        "\ufeff\u0660\u0667\u0668\u0668\u00a0\u0660\u0660\u0660\u00a0\u0660\u0660\u0661",
        "250788000001",
        "00250 788 000 001",
    ],
)
def test_a_number_with_letters_that_nobody_sees(
    paired: Page, context: Context, leaves: list[Path], typed: str
) -> None:
    take_photo(paired, leaves[0], typed)
    expect(paired.locator("#results article")).to_be_visible()
    assert [case.farmer.phone for case in cases(context)] == ["+250788000001"]


@pytest.mark.parametrize("kind", ["HEIF", "WEBP"])
def test_a_photo_that_only_the_server_can_read(
    paired: Page, context: Context, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / f"leaf.{kind}"
    with Image.open(io.BytesIO(house.detailed_photo(seed=80, size=(600, 800)))) as picture:
        picture.save(path, kind)
    paired.evaluate("() => { createImageBitmap = () => Promise.reject(new Error('cannot')) }")
    take_photo(paired, path)
    expect(paired.locator("#results article")).to_be_visible()
    assert photos(context) == 1


def test_what_nobody_can_read_or_is_too_large_is_said_at_once(paired: Page, tmp_path: Path) -> None:
    large = tmp_path / "large.heic"
    large.write_bytes(b"\0\0\0\x18ftypheic" + bytes(12_000_000))
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    for path in (large, broken):
        paired.locator("#camera").set_input_files(path)
        expect(paired.locator("#photo-fault")).to_contain_text("cannot read that file")
        expect(paired.locator("#picked li")).to_have_count(0)


SHUT = """(times) => {
  const { transaction } = IDBDatabase.prototype;
  window.shut = times;
  IDBDatabase.prototype.transaction = function (...given) {
    if (window.shut-- > 0) throw new DOMException("closing", "InvalidStateError");
    return transaction.apply(this, given);
  };
}"""


def test_a_closed_storage_is_opened_again(
    paired: Page, context: Context, leaves: list[Path]
) -> None:
    fill_in(paired, leaves[0])
    paired.evaluate(SHUT, 1)
    paired.get_by_role("button", name="Right, send").click()
    expect(paired.locator("#results article")).to_be_visible()
    assert photos(context) == 1


def test_a_storage_that_stays_closed_is_said_and_nothing_is_lost(
    paired: Page, context: Context, leaves: list[Path]
) -> None:
    fill_in(paired, leaves[0])
    paired.evaluate(SHUT, 1_000_000)
    paired.get_by_role("button", name="Right, send").click()
    expect(paired.locator("#photo-fault")).to_contain_text("could not save it. Nothing is lost")
    expect(paired.locator("#picked li")).to_have_count(1)
    paired.evaluate("window.shut = 0")
    paired.get_by_role("button", name="Send", exact=True).click()
    paired.get_by_role("button", name="Right, send").click()
    expect(paired.locator("#results article")).to_be_visible()
    assert photos(context) == 1


def test_a_full_disk_is_said_and_nothing_is_lost(paired: Page, leaves: list[Path]) -> None:
    fill_in(paired, leaves[0])
    paired.evaluate(
        """() => { IDBObjectStore.prototype.add = () => {
          throw new DOMException("full", "QuotaExceededError"); } }"""
    )
    paired.get_by_role("button", name="Right, send").click()
    expect(paired.locator("#photo-fault")).to_contain_text("storage is full")
    expect(paired.locator("#picked li")).to_have_count(1)


OLD = """() => {
  delete globalThis.BroadcastChannel;
  delete HTMLDialogElement.prototype.showModal;
  delete AbortSignal.timeout;
  delete Navigator.prototype.locks;
  delete Navigator.prototype.serviceWorker;
  delete Crypto.prototype.randomUUID;
}"""
"""What the oldest browsers that docs/browsers.md names lack."""


def test_an_old_browser(phone: BrowserContext, context: Context, leaves: list[Path]) -> None:
    phone.add_init_script(f"({OLD})()")
    page = phone.new_page()
    kiosk, _token = house.kiosk(context.store)
    with context.store.transaction() as session:
        code = agent.pairing.new_code(session, kiosk)
    page.goto(agent.pairing.link("", code))
    page.get_by_role("button", name="Pair this phone").click()
    asked: list[str] = []

    def yes(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.accept()

    page.on("dialog", yes)
    expect(page.locator("#photo-form")).to_be_visible()
    fill_in(page, leaves[0])
    expect(page.locator("#results article")).to_be_visible()
    assert "0788 000 001" in asked[0]
    assert photos(context) == 1


def test_a_browser_that_cannot_run_the_page_says_so(page: Page, context: Context) -> None:
    page.context.route(
        re.compile(r"/kiosk/app\.js$"),
        lambda route: route.fulfill(content_type="text/javascript", body="import './none.js';"),
    )
    kiosk, _token = house.kiosk(context.store)
    with context.store.transaction() as session:
        code = agent.pairing.new_code(session, kiosk)
    page.goto(agent.pairing.link("", code))
    page.get_by_role("button", name="Pair this phone").click()
    expect(page.get_by_text("This page did not start.")).to_be_visible()


SHELL = re.compile(r"/kiosk$")


def kept_page(page: Page) -> str:
    """The page as the worker keeps it."""
    return str(
        page.evaluate(
            """async () => {
              for (const name of await caches.keys()) {
                const kept = await (await caches.open(name)).match("/kiosk");
                if (kept) return kept.text();
              }
              return "";
            }"""
        )
    )


@pytest.mark.parametrize("answer", ["maintenance", "half", "newer", "moved"])
def test_only_the_whole_page_of_its_own_files_is_kept(
    phone: BrowserContext, paired: Page, wire: Wire, answer: str
) -> None:
    paired.goto("/kiosk")
    paired.wait_for_function("() => navigator.serviceWorker.controller")
    before = kept_page(paired)
    found = re.search(r'name="leafline-shell" content="(\w+)"', before)
    assert found is not None
    bodies = {
        "maintenance": "<html><body>Back soon</body></html>",
        "half": before[: before.index("<form")],
        "newer": before.replace(found[1], "0123456789ab"),
    }
    seen: list[str] = []

    def other(route: Route) -> None:
        if answer == "moved":
            route.fulfill(status=302, headers={"Location": "/static/none/login.html"})
        else:
            route.fulfill(content_type="text/html", body=bodies[answer])
        seen.append(route.request.url)

    phone.route(SHELL, other)
    paired.goto("/kiosk")
    wait_until(lambda: seen or paired.wait_for_timeout(50), "the page to be asked for")
    expect(paired.locator("#photo-form")).to_be_visible()
    phone.unroute_all()
    wire.cut()
    paired.reload()
    expect(paired.locator("#photo-form")).to_be_visible()
    assert kept_page(paired) == before
    wire.mend()


def test_a_worker_takes_no_page_of_somebody_else_for_a_file(
    phone: BrowserContext, page: Page, context: Context
) -> None:
    """A proxy answers 200 for a script; the next visit, on a better line, installs all."""
    welcome = {"status": 200, "content_type": "text/html", "body": "<h1>Back soon</h1>"}
    asked: list[str] = []

    def proxy(route: Route) -> None:
        if route.request.service_worker:
            asked.append(route.request.url)
            route.fulfill(**welcome)  # type: ignore[arg-type]
        else:
            route.continue_()

    phone.route(re.compile(r"/kiosk/kiosk\.css$"), proxy)
    kiosk, _token = house.kiosk(context.store)
    with context.store.transaction() as session:
        code = agent.pairing.new_code(session, kiosk)
    page.goto(agent.pairing.link("", code))
    page.get_by_role("button", name="Pair this phone").click()
    expect(page.locator("#photo-form")).to_be_visible()
    wait_until(lambda: asked or page.wait_for_timeout(50), "the worker to ask")
    phone.unroute_all()
    page.reload()
    agent.ready(page)
    style = page.evaluate(
        """async () => {
          const address = document.querySelector("link[href$='kiosk.css']").href;
          return (await (await caches.match(address)).text());
        }"""
    )
    assert "#picked" in style


def draft(page: Page) -> Page:
    """The page, once what stands in its form is on the phone."""
    page.wait_for_function(
        """() => new Promise((done) => {
          indexedDB.open("leafline-kiosk").onsuccess = ({ target: { result } }) => {
            const store = result.transaction("kept").objectStore("kept");
            store.getAll(IDBKeyRange.bound("draft:", "draft;")).onsuccess = (event) =>
              done(event.target.result.some((one) => one.place === "Nyamata"));
          };
        })"""
    )
    return page


@pytest.fixture
def begun(paired: Page, leaves: list[Path]) -> Page:
    paired.locator("#gallery").set_input_files(leaves[:2])
    expect(paired.locator("#picked li")).to_have_count(2)
    paired.get_by_text("beans", exact=True).click()
    paired.get_by_label("Farmer’s phone number").fill("0788 000 007")
    paired.get_by_label("Village").fill("Nyamata")
    return draft(paired)


def as_begun(page: Page) -> None:
    expect(page.locator("#picked li")).to_have_count(2)
    expect(page.get_by_label("beans", exact=True)).to_be_checked()
    expect(page.get_by_label("Farmer’s phone number")).to_have_value("0788 000 007")
    expect(page.get_by_label("Village")).to_have_value("Nyamata")


def test_what_stands_in_the_form_outlives_a_reload_and_our_own_links(
    phone: BrowserContext, begun: Page, context: Context
) -> None:
    begun.reload()
    as_begun(begun)
    begun.get_by_role("link", name="Today").click()
    begun.get_by_role("navigation").get_by_role("link").first.click()
    as_begun(begun)
    begun.close()
    other = phone.new_page()
    other.goto("/kiosk")
    as_begun(other)
    other.get_by_text("The farmer agrees").click()
    other.get_by_role("button", name="Send", exact=True).click()
    other.get_by_role("button", name="Right, send").click()
    expect(other.locator("#results article")).to_be_visible()
    expect(other.locator("#queue-part")).to_be_hidden()
    other.reload()
    expect(other.locator("#results article")).to_be_visible()
    expect(other.locator("#picked li")).to_have_count(0)
    assert photos(context) == 2


def test_a_tab_leaves_the_form_of_another_alone(phone: BrowserContext, begun: Page) -> None:
    other = phone.new_page()
    other.goto("/kiosk")
    agent.ready(other)
    expect(other.locator("#picked li")).to_have_count(0)
    as_begun(begun)


def test_a_sign_out_asks_before_it_throws_a_form_away(begun: Page) -> None:
    asked: list[str] = []

    def no(dialog: Dialog) -> None:
        dialog.dismiss()
        asked.append(dialog.message)

    begun.once("dialog", no)
    begun.get_by_role("button", name="Sign out").click()
    wait_until(lambda: asked or begun.wait_for_timeout(50), "the question")
    begun.reload()
    as_begun(begun)
    begun.once("dialog", lambda dialog: dialog.accept())
    begun.get_by_role("button", name="Sign out").click()
    expect(begun.get_by_label("Pairing code")).to_be_visible()


@pytest.fixture
def small_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day's list with room for two."""
    monkeypatch.setattr(kiosk_list, "MOST", 2)


def test_an_open_case_stays_whatever_comes_after_it(
    page: Page, context: Context, leaves: list[Path], small_list: None
) -> None:
    agent.pair(page, context)
    for number, leaf in enumerate(leaves):
        take_photo(page, leaf, f"0788 000 00{number + 1}")
        expect(page.locator("#results article")).to_have_count(number + 1)
    oldest = page.locator("#results article").last
    code = cases(context)[0].code
    expect(oldest).to_contain_text(code)
    expect(oldest).to_contain_text("maize")
    with context.store.transaction() as session:
        session.execute(update(Case).where(Case.code == code).values(state=life.ESCALATED))
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(oldest).to_contain_text("officer")
    page.reload()
    expect(page.locator("#results article")).to_have_count(3)


def test_a_correction_that_came_too_late_is_said(
    paired: Page, context: Context, leaves: list[Path]
) -> None:
    take_photo(paired, leaves[0])
    expect(paired.locator("#results article")).to_be_visible()
    judge(context, Finding("advice", "maize_rust", 0.97))
    expect(paired.locator("[data-part=message]")).to_be_visible()
    fill_in(paired, leaves[0])
    paired.get_by_role("button", name="Change").click()
    paired.get_by_text("beans", exact=True).click()
    paired.get_by_role("button", name="Send", exact=True).click()
    paired.get_by_role("button", name="Right, send").click()
    expect(paired.locator("#results article")).to_contain_text("What you changed was not taken")
    assert [case.crop for case in cases(context)] == ["maize"]


def test_a_language_chosen_at_once_is_not_set_back(paired: Page) -> None:
    paired.context.add_init_script(
        """const { get } = IDBObjectStore.prototype;
        IDBObjectStore.prototype.get = function (key) {
          if (key === "language") document.querySelector("[name=language][value=rw]").click();
          return get.call(this, key);
        };"""
    )
    paired.evaluate(
        """() => new Promise((done) => {
          indexedDB.open("leafline-kiosk").onsuccess = ({ target: { result } }) => {
            const transaction = result.transaction("kept", "readwrite");
            transaction.objectStore("kept").put("fr", "language");
            transaction.oncomplete = done;
          };
        })"""
    )
    paired.reload()
    agent.ready(paired)
    expect(paired.get_by_label("Village")).to_be_visible()
    paired.wait_for_function("() => document.documentElement.dataset.started")
    expect(paired.locator("[name=language][value=rw]")).to_be_checked()
