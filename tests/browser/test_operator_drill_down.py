"""An operator's way from a number to its cause on small and large screens; the first hour."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from gateway.context import Context
from gateway.settings import Settings
from gateway.store.base import now
from gateway.store.models import Case, Message
from rig import admins, desk
from rig import things as house
from rig.browser import check
from tests.browser.test_operator import sign_in
from tests.conftest import settings_for


@pytest.fixture
def settings(sqlite_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path, sqlite_url, redis_url, monthly_budget="RWF 100")


def enter(page: Page, context: Context) -> None:
    sign_in(page, admins.enrol(context))
    expect(page.get_by_role("heading", level=1)).to_have_text("Now")


def test_from_a_red_number_to_its_cause_and_away_again(page: Page, context: Context) -> None:
    desk.officer(context)
    code = desk.case(context, opened_at=now() - timedelta(hours=30))
    uwase = desk.officer(context, desk.COLLEAGUE, "Uwase")
    with context.store.transaction() as session:
        case = session.scalars(select(Case).where(Case.code == code)).one()
        session.add(
            Message(
                key="m:1", direction="out", address=house.FARMER, address_digest="x",
                kind="answer", case_id=case.id, farmer_id=case.farmer_id,
                template="officer_closing", state="failed", outcome="no_route",
                cost=Decimal("90"), currency="RWF",
                sent_at=now(), final_at=now(),
            )
        )  # fmt: skip
    enter(page, context)
    page.goto("/operator/")
    check(page, "operator-now-late")
    page.goto("/operator/?lang=en")
    expect(page.get_by_text("Most of the month's budget is spent")).to_be_visible()
    page.locator("dd.bad a").first.click()
    check(page, "operator-cases-late")
    page.goto("/operator/cases/list?age=late&lang=en")
    page.get_by_role("link", name=code).click()
    expect(page.get_by_text("no way to this network")).to_be_visible()
    check(page, "operator-case")
    page.goto(f"/operator/cases/{code}?lang=en")
    page.get_by_label("Give it to another officer").select_option(label="Uwase")
    page.get_by_role("button", name="Give", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Uwase has the case now")
    assert desk.held_by(context, code) == uwase.id
    page.get_by_role("link", name="+250*****0001").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("+250*****0001")
    check(page, "operator-farmer")
    page.goto("/operator/messages?state=all")
    check(page, "operator-messages-all")
    for address, name in (
        ("/operator/costs", "costs"), ("/operator/farmers", "farmers"),
        ("/operator/kiosks", "kiosks-links"), ("/operator/officers/1", "officer-load"),
        ("/operator/audit?who=all", "audit-sentences"), ("/operator/messages/1", "message"),
    ):  # fmt: skip
        page.goto(address)
        check(page, f"operator-{name}")


def test_what_goes_on_now_is_looked_at_again_by_itself(page: Page, context: Context) -> None:
    page.clock.install()
    enter(page, context)
    waiting = page.locator("#people ~ dl dd").first
    expect(waiting).to_have_text("0")
    desk.officer(context)
    desk.case(context)
    page.clock.fast_forward(25_000)
    expect(waiting).to_have_text("1")
