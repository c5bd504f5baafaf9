"""What an agent has photographed or saved stays, whatever else is pressed or goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Dialog, Page, Route, expect

from gateway.cases import life
from gateway.cases.triage import Finding
from gateway.context import Context
from gateway.store.models import Case
from rig import things as house
from rig.agent import cases, correct_number, judge, photos, take_photo
from rig.house import wait_until


@pytest.fixture
def leaves(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"leaf-{seed}.jpg" for seed in range(3)]
    for seed, path in enumerate(paths):
        path.write_bytes(house.detailed_photo(seed=40 + seed, size=(600, 800)))
    return paths


@pytest.fixture
def script(app: Flask) -> Callable[[str], str]:
    """Address of one of the page's scripts, so that a test gets the page's own copy of it."""

    def address(name: str) -> str:
        return str(app.extensions["leafline_assets"].url(f"kiosk/{name}"))

    return address


def yes(dialog: Dialog) -> None:
    dialog.accept()


def test_photos_in_the_form_are_not_thrown_away_unasked(
    paired: Page, context: Context, leaves: list[Path]
) -> None:
    take_photo(paired, leaves[0])
    expect(paired.locator("#results article")).to_be_visible()
    judge(context, Finding("second_photo", "maize_rust", 0.5))
    more = paired.get_by_role("button", name="One more photo")
    expect(more).to_be_visible()
    paired.locator("#gallery").set_input_files(leaves[1:])
    chosen = paired.locator("#picked li")
    expect(chosen).to_have_count(2)
    asked: list[str] = []

    def no(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    paired.once("dialog", no)
    more.click()
    assert asked == ["Throw this away? It has not been sent."]
    expect(chosen).to_have_count(2)
    expect(paired.locator("#about")).to_be_visible()
    paired.once("dialog", yes)
    more.click()
    expect(paired.locator("#picked")).to_be_hidden()
    expect(paired.locator("#about")).to_be_hidden()
    paired.locator("#camera").set_input_files(leaves[1])
    expect(chosen).to_have_count(1)
    more.click()  # the same case again: there is nothing to ask
    expect(chosen).to_have_count(1)


def test_correcting_throws_no_photos_away_unasked(paired: Page, leaves: list[Path]) -> None:
    take_photo(paired, leaves[:2], "+9990000000")
    correct = paired.locator("#queue li").get_by_role("button", name="Correct")
    expect(correct).to_be_visible()
    paired.locator("#camera").set_input_files(leaves[2])
    chosen = paired.locator("#picked li")
    expect(chosen).to_have_count(1)
    paired.once("dialog", lambda dialog: dialog.dismiss())
    correct.click()
    expect(chosen).to_have_count(1)
    paired.once("dialog", yes)
    correct.click()
    expect(chosen).to_have_count(2)


def test_photos_that_come_too_late_for_their_case_make_another(
    paired: Page, context: Context, leaves: list[Path]
) -> None:
    """The first photo makes the case; it is closed before the second is handed in."""
    sent: list[Route] = []

    def close_after_the_first(route: Route) -> None:
        if len(sent) == 1:
            with context.store.transaction() as session:
                session.get_one(Case, cases(context)[0].id).state = life.CLOSED
        sent.append(route)
        route.continue_()

    paired.route("**/api/photos", close_after_the_first)
    take_photo(paired, leaves)
    entry = paired.locator("#queue li")
    expect(entry).to_contain_text("this case is closed; make a new one")
    entry.get_by_role("button", name="Correct").click()
    expect(paired.locator("#picked li")).to_have_count(2)
    expect(paired.get_by_label("Village")).to_have_value("Kabeza")
    expect(paired.get_by_label("maize", exact=True)).to_be_checked()
    correct_number(paired, "0788000001")
    expect(paired.locator("#queue-part")).to_be_hidden()
    old, new = cases(context)
    assert (old.farmer.phone, old.crop) == (new.farmer.phone, new.crop)
    assert photos(context) == 3


@pytest.mark.parametrize("code", ["case_full", "case_not_found"])
def test_more_photos_that_a_case_refuses_can_make_another(
    paired: Page, context: Context, leaves: list[Path], code: str
) -> None:
    refusal = {"status": 409, "json": {"code": code}}
    paired.route("**/api/photos", lambda route: route.fulfill(**refusal), times=1)
    paired.evaluate("location.hash = 'more=B7K2M9X'")
    expect(paired.locator("#about")).to_be_hidden()
    paired.locator("#camera").set_input_files(leaves[0])
    expect(paired.locator("#picked li")).to_have_count(1)
    paired.get_by_role("button", name="Send", exact=True).click()
    paired.locator("#queue li").get_by_role("button", name="Correct").click()
    paired.get_by_text("maize", exact=True).click()
    correct_number(paired, "0788000001")
    expect(paired.locator("#queue-part")).to_be_hidden()
    assert (len(cases(context)), photos(context)) == (1, 1)


def test_a_photo_that_fails_unexpectedly_does_not_end_picking(
    paired: Page, leaves: list[Path]
) -> None:
    paired.evaluate(
        """() => {
          const { toDataURL } = HTMLCanvasElement.prototype;
          HTMLCanvasElement.prototype.toDataURL = function () {
            HTMLCanvasElement.prototype.toDataURL = toDataURL;
            throw new Error("out of memory");
          };
        }"""
    )
    paired.locator("#gallery").set_input_files(leaves[:2])
    expect(paired.locator("#photo-fault")).to_contain_text("cannot read that file as a picture")
    expect(paired.locator("#picked li")).to_have_count(1)
    paired.locator("#camera").set_input_files(leaves[2])
    expect(paired.locator("#picked li")).to_have_count(2)


def test_a_number_typed_at_once_is_not_taken_away(
    paired: Page, script: Callable[[str], str]
) -> None:
    paired.evaluate(
        """async (address) => {
          const queue = await import(address);
          document.getElementById("no-phone").click();
          document.getElementById("phone").value = "0788 000 009";
          await queue.kept("own-phone"); // after the page's own question
        }""",
        script("queue.js"),
    )
    expect(paired.get_by_label("Farmer’s phone number")).to_have_value("0788 000 009")


def test_a_plant_saved_while_another_is_sent_is_sent_too(
    paired: Page, script: Callable[[str], str]
) -> None:
    held: list[Route] = []
    paired.route("**/api/photos", lambda route: held.append(route))
    begin = """async (address) => {
      const queue = await import(address);
      const photo = { bytes: new Uint8Array([1]).buffer, preview: "data:," };
      await queue.add({ phone: "0788000001" }, [photo]);
      window.drained = queue.drain().then(async (report) => [report, await queue.waiting()]);
    }"""
    paired.evaluate(begin, script("queue.js"))
    wait_until(lambda: held or paired.wait_for_timeout(50), "the first to be sent")
    paired.evaluate(
        """async (address) => {
          const queue = await import(address);
          const photo = { bytes: new Uint8Array([2]).buffer, preview: "data:," };
          await queue.add({ phone: "0788000002" }, [photo]);
        }""",
        script("queue.js"),
    )
    paired.route("**/api/photos", lambda route: route.fulfill(status=202, json={"case": "B7K2M9X"}))
    held[0].fulfill(status=202, json={"case": "C7K2M9X"})
    report, waiting = paired.evaluate("window.drained")
    assert (report["left"], waiting) == (0, [])


HURRY = """() => {
  window.patient = AbortSignal.timeout;
  window.limits = [];
  AbortSignal.timeout = (milliseconds) => {
    limits.push(milliseconds);
    const limit = new AbortController();
    setTimeout(() => limit.abort(), 30);
    return limit.signal;
  };
}"""
"""The page's limits, a moment long."""


def test_an_upload_without_progress_ends_too(paired: Page, script: Callable[[str], str]) -> None:
    """As the service worker sends, which has no XMLHttpRequest; the network swallows it."""
    paired.route("**/api/photos", lambda _route: None)
    paired.evaluate(HURRY)
    outcome: list[Any] = paired.evaluate(
        """async (address) => {
          const { send, NoAnswer } = await import(address);
          globalThis.XMLHttpRequest = undefined;
          return send({}, new Uint8Array([1]).buffer).catch((e) => [e instanceof NoAnswer, limits]);
        }""",
        script("send.js"),
    )
    assert outcome == [True, [180_000]]


def test_a_list_that_never_comes_is_given_up(paired: Page) -> None:
    paired.route("**/api/cases", lambda _route: None)
    paired.evaluate(HURRY)
    paired.evaluate("dispatchEvent(new Event('online'))")
    expect(paired.get_by_text("No network.")).to_be_visible()
    paired.unroute("**/api/cases")
    paired.evaluate("AbortSignal.timeout = patient")
    paired.evaluate("dispatchEvent(new Event('online'))")
    expect(paired.get_by_text("No network.")).to_be_hidden()


def test_the_list_is_asked_for_again_after_a_fault(
    paired: Page, script: Callable[[str], str]
) -> None:
    outcomes = paired.evaluate(
        """async (address) => {
          const today = await import(address);
          const { get } = IDBObjectStore.prototype;
          IDBObjectStore.prototype.get = () => { throw new Error("the disk is gone"); };
          const first = await today.ask(() => {}).catch((error) => error.message);
          IDBObjectStore.prototype.get = get;
          return [first, await new Promise((done) => today.ask(done).then(() => done("nothing")))];
        }""",
        script("today.js"),
    )
    assert outcomes[0] == "the disk is gone"
    assert outcomes[1] in ("list", "unchanged")


def test_corrected_here_while_thrown_away_in_another_tab(
    phone: BrowserContext, paired: Page, context: Context, leaves: list[Path]
) -> None:
    take_photo(paired, leaves[0], "+9990000000")
    paired.locator("#queue li").get_by_role("button", name="Correct").click()
    other = phone.new_page()
    other.goto("/kiosk")
    other.once("dialog", yes)
    other.locator("#queue li").get_by_role("button", name="Throw away").click()
    expect(other.locator("#queue-part")).to_be_hidden()
    paired.bring_to_front()
    correct_number(paired, "0788000002")
    wait_until(lambda: photos(context) == 1 or paired.wait_for_timeout(50), "the corrected one")
    assert [case.farmer.phone for case in cases(context)] == ["+250788000002"]
